"""The figures that a claim declares: medians over runs and their range, with theory, guide line and level."""

from __future__ import annotations

import math
from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlnrepro.archive.figure_data import Drawing, Line, Values
from dlnrepro.archive.record import ClaimRecord
from dlnrepro.report.drawing.axes import Sheet, dress, panel, span
from dlnrepro.report.drawing.canvas import TEXT, WIDTH, Picture, picture
from dlnrepro.report.drawing.colours import COLOURS
from dlnrepro.report.drawing.guide_line import draw_guide_line
from dlnrepro.report.drawing.legend import Stroke, legend_height, legends, strokes
from dlnrepro.report.words.typeset import picture_lines

_LEFT, _RIGHT, _BODY, _ROW = 40.0, 10.0, 172.0, 11.0
_LETTERS, _BOLD = 68, 56
"""The most letters of a line of an axis, and of a bold line of the title."""
_KEY = (
    "Each line is the median over the runs of one arm. Its band reaches from the",
    "smallest to the largest run. Controls are grey.",
)
"""What a figure says about its lines if no page explains them."""


def figure(record: ClaimRecord, index: int, name: str, titled: bool = False) -> Picture:
    """One of a claim's figures.

    Args:
        record: the claim.
        index: which figure, from 0.
        name: begins every id of the SVG.
        titled: whether the title, and what the lines mean, stand in the picture itself.
    """
    drawing = record.drawings[index]
    styles = strokes(record, drawing)
    title = picture_lines(drawing.title, _BOLD) if titled else []
    y = [row for series in drawing.y for row in _words(record, series)]
    x = _words(record, drawing.x)
    entries = legends(record, drawing, styles)
    foot = legend_height(entries) + _ROW * len(x) + 22
    key = _KEY if titled else ()
    height = foot + _BODY + _ROW * len(y) + 8 + 13 * len(title) + 12 * len(key)

    def draw(page: Figure) -> None:
        """Draw the titles, all lines and the legend."""
        sheet = Sheet(page)
        for row, words in enumerate(title):
            sheet.text(_LEFT - 34, height - 10 - 13 * row, words, fontsize=TEXT + 1.5, fontweight="bold")
        for row, words in enumerate(key):
            place = height - 9 - 13 * len(title) - 10.5 * row
            sheet.text(_LEFT - 34, place, words, fontsize=TEXT - 1, color=COLOURS["muted"])
        top = height - 9 - 13 * len(title) - 12 * len(key)
        _series_words(sheet, record, drawing, top)
        for row, words in enumerate(x):
            place = foot - 24 - _ROW * row
            sheet.text((_LEFT + WIDTH - _RIGHT) / 2, place, words, ha="center")
        axes = panel(page, _LEFT, foot, WIDTH - _LEFT - _RIGHT, _BODY)
        _curves(axes, drawing, styles)
        for entry in entries:
            entry.draw(sheet)

    return picture(name, _label(drawing), height, draw)


def _words(record: ClaimRecord, series: str) -> list[str]:
    """What an axis shows, in lines: the runner's words for the series."""
    return picture_lines(record.meanings.get(series, series), _LETTERS) or [series]


def _series_words(sheet: Sheet, record: ClaimRecord, drawing: Drawing, top: float) -> None:
    """Write above the vertical axis what it shows; if there are several series, each with a sample of its dashes."""
    several = len(drawing.y) > 1
    for index, series in enumerate(drawing.y):
        for row, words in enumerate(_words(record, series)):
            if several and row == 0:
                look = {"color": COLOURS["muted"], "linewidth": 1.4, "linestyle": Stroke.dash(index)}
                sheet.sample(6, 20, top + 2.5, **look)
            sheet.text(30 if several else 6, top, words)
            top -= _ROW


def _curves(axes: Axes, drawing: Drawing, styles: dict[tuple[str, str], Stroke]) -> None:
    """Draw the lines with their bands, and the curves and levels that they are compared with."""
    wide, tall = drawing.logarithmic
    shown = [value for line in drawing.lines for part in (line.median, line.low, line.high) for value in part]
    x = span((place for line in drawing.lines for place in line.positions), wide, 0.02)
    y = span([*shown, drawing.level], tall)
    if x is None or span(shown, tall) is None or y is None:
        _nothing(axes)
        return
    dress(axes, "x", x, wide)
    dress(axes, "y", y, tall)
    for line in drawing.lines:
        stroke = styles[line.arm, line.series]
        positions, median = _drawn(line.positions, wide), _drawn(line.median, tall)
        low, high = _drawn(line.low, tall), _drawn(line.high, tall)
        axes.fill_between(positions, low, high, color=stroke.colour, alpha=0.14, linewidth=0, zorder=1.5)
        axes.plot(positions, median, zorder=stroke.order, markevery=_marks(axes, positions, stroke), **stroke.look)
        if stroke.control:
            _end(axes, positions, median, stroke)
    grey = {arm for (arm, _), stroke in styles.items() if stroke.control}
    for line in _different(drawing.references):
        positions, median = _drawn(line.positions, wide), _drawn(line.median, tall)
        colour = COLOURS["control-2" if line.arm in grey else "ink"]
        axes.plot(positions, median, color=colour, linewidth=0.9, linestyle=(0, (3, 2)), zorder=8)
    if drawing.level is not None:
        axes.axhline(drawing.level, color=COLOURS["ink"], linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=7)
    if drawing.slope is not None and wide and tall:
        draw_guide_line(axes, drawing)


def _marks(axes: Axes, positions: list[float], stroke: Stroke) -> list[int]:
    """The points that carry a mark: four along the axis, at other places for each arm."""
    ends = axes.get_xlim()
    places = [axes.transLimits.transform(axes.transScale.transform((x, axes.get_ylim()[0])))[0] for x in positions]
    if ends[0] == ends[1] or all(map(math.isnan, places)):
        return []
    wanted = [part / 4 + 0.03 + 0.045 * (stroke.mark % 5) for part in range(4)]
    distance = [[math.inf if math.isnan(place) else abs(place - want) for place in places] for want in wanted]
    return sorted({row.index(min(row)) for row in distance if min(row) < 0.1})


def _end(axes: Axes, positions: list[float], median: list[float], stroke: Stroke) -> None:
    """Draw a mark where a control ends, because some controls end almost where they begin."""
    points = [(x, y) for x, y in zip(positions, median, strict=True) if not math.isnan(x + y)]
    if points:
        x, y = points[-1]
        axes.plot([x], [y], zorder=stroke.order, clip_on=False, **{**stroke.look, "markersize": 4.6})


def _nothing(axes: Axes) -> None:
    """Say that there is nothing to draw."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color=COLOURS["muted"])


def _drawn(values: Values, logarithmic: bool) -> list[float]:
    """Numbers for the canvas; NaN for a number that the axis cannot show."""
    return [value if value is not None and (value > 0 or not logarithmic) else math.nan for value in values]


def _different(lines: Iterable[Line]) -> list[Line]:
    """Theory's curves, each only once, because arms often share a curve."""
    return list({(tuple(line.positions), tuple(line.median)): line for line in lines}.values())


def _label(drawing: Drawing) -> str:
    """What a figure shows, in a sentence."""
    arms = ", ".join(dict.fromkeys(line.arm for line in drawing.lines)) or "no arm"
    theory = ", with theory" if drawing.references else ""
    return f"{drawing.title}: {', '.join(drawing.y)} against {drawing.x} in {arms}{theory}."
