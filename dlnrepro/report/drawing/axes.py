"""Axes as every figure has them: few ticks, plain numbers as labels, and a thin grid."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from dlnrepro.report.drawing.canvas import WIDTH
from dlnrepro.report.drawing.colours import COLOURS
from dlnrepro.report.words.numbers import number
from dlnrepro.report.words.typeset import power_of_ten

Span = tuple[float, float]
TICKS = 6
_FAR = 1e280  # for larger numbers, a margin would be too large for a double


class Sheet:
    """The whole figure, for titles, labels and legends, in points from its lower left corner."""

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        self._height = figure.get_figheight() * 72

    def text(self, left: float, bottom: float, words: str, **look: Any) -> None:
        """Write words."""
        self._figure.text(left / WIDTH, bottom / self._height, words, **look)

    def sample(self, left: float, width: float, bottom: float, **look: Any) -> None:
        """Draw a short line, with its mark in the middle."""
        places = [(left + part * width) / WIDTH for part in (0.0, 0.5, 1.0)]
        transform = self._figure.transFigure
        self._figure.add_artist(Line2D(places, [bottom / self._height] * 3, markevery=[1], transform=transform, **look))


def panel(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes for data, in points from the lower left corner, without a background, so that the page shows through."""
    whole = figure.get_figheight() * 72
    axes = figure.add_axes((left / WIDTH, bottom / whole, width / WIDTH, height / whole))
    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    return axes


def span(values: Iterable[float | None], logarithmic: bool, margin: float = 0.04) -> Span | None:
    """The least and greatest number that an axis shows, with a margin; None if there is nothing to show."""
    known = [value for value in values if value is not None and math.isfinite(value) and (value > 0 or not logarithmic)]
    if not known:
        return None
    low, high = (min(max(bound, -_FAR), _FAR) for bound in (min(known), max(known)))
    if logarithmic:
        low, high = max(low, 1 / _FAR), max(high, 1 / _FAR)
        low, high = math.log10(low), math.log10(high)
    room = (high - low) * margin if high > low else max(abs(low) * 0.05, 0.05)
    return (10 ** (low - room), 10 ** (high + room)) if logarithmic else (low - room, high + room)


def dress(axes: Axes, side: Literal["x", "y"], extent: Span, logarithmic: bool, zero: bool = False) -> None:
    """Set the scale, ticks and grid of one axis.

    Args:
        axes: the axes to which the axis belongs.
        side: x or y.
        extent: the least and the greatest number to show.
        logarithmic: whether the scale is logarithmic.
        zero: whether the lower end of a logarithmic axis stands for zero.
    """
    axis = axes.xaxis if side == "x" else axes.yaxis
    if logarithmic:
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
    (axes.set_xlim if side == "x" else axes.set_ylim)(*extent)
    places = decades((extent[0] * 30, extent[1]) if zero else extent) if logarithmic else []
    if len(places) < 2:
        places = [float(place) for place in MaxNLocator(TICKS - 1, steps=[1, 2, 2.5, 5, 10]).tick_values(*extent)]
        places = [place for place in places if extent[0] <= place <= extent[1] and (place > 0 or not logarithmic)]
        words = [number(0.0 if abs(place) < 1e-9 * max(map(abs, extent)) else place) for place in places]
    else:
        fine = any(power_of_ten(place)[:2] != "10" and not -2 <= math.log10(place) <= 2 for place in places)
        words = [number(place) if fine else power_of_ten(place) for place in places]
    if zero:
        places, words = [extent[0], *places], ["0", *words]
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FixedFormatter([word.replace("-", "−") for word in words]))
    axis.set_minor_locator(FixedLocator([]))
    axis.grid(True, color=COLOURS["grid"], linewidth=0.6)


def decades(extent: Span) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten, some left out if there are many, or 1, 2, 5 if there are few."""
    low, high = math.log10(extent[0]), math.log10(extent[1])
    whole = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    if len(whole) >= 3:
        step = math.ceil(len(whole) / TICKS)
        return [10.0**exponent for exponent in whole if exponent % step == 0]
    for units in ((1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)):
        fine = [unit * 10.0**exponent for exponent in range(math.floor(low), math.ceil(high)) for unit in units]
        if len(found := [place for place in fine if extent[0] <= place <= extent[1]]) >= 3:
            return found
    return []
