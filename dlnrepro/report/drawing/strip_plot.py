"""The strip plot of a criterion: every run of each arm and control as a point, against the interval that decides.

The interval is shaded. Points of tested arms are full and coloured, points of controls are hollow and grey. For a
good criterion, all full points lie in the shade and all hollow points outside. A run on the wrong side is a cross.

If the runs have different thresholds, because these are formulas, each run is drawn relative to its own threshold
(`dlnrepro.verdict.distances`), and the plot says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlnrepro.claimfile.interval import Interval
from dlnrepro.report.drawing.axes import Sheet, Span, dress, panel, span
from dlnrepro.report.drawing.canvas import TEXT, WIDTH, Picture, picture
from dlnrepro.report.drawing.colours import COLOURS
from dlnrepro.report.words.digest import role
from dlnrepro.report.words.typeset import bound_words, picture_lines, shortened
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.distances import Axis, Unit, distances
from dlnrepro.verdict.judge import Judged

_ROW, _RIGHT, _DECADES = 13.0, 10.0, 1.7
_BOLD, _SMALL = 64, 76
"""The most letters of a line that is bold, and of one that is small."""
_KEY = (
    "One point is one run: full where the criterion must hold, hollow in a control.",
    "The required interval is shaded. A cross marks a run on the wrong side of a threshold.",
)
"""What a plot says about its points if no page explains them."""

_RELATIVE: dict[Unit, str] = {
    "measure": "",
    "threshold": "The thresholds differ between runs. So each value is divided by the size of its own threshold.",
    "tolerance": "The thresholds differ between runs. So each value is drawn as its distance from the middle of its "
    "own interval, divided by half the width of this interval.",
    "distance": "The thresholds differ between runs. So each value is drawn as its distance from its own interval, "
    "which is negative inside.",
}
"""What the horizontal axis of a plot shows, if it does not show the measure itself."""


def strip_plot(meanings: Mapping[str, str], item: Judged, name: str, titled: bool = False) -> Picture:
    """The strip plot of one criterion or assumption.

    Args:
        meanings: the definitions of measures, as far as they are known.
        item: the criterion.
        name: begins every id of the SVG.
        titled: whether the criterion's sentence, and what the points mean, stand in the picture itself.
    """
    checks = [*item.holds_in, *item.fails_in]
    labels = [check.arm for check in item.holds_in] + [f"{role(check)}{check.arm}" for check in item.fails_in]
    labels = [shortened(label, 32) for label in labels]
    left = min(180.0, 12 + max(map(len, labels), default=0) * TEXT * 0.61)
    title = picture_lines(item.says, _BOLD) if titled else []
    axis = _axis(item)
    words = picture_lines(meanings.get(item.measure, item.measure), _SMALL, name=item.measure)
    words += picture_lines(_RELATIVE[axis.unit], _SMALL) if axis is not None and axis.unit != "measure" else []
    foot = 20 + 10.5 * len(words)
    body = _ROW * max(1, len(checks)) + 6
    key = _KEY if titled else ()
    height = foot + body + 16 + 12 * len(title) + 10.5 * len(key)

    def draw(page: Figure) -> None:
        """Draw the titles, a row of points for each arm, and the axis."""
        sheet = Sheet(page)
        for row, text in enumerate(title):
            sheet.text(6, height - 10 - 12 * row, text, fontweight="bold")
        for row, text in enumerate(key):
            sheet.text(6, height - 10 - 12 * len(title) - 10.5 * row, text, fontsize=TEXT - 1, color=COLOURS["muted"])
        for row, text in enumerate(words):
            sheet.text(6, foot - 25 - 10.5 * row, text, fontsize=TEXT - 0.5, color=COLOURS["muted"])
        axes = panel(page, left, foot, WIDTH - left - _RIGHT, body)
        of_checks = [axis.places(item.interval, check) if axis is not None else [] for check in checks]
        _frame(axes, item, axis, [place for places in of_checks for place, _ in places])
        for row, (check, label) in enumerate(zip(checks, labels, strict=True)):
            _runs(axes, of_checks[row], check, row, control=row >= len(item.holds_in))
            place = foot + body - 3 - _ROW * (row + 0.5) - 2.7
            colour = COLOURS["muted" if row >= len(item.holds_in) else "ink"]
            sheet.text(left - 6, place, label, ha="right", color=colour)

    return picture(name, _label(item), height, draw)


def logarithmic(item: Judged) -> bool:
    """Whether the runs of a criterion span decades: then their axis is logarithmic, unless some lie below zero."""
    if (axis := _axis(item)) is None:
        return False
    bounds = axis.interval
    values = [place for check in (*item.holds_in, *item.fails_in) for place, _ in axis.places(item.interval, check)]
    ends = [bound for bound in (bounds.low, bounds.high) if math.isfinite(bound)]
    positive = [value for value in (*values, *ends) if value > 0]
    if not positive or any(value < 0 for value in (*values, *ends)):
        return False
    return math.log10(max(positive) / min(positive)) > _DECADES


def _axis(item: Judged) -> Axis | None:
    """The axis on which all runs of a criterion can be compared; None if no run has an interval."""
    return distances(item.interval, item.holds_in, item.fails_in).axis


def _frame(axes: Axes, item: Judged, axis: Axis | None, values: list[float]) -> None:
    """Draw the axis, the interval and its bounds."""
    bounds = axis.interval if axis is not None else None
    tall = logarithmic(item)
    ends = [] if bounds is None else [bound for bound in (bounds.low, bounds.high) if math.isfinite(bound)]
    extent = span([*values, *ends], tall, 0.05) or (0.0, 1.0)
    zero = tall and any(value == 0 for value in values)
    if zero:
        # Zero has no place on a logarithmic axis: it is drawn at the left end, a decade below all other values.
        extent = extent[0] / 30, extent[1]
    dress(axes, "x", extent, tall, zero)
    axes.set_ylim(-_ROW * max(1, len(item.holds_in) + len(item.fails_in)) - 3, 3)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    if bounds is not None:
        _shade(axes, bounds, extent, bound_words(item.interval_text))
    if not values:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color=COLOURS["muted"])


def _shade(axes: Axes, bounds: Interval, extent: Span, words: str) -> None:
    """Shade the interval, draw its bounds, and write them above."""
    low, high = max(bounds.low, extent[0]), min(bounds.high, extent[1])
    axes.axvspan(low, high, color=COLOURS["inside"], linewidth=0, zorder=0.5)
    for bound in (bounds.low, bounds.high):
        if math.isfinite(bound):
            axes.axvline(bound, color=COLOURS["ink"], linewidth=0.9, zorder=3)
    ends = [float(axes.transLimits.transform(axes.transScale.transform((bound, 0)))[0]) for bound in (low, high)]
    # Above the middle of the shade, but inside the ends of the axis; the page has a long formula in full.
    width = axes.get_position().width * WIDTH
    words = shortened(words, int(width / (TEXT * 0.6)))
    half = len(words) * TEXT * 0.3 / width
    middle = min(max(sum(ends) / 2, half), 1 - half)
    axes.text(middle, 1, words, transform=axes.transAxes, ha="center", va="bottom", fontweight="bold")


def _runs(axes: Axes, runs: list[tuple[float, bool]], check: Check, row: int, control: bool) -> None:
    """Draw the runs of one arm in its row, spread a little up and down so that equal values do not cover each other."""
    # Steps of the golden ratio: neighbours in the list never lie side by side.
    heights = [-_ROW * (row + 0.5) + (index * 0.618034 % 1 - 0.5) * _ROW * 0.55 for index in range(len(runs))]
    colour = COLOURS["control-1" if control else "tested-1"]
    hollow = {"marker": "D", "markersize": 3.2, "markerfacecolor": "none", "markeredgewidth": 0.9}
    full = {"marker": "o", "markersize": 3.8, "markerfacecolor": colour, "markeredgewidth": 0.0, "alpha": 0.75}
    right: dict[str, Any] = {"markeredgecolor": colour, "zorder": 4, **(hollow if control else full)}
    wrong: dict[str, Any] = {
        "markeredgecolor": COLOURS["tested-2"],
        "zorder": 5,
        "marker": "X",
        "markersize": 5,
        "markeredgewidth": 0.7,
    }
    wrong["markerfacecolor"] = "none" if control else COLOURS["tested-2"]
    zero = axes.get_xlim()[0] if axes.get_xscale() == "log" else 0.0
    for look, as_it_should in ((right, True), (wrong, False)):
        some = [
            (place or zero, height)
            for (place, inside), height in zip(runs, heights, strict=True)
            if (inside != control) == as_it_should
        ]
        if some:
            axes.plot(*zip(*some, strict=True), linestyle="none", clip_on=False, **look)
    if check.undecided:
        axes.text(
            1.0,
            -_ROW * (row + 0.5) - 2.7,
            f"{check.undecided} undecided",
            ha="right",
            fontsize=TEXT - 1.5,
            transform=axes.get_yaxis_transform(),
            color=COLOURS["muted"],
            zorder=5,
        )


def _label(item: Judged) -> str:
    """What a strip plot shows, in a sentence."""
    arms = "; ".join(f"{check.arm} {check.inside} of {len(check.seeds)} inside" for check in item.holds_in)
    controls = "; ".join(f"{check.arm} {check.inside} of {len(check.seeds)} inside" for check in item.fails_in)
    after = f"; controls: {controls}" if controls else ""
    return f"Runs of {item.measure} against {item.interval_text}: {arms}{after}."
