"""The laws of shares, compared with a descent with tiny steps and against the curve of stable shares."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.pathways.aligned_paths import aligned_contributions, aligned_shares, descend_aligned
from dlnrepro.dynamics.pathways.share_laws import ShareLaw, share_law
from dlnrepro.runner import silent

START = torch.tensor([[0.3, 0.2, 0.0], [0.4, 0.39, 0.1]], dtype=torch.float64)
RATIOS = torch.tensor([1.0, 2.2, 3.5], dtype=torch.float64)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_race_ends_where_descent_with_tiny_steps_does(depth: int) -> None:
    law = share_law(RATIOS, START, 1.5, depth, depth)
    size = torch.tensor(0.005, dtype=torch.float64)
    trained = descend_aligned(START, 1.5, depth, size, 20_000, 2, [], silent)
    shares = aligned_shares(aligned_contributions(trained.weights, depth))

    torch.testing.assert_close(law.race, shares, rtol=0, atol=3e-3)
    assert float(law.losers_error(shares[:, None]).amax()) < 0.05
    assert float(law.race[0, 2]) == 0


def test_an_error_of_a_loser_is_relative_unless_it_stays_at_zero() -> None:
    law = ShareLaw(RATIOS, torch.tensor([[0.75, 0.25, 0.0]]), torch.ones(3), 3.0)
    found = law.losers_error(torch.tensor([[[0.6, 0.3, 0.1]]]))

    torch.testing.assert_close(found, torch.tensor([[[0.2, 0.1]]]))


def test_the_largest_share_is_the_lower_one_and_is_limited_only_below_the_equal_split() -> None:
    law = ShareLaw(RATIOS, torch.tensor([[0.9, 0.1], [0.6, 0.4]]), torch.tensor([1.0, 0.7, 0.5]), 3.0)

    torch.testing.assert_close(law.largest, torch.tensor([[0.9, 0.7, 0.5], [0.6, 0.6, 0.5]]))
    assert law.equal.tolist() == [[False, False, True]] * 2
    assert law.limited.tolist() == [[False, True, False], [False, False, False]]


def test_the_limit_of_equality_and_the_stable_shares_are_those_of_the_depth_in_the_law() -> None:
    law = share_law(RATIOS, START, 1.5, 3, 4)

    assert law.limit == pytest.approx(2 * 3**0.5)
    root = law.stable[1]
    assert float(root**1.5 + 2**-0.5 * (1 - root) ** 1.5) == pytest.approx(2 / 2.2, rel=1e-12)
    assert [float(law.stable[0]), float(law.stable[2])] == pytest.approx([1, 1 / 3])
