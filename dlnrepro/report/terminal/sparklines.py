"""A figure in a few lines of text: a caption, a curve of blocks for each arm and its theory, and one arm in numbers.

All curves of a figure have one scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.text import Text

from dlnrepro.archive.figure_data import Drawing, Line, Values
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.numbers import number, sparkline
from dlnrepro.visible import in_a_line


def text_figure(page: TerminalPage, drawing: Drawing, meanings: Mapping[str, str] | None = None) -> None:
    """The figure's first series in every arm, with the curve that theory predicts for this arm below it.

    Args:
        page: what it is laid out on.
        drawing: the figure.
        meanings: the definitions of its series, as far as they are known.
    """
    first = drawing.y[0]
    lines = [line for line in drawing.lines if line.series == first]
    theory = {line.arm: line for line in drawing.references}
    most = 48 if page.width >= 100 else 24 if page.width >= 60 else 12
    places = _places(drawing, lines, most)
    curves: list[tuple[str, Line]] = []
    for line in lines:
        curves.append((line.arm, line))
        if line.arm in theory:
            curves.append((f"theory for {line.arm}", theory[line.arm]))
    scale = [value for _, curve in curves for _, value in _drawn(curve, drawing.logarithmic[0])]
    for name, text in zip((first, drawing.x), _caption(drawing, lines, scale), strict=True):
        meaning = (meanings or {}).get(name)
        page.line((text + (f"; {page.typeset(in_a_line(meaning))}" if meaning else ""), "dim"), indent=4, hang=2)
    rows: list[list[str | Text]] = []
    for name, curve in curves:
        known = [value for _, value in _drawn(curve, drawing.logarithmic[0]) if value is not None]
        ends = f"{number(known[0])} → {number(known[-1])}" if known else "none"
        values = _sampled(curve, places, drawing.logarithmic[0])
        rows.append([name, sparkline(values, drawing.logarithmic[1], scale), ends])
    page.table(rows, indent=4, folds=0)
    shown = next((line for line in lines if len({*line.median} - {None}) > 1), lines[0])
    page.line((f"values in the arm {shown.arm} (median over runs):", "dim"), indent=4, hang=2)
    _numbers(page, drawing, shown, theory.get(shown.arm))


def _caption(drawing: Drawing, lines: list[Line], scale: Values) -> list[str]:
    """What the heights and the horizontal axis show: the quantity, its range and its scale."""
    across, upward = ("logarithmic" if axis else "linear" for axis in drawing.logarithmic)
    positions = [place for line in lines for place in line.positions if _has_place(place, drawing.logarithmic[0])]
    heights = [value for value in scale if _has_place(value, drawing.logarithmic[1])]
    along = f" from {_range(positions)}" if positions else ""
    up = f"from {_range(heights)} ({upward})" if heights else "no numbers"
    return [f"vertical: {drawing.y[0]}, median over runs, {up}", f"horizontal: {drawing.x}{along} ({across})"]


def _range(values: Values) -> str:
    """The least and the greatest of some values."""
    known = [value for value in values if value is not None]
    return f"{number(min(known))} to {number(max(known))}"


def _has_place(value: float | None, logarithmic: bool) -> bool:
    """Whether a value has a place on an axis; a record from elsewhere may hold NaN or infinity."""
    return value is not None and math.isfinite(value) and (value > 0 or not logarithmic)


def _numbers(page: TerminalPage, drawing: Drawing, line: Line, reference: Line | None) -> None:
    """An arm, and its theory, at five points of the horizontal axis; at fewer where there is little room."""
    places = _places(drawing, [line], min(5, max(1, (page.width - 16) // 12)))
    positions = Line(line.arm, drawing.x, line.positions, line.positions, [], [])
    named = [(drawing.x, positions), (line.series, line)] + [("theory", reference)] * (reference is not None)
    table: list[list[str | Text]] = []
    for name, given in named:
        assert given is not None
        table.append([name, *map(number, _sampled(given, places, drawing.logarithmic[0]))])
    if places:
        page.table(table, right=tuple(range(1, len(places) + 1)), indent=4, spaces=2)


def _places(drawing: Drawing, lines: list[Line], count: int) -> list[float]:
    """The places of all points if there are at most `count`; else this number of places, evenly spread."""
    found = {place for line in lines for place in _on_axis(line.positions, drawing.logarithmic[0]) if place is not None}
    known = sorted(found)
    if len(known) <= count:
        return known
    low, high = known[0], known[-1]
    return [low + (high - low) * index / max(1, count - 1) for index in range(count)]


def _sampled(line: Line, places: list[float], logarithmic: bool) -> Values:
    """The values of a line at the points nearest to some places; None outside the line."""
    known = _drawn(line, logarithmic)
    if not known:
        return [None] * len(places)
    beyond = (places[1] - places[0]) / 2 if len(places) > 1 else 0.0
    near = [min(known, key=lambda point: abs(point[0] - place)) for place in places]
    low, high = min(known)[0] - beyond, max(known)[0] + beyond
    return [value if low <= place <= high else None for place, (_, value) in zip(places, near, strict=True)]


def _drawn(line: Line, logarithmic: bool) -> list[tuple[float, float | None]]:
    """The points of a line that have a place on the horizontal axis: the place, and the value."""
    places = _on_axis(line.positions, logarithmic)
    return [(place, value) for place, value in zip(places, line.median, strict=True) if place is not None]


def _on_axis(positions: Values, logarithmic: bool) -> Values:
    """Where positions stand on an axis; None for what has no place on it."""
    if not logarithmic:
        return positions
    return [math.log10(place) if place is not None and place > 0 else None for place in positions]
