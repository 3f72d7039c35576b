"""Grids of steps at which records are kept."""

from __future__ import annotations

import pytest

from dlnrepro.dynamics.tensors.records import even_grid


@pytest.mark.parametrize(
    ("steps", "points", "grid"),
    [(10, 3, [0, 5, 10]), (10, 4, [0, 3, 7, 10]), (2, 150, [0, 1, 2]), (0, 5, [0])],
    ids=["evenly", "rounded", "every step", "no step"],
)
def test_an_even_grid_has_both_ends_and_distinct_steps(steps: int, points: int, grid: list[int]) -> None:
    assert even_grid(steps, points).tolist() == grid
