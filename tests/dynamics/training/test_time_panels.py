"""The grid of panels: its times, and what it integrates exactly."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.training.time_panels import log_panels


def test_the_ends_are_zero_and_a_logarithmic_grid_up_to_the_horizon() -> None:
    grid = log_panels(50.0, 4, 3.0)

    assert torch.equal(grid.at_ends(grid.times)[[0, -1]], torch.tensor([0.0, 50.0], dtype=torch.float64))
    torch.testing.assert_close(
        grid.at_ends(grid.times)[1:], torch.tensor([0.05, 0.5, 5.0, 50.0], dtype=torch.float64), rtol=1e-12, atol=0
    )
    assert bool((grid.times.diff() > 0).all())


@pytest.mark.parametrize("power", [0, 1, 5, 11])
def test_polynomials_are_integrated_exactly_from_zero_to_every_end(power: int) -> None:
    grid = log_panels(2.0, 5, 2.0)

    integral = grid.integral(torch.stack([grid.times**power, 3 * grid.times**power]))

    exact = grid.at_ends(grid.times) ** (power + 1) / (power + 1)
    torch.testing.assert_close(integral, torch.stack([exact, 3 * exact]), rtol=1e-12, atol=1e-18)
