"""Starts with a one-neuron layer: their product, that they are balanced, and which overlaps are exactly zero."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import imbalance, product
from dlnrepro.dynamics.one_neuron.start import (
    Pair,
    axis_pair,
    balanced,
    draw_pair,
    opposed_pairs,
    overlap_unit,
    rank_one_layers,
    separate_strengths,
    tilted,
)
from dlnrepro.dynamics.starts.balanced import draw_strength, hidden_frames
from dlnrepro.dynamics.starts.targets import Target, diagonal, draw_strengths, rotated
from dlnrepro.errors import NoSuchDraw

WIDTHS = [5, 1, 4, 4]


def generators(seeds: Sequence[int]) -> list[Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def a_target(runs: int = 3) -> Target:
    seeds = range(runs)
    return rotated(4, 5, draw_strengths((2.0, 1.2, 0.7, 0.3), 0.0, generators(seeds)), generators(seeds))


def a_start(target: Target, widths: Sequence[int]) -> tuple[Pair, Tensor, list[Tensor]]:
    given = generators(range(10, 10 + len(target.strengths)))
    pair = draw_pair(target, 0, (0.2, 1.0), given)
    strength = draw_strength(0.5, 2.0, given)
    return pair, strength, balanced(target, pair, strength, widths, given)


def test_a_balanced_start_is_balanced_and_multiplies_to_s_u_v() -> None:
    target = a_target()
    pair, strength, weights = a_start(target, WIDTHS)

    left = (target.left @ pair.left[..., None])[..., 0]
    right = (target.right @ pair.right[..., None])[..., 0]
    expected = strength[:, None, None] * left[:, :, None] * right[:, None, :]

    torch.testing.assert_close(product(weights), expected, rtol=0, atol=1e-14)
    assert max(float(matrix.abs().max()) for matrix in imbalance(weights)) < 1e-14
    assert [tuple(weight.shape[1:]) for weight in weights] == [(1, 5), (4, 1), (4, 4)]


@pytest.mark.parametrize("widths", [[5, 4, 3, 1], [5, 1]])
def test_the_narrowest_layer_may_be_the_output(widths: list[int]) -> None:
    target = diagonal(1, 5, torch.ones(3, 1, dtype=torch.float64))
    _, strength, weights = a_start(target, widths)

    torch.testing.assert_close(torch.linalg.matrix_norm(product(weights)), strength, rtol=1e-13, atol=0)
    assert all(float(matrix.abs().max()) < 1e-14 for matrix in imbalance(weights))
    assert [tuple(weight.shape[1:]) for weight in weights] == list(zip(widths[1:], widths[:-1], strict=True))


def test_the_overlap_is_u_z_v_and_lies_where_it_was_asked_for() -> None:
    target = a_target()
    pair, _, weights = a_start(target, WIDTHS)
    whole = product(weights)

    direct = (whole * target.matrix).sum((-2, -1)) / torch.linalg.matrix_norm(whole)

    torch.testing.assert_close(pair.overlap(target.strengths), direct, rtol=0, atol=1e-14)
    assert bool(((direct > 0.2 * 1.2) & (direct < 1.2)).all())


def test_a_wider_bottleneck_is_filled_to_its_rank_and_stays_balanced() -> None:
    target = a_target()
    _, strength, weights = a_start(target, [5, 2, 4, 4])

    values = torch.linalg.svdvals(product(weights))

    torch.testing.assert_close(values[:, :2], strength[:, None].expand(-1, 2), rtol=1e-13, atol=0)
    assert float(values[:, 2:].max()) < 1e-14
    assert max(float(matrix.abs().max()) for matrix in imbalance(weights)) < 1e-14


def test_missing_modes_are_exactly_zero_in_the_product_of_a_diagonal_target() -> None:
    given = generators(range(3))
    target = diagonal(4, 5, draw_strengths((2.0, 1.2, 0.7, 0.3), 0.0, given))
    pair = draw_pair(target, 2, (-5.0, 5.0), given)

    whole = product(balanced(target, pair, draw_strength(1.0, 1.0, given), WIDTHS, given))

    assert torch.count_nonzero(whole[:, :2, :]) == 0
    assert torch.count_nonzero(whole[:, :, :2]) == 0
    assert bool((whole[:, 2:, 2:] != 0).all())


def test_a_tilt_touches_the_first_mode_alone() -> None:
    target = a_target()
    pair = draw_pair(target, 1, (-5.0, 5.0), generators(range(3)))

    leaning = tilted(pair, 1e-6)

    assert torch.equal(leaning.left[:, 0], torch.full((3,), 1e-6, dtype=torch.float64))
    assert torch.equal(leaning.left[:, 1:], pair.left[:, 1:])


def test_an_axis_pair_with_a_minus_sign_is_anti_aligned() -> None:
    target = a_target()

    pair = axis_pair(target, 1, 1, -1.0)

    assert torch.equal(pair.overlap(target.strengths), -target.strengths[:, 0])


def test_opposed_pairs_lean_by_their_tilt_and_in_the_same_way_away_from_the_axis() -> None:
    target = a_target()

    far, near = opposed_pairs(target, -1.0, [1e-2, 1e-4], generators(range(3)))

    for side, sign, lean in (("left", 1.0, 0.5), ("right", -1.0, 1.0)):
        wide, narrow = getattr(far, side), getattr(near, side)
        torch.testing.assert_close(torch.linalg.vector_norm(wide, dim=-1), torch.ones(3, dtype=torch.float64))
        relative = 100 * sign * wide[:, 1] / wide[:, 0]
        assert bool(((relative > lean - 0.25) & (relative < lean + 0.25)).all())
        torch.testing.assert_close(wide[:, 1:] / wide[:, :1], 100 * narrow[:, 1:] / narrow[:, :1], rtol=1e-12, atol=0)


def test_layers_between_given_hidden_directions_are_those_of_a_drawn_start() -> None:
    target = a_target()
    pair, strength, _ = a_start(target, WIDTHS)

    drawn = balanced(target, pair, strength, WIDTHS, generators(range(3)))
    given = rank_one_layers(target, pair, strength, hidden_frames(WIDTHS[1:-1], 1, generators(range(3))))

    assert all(torch.equal(one, other) for one, other in zip(drawn, given, strict=True))


def test_overlaps_are_given_in_units_of_the_second_strength_or_of_the_only_one() -> None:
    assert overlap_unit(torch.tensor([[3.0, 2.0, 1.0]])).tolist() == [2.0]
    assert overlap_unit(torch.tensor([[3.0]])).tolist() == [3.0]


def test_an_interval_without_pairs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlnrepro.dynamics.one_neuron.start._MOST_BLOCKS", 2)

    wanted = r"^expected initial directions with u\^T Z v / sigma_2 between 2 and 3, found none in 2,048 draws$"
    with pytest.raises(NoSuchDraw, match=wanted):
        draw_pair(a_target(1), 0, (2.0, 3.0), generators([0]))


def test_an_initialization_is_bitwise_identical_alone_and_in_a_batch() -> None:
    def start(seeds: list[int]) -> list[Tensor]:
        given = generators(seeds)
        target = rotated(4, 5, draw_strengths((2.0, 1.2, 0.7, 0.3), 0.1, given), given)
        pair = draw_pair(target, 0, (1.0, 1.25), given)
        return balanced(target, pair, draw_strength(0.1, 2.0, given), [5, 2, 4, 4], given)

    for together, alone in zip(start([0, 1, 2, 3]), start([2]), strict=True):
        assert torch.equal(together[2:3], alone)


def test_strengths_are_drawn_again_until_they_keep_their_gap() -> None:
    """Without the gap the jitter would swap 1.2 and 1.1 in many runs."""
    drawn = separate_strengths((2.0, 1.2, 1.1), 0.1, 0.05, generators(range(50)))

    assert bool((drawn[:, 1:] <= 0.95 * drawn[:, :-1]).all())
    assert bool((drawn[:, 1] > 1.15).any())
    assert bool((drawn[:, 2] > 1.1).any())


def test_strengths_that_cannot_keep_their_gap_are_refused() -> None:
    with pytest.raises(NoSuchDraw, match=r"falling singular values with relative gaps of at least 0.5"):
        separate_strengths((2.0, 1.9), 0.01, 0.5, generators([0]))
