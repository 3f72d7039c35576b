"""What numbers in float64 cannot show in a figure."""

from __future__ import annotations

from collections.abc import Iterable

from dlnrepro.archive.figure_data import Drawing
from dlnrepro.report.words.numbers import number

FLOOR, FAR_BELOW = 1e-12, 1e-2
"""A curve that falls by more than the first factor ends in rounding errors, and theory's curve lies far below."""


def resolution(drawing: Drawing) -> str | None:
    """The reason why theory's curve continues far below the computed curves; None if it does not."""
    floors, least = [], []
    for line in drawing.references if drawing.logarithmic[1] else ():
        computed = _positive(point for found in drawing.lines if found.arm == line.arm for point in found.median)
        theory = _positive(line.median)
        if computed and theory and min(computed) < FLOOR * max(computed) and min(theory) < FAR_BELOW * min(computed):
            floors.append(min(computed))
            least.append(min(theory))
    if not floors:
        return None
    return (
        f"The computed curves level off near {number(float(f'{max(floors):.0e}'))}. Numbers in float64 have rounding "
        "errors of about 1e-16 of the largest number in a sum, so smaller distances cannot be computed. The curves of "
        f"theory go on, down to {number(float(f'{min(least):.0e}'))}. Below that floor, the difference between the "
        "curves is rounding and not a disagreement."
    )


def _positive(values: Iterable[float | None]) -> list[float]:
    """The numbers of a curve that a logarithmic axis can show."""
    return [value for value in values if value is not None and value > 0]
