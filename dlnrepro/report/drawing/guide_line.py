"""The guide line of a figure: a straight line of a given slope on logarithmic axes, where it covers no curve."""

from __future__ import annotations

import math

from matplotlib.axes import Axes

from dlnrepro.archive.figure_data import Drawing, Line, Values
from dlnrepro.report.drawing.colours import COLOURS
from dlnrepro.settings.numerals import numeral

Points = list[tuple[float, float]]


def draw_guide_line(axes: Axes, drawing: Drawing) -> None:
    """Draw the figure's slope next to its first line, with words on the side away from the nearest curve."""
    assert drawing.slope is not None
    parts = [_logarithms(line, part) for line in drawing.lines for part in (line.median, line.low, line.high)]
    curves = [part for part in parts if part]
    if not parts or len(parts[0]) < 2:
        return
    first = parts[0]
    start, end = (first[0][0] + part * (first[-1][0] - first[0][0]) for part in (0.45, 0.8))
    rise = drawing.slope * (end - start)
    low, high = (math.log10(bound) for bound in axes.get_ylim())
    lift = _lift(curves, (start, end), rise, (low, high), _height(first, start))
    if lift is None:
        return
    foot = _height(first, start) + lift
    axes.plot([10**start, 10**end], [10**foot, 10 ** (foot + rise)], color=COLOURS["ink"], linewidth=0.9, zorder=7)
    middle = (start + end) / 2
    nearest = min((foot + rise / 2 - _height(curve, middle) for curve in curves), key=abs)
    right = (nearest > 0) == (rise <= 0)
    axes.annotate(
        f"slope {numeral(drawing.slope)}".replace("-", "−"),
        (10**middle, 10 ** (foot + rise / 2)),
        (4 if right else -4, 3 if nearest > 0 else -9),
        textcoords="offset points",
        ha="left" if right else "right",
        zorder=9,
    )


def _lift(
    curves: list[Points], ends: tuple[float, float], rise: float, extent: tuple[float, float], base: float
) -> float | None:
    """The smallest distance from `base` at which the line touches no curve, or None if it fits nowhere."""
    (start, end), (low, high) = ends, extent
    tall = high - low
    best: tuple[float, float | None] = (-1.0, None)
    for lift in (sign * step / 50 * tall for step in range(4, 30) for sign in (1, -1)):
        line = [(start + part * (end - start), base + lift + part * rise) for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
        room = min(abs(_height(curve, x) - y) for curve in curves for x, y in line) / tall
        inside = all(low + 0.04 * tall < y < high - 0.1 * tall for _, y in line)
        if inside and min(room, 0.1) > best[0]:
            best = min(room, 0.1), lift
    return best[1]


def _logarithms(line: Line, values: Values) -> Points:
    """The points of a line on logarithmic axes, from left to right."""
    pairs = zip(line.positions, values, strict=False)
    return sorted((math.log10(x), math.log10(y)) for x, y in pairs if x and y and x > 0 and y > 0)


def _height(curve: Points, x: float) -> float:
    """The height of a curve at its point nearest to x."""
    return min(curve, key=lambda point: abs(point[0] - x))[1]
