"""The drift of a losing path: the cycle's residual against iteration, and its closed form next to the onset."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.pathways.drift_theory import LARGEST, cycle_residual, onset_slope


@pytest.mark.slow
@pytest.mark.parametrize("depth", [3, 4, 5, 6, 8])
def test_the_cycle_s_residual_is_the_one_that_iteration_finds(depth: int) -> None:
    ratios = torch.tensor([1.5, 1.99, 2.02, 2.1, 2.3, LARGEST], dtype=torch.float64)
    weight, total = torch.full_like(ratios, 0.97), torch.zeros_like(ratios)
    for step in range(6000):
        residual = 1 - weight**depth
        total += residual if step >= 5000 else 0
        weight = weight + ratios / depth * weight ** (depth - 1) * residual

    torch.testing.assert_close(cycle_residual(ratios, depth), total / 1000, rtol=0, atol=1e-11)


@pytest.mark.parametrize("depth", [3, 4, 5, 6, 8])
def test_next_to_the_onset_the_drift_has_the_closed_form_s_slope(depth: int) -> None:
    ratios = torch.tensor([2.0005, 2.001], dtype=torch.float64)

    drift = (depth - 2) * ratios / depth * cycle_residual(ratios, depth) / (ratios - 2)

    extrapolated = float(2 * drift[0] - drift[1])
    assert extrapolated == pytest.approx(onset_slope(depth), rel=1e-5)
    assert onset_slope(depth) == pytest.approx((depth - 2) * 2 / depth * 3 * depth / (4 * (5 * depth - 4)), rel=1e-14)
