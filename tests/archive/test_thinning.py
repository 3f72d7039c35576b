"""Thinning: few points, spread as the axes show them, and none lost where the curve turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.archive.thinning import kept, seen


def test_an_axis_shows_its_numbers_from_zero_to_one() -> None:
    assert seen(np.array([1.0, 10.0, 100.0]), True).tolist() == [0.0, 0.5, 1.0]
    assert seen(np.array([2.0, 3.0, 4.0]), False).tolist() == [0.0, 0.5, 1.0]
    assert np.isnan(seen(np.array([0.0, -1.0, np.nan, np.inf]), True)).all()


def test_a_short_curve_keeps_every_point_that_its_axis_can_show() -> None:
    positions = np.array([0.0, 1.0, 2.0, np.nan])
    assert kept(positions, [positions], (False, False), 8).tolist() == [0, 1, 2]
    assert kept(positions, [positions], (True, False), 8).tolist() == [1, 2]


def test_a_logarithmic_axis_keeps_as_many_points_in_every_decade() -> None:
    positions = np.arange(1.0, 100_001.0)
    chosen = positions[kept(positions, [positions], (True, True), 40)]
    decades = np.histogram(np.log10(chosen), bins=5)[0]
    assert len(chosen) <= 40
    assert decades.min() >= 2


def test_the_lines_between_the_points_that_are_kept_follow_a_staircase() -> None:
    positions = np.linspace(0.0, 1.0, 5000)
    stairs = np.floor(positions * 7)
    chosen = kept(positions, [stairs], (False, False), 56)
    drawn = np.interp(positions, positions[chosen], stairs[chosen])
    assert np.mean(np.abs(drawn - stairs) > 0.05) < 0.01


@given(
    points=st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), min_size=1, max_size=60),
    logarithmic=st.tuples(st.booleans(), st.booleans()),
)
def test_any_curve_is_thinned_to_points_of_its_own_in_their_order(
    points: list[tuple[float, float]], logarithmic: tuple[bool, bool]
) -> None:
    positions, curve = (np.array(column) for column in zip(*points, strict=True))
    chosen = kept(positions, [curve, -curve], logarithmic, 8)
    assert len(chosen) <= 8
    assert (np.diff(chosen) > 0).all()
    assert np.isfinite(positions[chosen]).all()


def test_points_at_one_place_do_not_keep_it_busy() -> None:
    positions = np.repeat([1.0, 2.0], 50)
    chosen = kept(positions, [np.arange(100.0)], (False, False), 8)
    assert 2 <= len(chosen) <= 8


@pytest.mark.parametrize("curve", [np.full(100, np.nan), np.zeros(100), -np.ones(100)])
def test_a_curve_that_its_axis_cannot_show_is_also_thinned(curve: np.ndarray) -> None:
    assert 2 <= len(kept(np.arange(1.0, 101.0), [curve], (True, True), 8)) <= 8
