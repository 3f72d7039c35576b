"""Recorded steps and times."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.general.grids import Spacing, recorded_steps, recorded_times


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [
        ("every", list(range(11))),
        ("last", [8, 9, 10]),
        ("linear", [0, 5, 10]),
        ("log", [0, 1, 10]),
    ],
)
def test_the_recorded_steps_of_each_spacing_end_at_the_last_step(spacing: Spacing, expected: list[int]) -> None:
    assert recorded_steps(spacing, 10, 3) == expected


def test_more_points_than_steps_are_every_step() -> None:
    assert [recorded_steps(spacing, 2, 50) for spacing in ("linear", "log", "last")] == [[0, 1, 2]] * 3


def test_the_neighbours_that_a_formula_needs_are_recorded_too() -> None:
    assert recorded_steps("linear", 10, 3, reach=1) == [0, 1, 4, 5, 6, 9, 10]
    assert recorded_steps("last", 10, 3, reach=2) == [8, 9, 10]


def test_the_times_of_a_flow_begin_at_zero_and_end_at_the_last_time() -> None:
    expected = torch.tensor([0.0, 1.0, 10.0, 100.0], dtype=torch.float64)

    torch.testing.assert_close(recorded_times("log", 100.0, 4, 2.0), expected)
    assert recorded_times("linear", 4.0, 3, 1.0).tolist() == [0, 2, 4]
