"""The end of training: the least loss against a grid, and the fall of a missing mode against its own equation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.training_clocks.missing_modes import least_height, missing_gap


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_least_height_is_below_that_of_every_strength_on_a_grid(depth: int) -> None:
    grid = np.linspace(0.5, 1, 100_001)
    heights = (grid - 1) ** 2 / 2 + 0.05 / 2 * depth * grid ** (2 / depth)

    assert least_height(1.0, depth, 0.05) == pytest.approx(heights.min(), rel=1e-9)


def test_without_decay_the_least_height_is_zero() -> None:
    assert least_height(1.3, 3, 0.0) == 0


@pytest.mark.parametrize(("depth", "start", "close"), [(1, 0.5, 1e-6), (2, 0.5, 0.01), (3, 0.5, 0.01), (4, 0.5, 0.01)])
def test_missing_modes_fall_as_their_equation_says_late(depth: int, start: float, close: float) -> None:
    end = 5.0 if depth == 1 else 1e3
    solution = solve_ivp(lambda _, s: -depth * s ** (3 - 2 / depth), (0, end), [start], rtol=1e-10, atol=1e-14)

    gap = missing_gap(4, torch.tensor([start]), depth, torch.tensor([[end]], dtype=torch.float64))

    assert float(gap) == pytest.approx(4 * solution.y[0, -1] ** 2 / 2, rel=close)
