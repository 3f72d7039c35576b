"""Closed forms for pathways, against optimisation, stability by simulation, and the flow's own equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from dlnrepro.dynamics.pathways.closed_forms import (
    balanced_sharpness,
    equal_split_factor,
    equality_limit,
    largest_stable_share,
    most_kept,
    race_end,
    single_path_sharpness,
)
from dlnrepro.dynamics.pathways.exponent_fits import stability_exponents


def test_sharpness_of_a_single_path_and_of_an_equal_split_by_hand() -> None:
    single = torch.tensor([[4.0], [0.0]], dtype=torch.float64)
    equal = torch.tensor([[2.0], [2.0]], dtype=torch.float64)

    assert float(balanced_sharpness(single, 4)) == pytest.approx(4 * 4**1.5)
    assert single_path_sharpness(4.0, 4) == pytest.approx(32)
    assert float(balanced_sharpness(equal, 4)) == pytest.approx(32 / math.sqrt(2))
    assert equal_split_factor(2, 4) == pytest.approx(1 / math.sqrt(2))


def test_depth_two_does_not_care_for_the_split() -> None:
    assert equal_split_factor(5, 2) == 1
    assert equality_limit(5, 2) == 2


@pytest.mark.parametrize("depth", [3, 4, 6])
@pytest.mark.parametrize("paths", [2, 3, 5])
def test_the_largest_stable_share_is_a_root_of_the_stability_equation(depth: int, paths: int) -> None:
    power, limit = 2 - 2 / depth, equality_limit(paths, depth)
    ratios = torch.linspace(2.001, limit - 0.001, 9, dtype=torch.float64)

    found = largest_stable_share(ratios, paths, depth)

    for ratio, share in zip(ratios.tolist(), found.tolist(), strict=True):
        split = [share, *[(1 - share) / (paths - 1)] * (paths - 1)]
        assert sum(part**power for part in split) == pytest.approx(2 / ratio, rel=1e-12)
        independent = brentq(
            lambda x, r=ratio: x**power + (paths - 1) ** (1 - power) * (1 - x) ** power - 2 / r, 1 / paths, 1
        )
        assert share == pytest.approx(independent, abs=1e-9)


def test_the_largest_stable_share_is_one_below_the_window_and_equal_above_it() -> None:
    ratios = torch.tensor([0.1, 1.9, 2.0, 4.0, 4.5, 9.0], dtype=torch.float64)

    assert largest_stable_share(ratios, 4, 4).tolist() == [1, 1, 1, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_the_race_ends_where_the_flow_ends(depth: int) -> None:
    start, strength = np.array([0.4, 0.35, 0.2]), 1.7

    def field(_: float, weights: np.ndarray) -> np.ndarray:
        rates: np.ndarray = weights ** (depth - 1) * (strength - (weights**depth).sum())
        return rates

    flow = solve_ivp(field, (0, 400), start, method="DOP853", rtol=1e-12, atol=1e-14)
    expected = torch.from_numpy(flow.y[:, -1] ** depth)

    found = race_end(torch.from_numpy(start), strength, depth, depth)

    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
@pytest.mark.parametrize("scale", [1e-3, 0.3, 0.8])
def test_no_losing_path_keeps_more_of_its_share_than_the_bound(depth: int, scale: float) -> None:
    strength, relative = 1.7, torch.tensor([1.0, 0.9, 0.5], dtype=torch.float64)
    start = scale * (strength / (relative**depth).sum()) ** (1 / depth) * relative

    before, after = start**depth / (start**depth).sum(), race_end(start, strength, depth, depth) / strength
    kept, bound = float((after / before)[1]), float(most_kept(start, strength, depth))

    assert kept <= bound * (1 + 1e-9)
    # For a small initialization the bound is nearly reached: what it leaves out is small then.
    assert scale > 1e-3 or kept == pytest.approx(bound, rel=0.05)
    assert bound <= 1


def test_equal_paths_and_two_layers_keep_their_shares() -> None:
    equal = torch.tensor([[0.1, 0.1], [0.2, 0.1]], dtype=torch.float64)

    assert most_kept(equal, 1.0, 4).tolist() == [1.0, pytest.approx(0.0017 * 0.75**-2)]
    assert most_kept(equal, 1.0, 2).tolist() == [1.0, 1.0]


def test_a_path_that_starts_at_zero_gets_nothing() -> None:
    start = torch.tensor([[0.3, 0.0]], dtype=torch.float64)

    for depth in (2, 3, 5):
        torch.testing.assert_close(race_end(start, 2.0, depth, depth), torch.tensor([[2.0, 0.0]], dtype=torch.float64))


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_the_exponent_is_recovered_from_exact_shares(depth: int) -> None:
    ratios = torch.linspace(2.05, 0.99 * equality_limit(2, depth), 12, dtype=torch.float64)
    shares = largest_stable_share(ratios, 2, depth).expand(2, -1)
    used = torch.ones(2, 12, dtype=torch.bool)
    used[1, 2:] = False

    found = stability_exponents(ratios, shares, used)

    assert float(found[0]) == pytest.approx(2 - 2 / depth, abs=1e-6)
    assert bool(found[1].isnan())
