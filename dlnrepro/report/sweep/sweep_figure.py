"""The figure of a sweep: a criterion's measure against one parameter, or a map of two, with theory's boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dlnrepro.report.drawing.axes import Sheet, dress, panel, span
from dlnrepro.report.drawing.canvas import TEXT, WIDTH, drawn_file
from dlnrepro.report.drawing.colours import COLOURS
from dlnrepro.report.sweep.swept import MARKS, Swept
from dlnrepro.settings.numerals import setting

SUFFIXES = (".png", ".svg", ".pdf")

COLOURS_OF = {
    "reproduced": COLOURS["tested-3"],
    "not reproduced": COLOURS["tested-2"],
    "inconclusive": "#e6c35c",
    "error": COLOURS["ink"],
    "refused": COLOURS["grid"],
    "not run": "#ffffff",
}
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 280.0, 52.0, 12.0, 34.0, 74.0
_FAR_APART = 100
"""A measure whose largest value is this many times its smallest one is drawn on a logarithmic scale."""


def sweep_figure(swept: Swept, suffix: str) -> bytes:
    """The content of a file with the figure of a sweep.

    Args:
        swept: the sweep.
        suffix: the format: `.png`, `.svg` or `.pdf`.
    """

    def draw(page: Figure) -> None:
        sheet = Sheet(page)
        sheet.text(6, _HEIGHT - 14, swept.claim, fontweight="bold")
        shown = f"worst run of {swept.measured}" if swept.measured else "verdict"
        sheet.text(6, _HEIGHT - 26, shown, color=COLOURS["muted"])
        axes = panel(page, _LEFT, _BOTTOM, WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM)
        (_curve if len(swept.axes) == 1 else _map)(page, axes, swept)
        sheet.text((_LEFT + WIDTH - _RIGHT) / 2, _BOTTOM - 30, swept.axes[0].key, ha="center", color=COLOURS["muted"])
        _legend(page, swept)

    return drawn_file(suffix, _HEIGHT, draw)


def _places(swept: Swept, axis: int) -> tuple[list[float], bool]:
    """Where the values of an axis stand, and whether its scale is logarithmic; words stand side by side."""
    values = swept.values(axis)
    if swept.axes[axis].numeric:
        return [float(value) for value in values], swept.axes[axis].logarithmic
    return [float(place) for place in range(len(values))], False


def _axis(axes: Axes, side: Any, swept: Swept, axis: int, places: Sequence[float], logarithmic: bool) -> None:
    extent = span(places, logarithmic, 0.06)
    assert extent is not None
    dress(axes, side, extent, logarithmic)
    if not swept.axes[axis].numeric:
        ticks = axes.set_xticks if side == "x" else axes.set_yticks
        ticks(list(places), [setting(value) for value in swept.values(axis)])


def _curve(page: Figure, axes: Axes, swept: Swept) -> None:  # noqa: ARG001  the same arguments as for a map
    """The worst measure, or the verdicts alone, against one parameter."""
    places, logarithmic = _places(swept, 0)
    worst = [point.worst(swept.measured) if swept.measured else 0.0 for point in swept.points]
    finite = [value for value in worst if math.isfinite(value)]
    log = bool(finite) and min(finite) > 0 and max(finite) > _FAR_APART * min(finite)
    _axis(axes, "x", swept, 0, places, logarithmic)
    if swept.measured and (extent := span([*finite, *swept.bounds], log, 0.08)) is not None:
        dress(axes, "y", extent, log)
        axes.plot(places, worst, color=COLOURS["muted"], linewidth=0.8, zorder=1)
    else:
        axes.set_ylim(-1, 1)
        axes.set_yticks([])
    for place, value, point in zip(places, worst, swept.points, strict=True):
        if math.isfinite(value):
            axes.plot([place], [value], "o", color=COLOURS_OF[point.verdict], markersize=5, zorder=2)
        else:  # without a number, at the lower edge
            edge = axes.get_xaxis_transform()
            axes.plot([place], [0.02], "|", color=COLOURS_OF[point.verdict], markersize=7, zorder=2, transform=edge)
    for change in swept.changes:
        axes.axvspan(*sorted((change.before, change.after)), color=COLOURS["inside"], zorder=0)
    for bound in swept.bounds:
        axes.axhline(bound, color=COLOURS["muted"], linestyle=":", linewidth=1)
    for value in swept.expected:
        axes.axvline(value, color=COLOURS["ink"], linestyle="--", linewidth=1)


def _map(page: Figure, axes: Axes, swept: Swept) -> None:
    """The verdicts, or the worst measures, over two parameters."""
    (across, log_x), (upwards, log_y) = _places(swept, 0), _places(swept, 1)
    by_place = {point.values: point for point in swept.points}
    grid = [[by_place.get((x, y)) for x in swept.values(0)] for y in swept.values(1)]
    _axis(axes, "x", swept, 0, across, log_x)
    _axis(axes, "y", swept, 1, upwards, log_y)
    axes.grid(False)
    words = list(MARKS)
    if not swept.measured:
        codes = [[words.index("not run" if point is None else point.verdict) for point in row] for row in grid]
        colours = ListedColormap([COLOURS_OF[word] for word in words])
        axes.pcolormesh(across, upwards, codes, shading="nearest", cmap=colours, vmin=-0.5, vmax=len(words) - 0.5)
    else:
        worst = np.array([[math.nan if p is None else p.worst(swept.measured) for p in row] for row in grid])
        finite = worst[np.isfinite(worst)]
        log = finite.size > 0 and finite.min() > 0 and finite.max() > _FAR_APART * finite.min()
        drawn = axes.pcolormesh(
            across, upwards, worst, shading="nearest", cmap="viridis", norm=LogNorm() if log else None
        )
        if finite.size and finite.min() < finite.max() and min(worst.shape) > 1:
            axes.contour(across, upwards, worst, levels=6 if not log else None, colors="white", linewidths=0.5)
        page.colorbar(drawn, ax=axes, fraction=0.05, pad=0.02)
    if swept.expected:
        axes.plot(across, swept.expected, color=COLOURS["ink"], linestyle="--", linewidth=1.2)
    sheet = Sheet(page)
    sheet.text(6, _HEIGHT - _TOP - 8, swept.axes[1].key, color=COLOURS["muted"], rotation=90, va="top")


def _legend(page: Figure, swept: Swept) -> None:
    """The colours of the verdicts that occur, and theory's line."""
    found = dict.fromkeys(point.verdict for point in swept.points)
    entries: list[Any] = []
    if not swept.measured or len(swept.axes) == 1:
        entries = [Patch(color=COLOURS_OF[word], label=word) for word in MARKS if word in found]
    if swept.expected:
        (line,) = page.axes[0].plot([], [], color=COLOURS["ink"], linestyle="--", linewidth=1)
        line.set_label(f"theory: {swept.theory}")
        entries.append(line)
    if entries:
        page.legend(handles=entries, loc="lower center", ncols=min(len(entries), 3), frameon=False, fontsize=TEXT)
