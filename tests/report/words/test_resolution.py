"""Where theory's curve runs below what float64 can show, a sentence says so; nothing else is explained away."""

from __future__ import annotations

import pytest

from dlnrepro.archive.figure_data import Drawing, Line
from dlnrepro.report.words.resolution import resolution


def falling(computed: list[float | None], theory: list[float | None], scale: str = "semilogy") -> Drawing:
    """A figure of one arm with theory's curve."""
    places: list[float | None] = [0.0, 1.0, 2.0]
    line = Line("near", "height", places, computed, computed, computed)
    return Drawing(
        "Height", "step", ["height"], scale, None, None, [line], [Line("near", "law", places, theory, [], [])]
    )


def test_theory_far_below_rounding_errors_is_explained() -> None:
    assert resolution(falling([1.0, 1e-9, 1.2e-14], [1.0, 1e-9, 2e-30])) == (
        "The computed curves level off near 1e-14. Numbers in float64 have rounding errors of about 1e-16 of the "
        "largest number in a sum, so smaller distances cannot be computed. The curves of theory go on, down to 2e-30. "
        "Below that floor, the difference between the curves is rounding and not a disagreement."
    )


@pytest.mark.parametrize(
    "drawing",
    [
        falling([1.0, 1e-9, 1e-14], [1.0, 1e-9, 1e-14]),
        falling([1.0, 1e-3, 1e-6], [1.0, 1e-9, 1e-30]),
        falling([1.0, 1e-9, 1e-14], [1.0, 1e-9, 1e-30], "linear"),
        falling([None, None, None], [1.0, 1e-9, 1e-30]),
    ],
    ids=["theory ends there too", "a true miss", "no logarithms", "no numbers"],
)
def test_no_other_difference_from_theory_is_explained_away(drawing: Drawing) -> None:
    assert resolution(drawing) is None
