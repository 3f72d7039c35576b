"""Records: the grids of steps to observe at, and series from records."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.dynamics.tensors.records import decades, even_grid, every, log_grid, stack, thinned


@given(steps=st.integers(0, 10**7), points=st.integers(0, 200))
def test_a_log_grid_has_both_ends_and_at_most_as_many_points_as_asked_or_three(steps: int, points: int) -> None:
    grid = log_grid(steps, points)
    assert grid[0] == 0
    assert grid[-1] == steps
    assert grid == sorted(set(grid))
    assert len(grid) <= max(points, 3)


def test_a_log_grid_of_few_steps_has_them_all_and_of_many_rises_by_a_factor() -> None:
    assert log_grid(5, 100) == [0, 1, 2, 3, 4, 5]
    assert log_grid(1000, 5) == [0, 1, 10, 100, 1000]


@pytest.mark.parametrize(
    ("steps", "points", "grid"),
    [(10, 3, [0, 5, 10]), (10, 4, [0, 3, 7, 10]), (2, 150, [0, 1, 2]), (0, 5, [0])],
    ids=["evenly", "rounded", "every step", "no step"],
)
def test_an_even_grid_has_both_ends_and_distinct_steps(steps: int, points: int, grid: list[int]) -> None:
    assert even_grid(steps, points).tolist() == grid


def test_decades_of_times_are_powers_of_ten_and_end_exactly_at_the_last_time() -> None:
    times = decades(0.3, 2, 3)

    torch.testing.assert_close(times, torch.tensor([0.003, 0.03, 0.3], dtype=torch.float64), rtol=1e-14, atol=0)
    assert float(times[-1]) == 0.3


def test_every_third_step_includes_the_last_one_once() -> None:
    assert every(3, 7) == [0, 3, 6, 7]
    assert every(3, 6) == [0, 3, 6]


def test_thinned_records_keep_the_first_and_the_last() -> None:
    values = torch.arange(12).reshape(2, 6)

    assert thinned(values, 2).tolist() == [[0, 2, 4, 5], [6, 8, 10, 11]]
    assert thinned(values[:, :5], 2).tolist() == [[0, 2, 4], [6, 8, 10]]


def test_records_stack_into_series_with_time_last() -> None:
    records = [{"a": torch.tensor([float(step), -1.0])} for step in range(3)]
    assert stack(records)["a"].tolist() == [[0.0, 1.0, 2.0], [-1.0, -1.0, -1.0]]
