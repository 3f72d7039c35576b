"""Reductions along a sweep, by hand."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.fits.sweeps import (
    falling_sweep,
    first_crossings,
    first_position,
    from_here_on,
    largest_from_here_on,
    largest_where,
    lasting_fall,
)

POSITIONS = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
VALUES = torch.tensor([[5.0, 1.0, 2.0, 3.0]], dtype=torch.float64)


def test_a_sweep_falls_by_one_factor_from_its_high_end_to_its_low_end() -> None:
    torch.testing.assert_close(
        falling_sweep(1e-4, 1e-1, 4), torch.tensor([1e-1, 1e-2, 1e-3, 1e-4], dtype=torch.float64)
    )


def test_the_largest_is_taken_where_the_mask_holds() -> None:
    assert largest_where(VALUES, VALUES < 4).tolist() == [3]


def test_the_largest_of_an_empty_mask_is_that_of_the_whole_sweep() -> None:
    assert largest_where(VALUES, VALUES > 9).tolist() == [5]


def test_a_nan_under_the_mask_stays_and_one_outside_it_does_not_matter() -> None:
    values = torch.tensor([[torch.nan, 1.0]], dtype=torch.float64)

    assert torch.isnan(largest_where(values, torch.tensor([[True, True]]))).all()
    assert largest_where(values, torch.tensor([[False, True]])).tolist() == [1]


def test_from_here_on_forgets_what_does_not_last() -> None:
    holds = torch.tensor([[True, False, True, True], [True, True, True, False]])

    assert from_here_on(holds).tolist() == [[False, False, True, True], [False] * 4]


def test_the_largest_from_here_on_is_the_level_below_which_values_stay() -> None:
    values = torch.tensor([[3.0, 1.0, 2.0, 0.5], [1.0, 2.0, 3.0, 4.0]])

    assert largest_from_here_on(values).tolist() == [[3.0, 2.0, 2.0, 0.5], [4.0, 4.0, 4.0, 4.0]]


def test_the_first_position_is_the_last_one_if_there_is_none() -> None:
    assert first_position(VALUES < 4, POSITIONS, VALUES).tolist() == [2]
    assert first_position(VALUES > 9, POSITIONS, VALUES).tolist() == [4]


def test_a_run_that_is_not_finite_has_no_first_position() -> None:
    assert torch.isnan(first_position(VALUES < 4, POSITIONS, VALUES / 0)).all()


def test_a_lasting_fall_is_read_between_positions_and_only_where_it_lasts() -> None:
    positions = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    values = torch.tensor([[[4.0, 1.0, 3.0, 1.0], [1.0, 1.0, 1.0, 1.0], [4.0, 4.0, 4.0, 4.0]]], dtype=torch.float64)

    assert lasting_fall(values, 2.0, positions).tolist() == [[6.0, 1.0, 8.0]]


def test_a_level_is_first_crossed_between_two_points_and_not_again() -> None:
    heights = torch.tensor([0.0, 2.0, 1.0, 3.0], dtype=torch.float64)
    positions = torch.tensor([0.0, 1.0, 2.0, 4.0], dtype=torch.float64)
    levels = torch.tensor([1.0, 1.5, 2.5, 4.0], dtype=torch.float64)

    found = first_crossings(heights, positions, levels)

    assert found[:3].tolist() == [0.5, 0.75, 3.0]
    assert bool(found[3].isnan())
