"""Shares of modes and the times at which they pass a level."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.modes.learning_times import following_shares, interval_ratios, mode_shares, passing_times
from dlnrepro.dynamics.starts.targets import rotated


def test_the_target_itself_has_every_share_one() -> None:
    strengths = torch.tensor([[3.0, 1.0]] * 2, dtype=torch.float64)
    target = rotated(3, 4, strengths, [torch.Generator().manual_seed(seed) for seed in range(2)])
    path = torch.stack([target.matrix, 0.5 * target.matrix], 1)

    shares = mode_shares(path, target, strengths)

    torch.testing.assert_close(shares[:, 0], torch.ones(2, 2, dtype=torch.float64))
    torch.testing.assert_close(shares[:, 1], torch.full((2, 2), 0.5, dtype=torch.float64))


def test_an_exponential_passes_a_level_between_two_steps() -> None:
    shares = (1e-3 * torch.exp(0.3 * torch.arange(40, dtype=torch.float64)))[None, None]

    found = passing_times(shares, 0.5)

    expected = torch.tensor([[500.0]], dtype=torch.float64).log() / 0.3
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_a_share_above_from_the_start_counts_as_passed_at_zero_and_one_that_never_passes_as_late_as_can_be() -> None:
    shares = torch.tensor([[0.9, 0.9, 0.9], [-0.1, 0.1, 0.2], [0.0, torch.nan, 0.0]], dtype=torch.float64)

    found = passing_times(shares, 0.5)

    assert found[:2].tolist() == [0.0, 2.0]
    assert torch.isnan(found[2])


def test_a_negative_share_may_jump_above_the_level() -> None:
    found = passing_times(torch.tensor([[-1.0, 0.6]], dtype=torch.float64), 0.5)

    assert 0 < float(found) <= 1


def test_the_next_mode_is_looked_at_where_the_one_before_it_reaches_the_level() -> None:
    """Between the steps 1 and 2 the first share passes 0.8 halfway in its logarithm, and so does the second one."""
    first, second = [0.1, 0.4, 1.6, 1.6], [0.0, 0.1, 0.4, 0.4]
    shares = torch.tensor([[first, second], [second, first]], dtype=torch.float64)[:, :, None]

    found = following_shares(shares, 0.8)

    expected = torch.tensor([[[0.2]], [[1.6]]], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


def test_no_share_follows_a_mode_that_is_not_finite() -> None:
    shares = torch.tensor([[[[0.1, torch.nan]], [[0.0, 0.1]]]], dtype=torch.float64)

    assert bool(torch.isnan(following_shares(shares, 0.9)).all())


def test_intervals_are_compared_with_those_of_the_slopes() -> None:
    times, slopes = torch.tensor([[2.0, 3.0, 3.0]]).double(), torch.tensor([[1.0, 2.0, 3.0]]).double()

    assert interval_ratios(times, slopes).tolist() == [[0.5, 0.0]]
