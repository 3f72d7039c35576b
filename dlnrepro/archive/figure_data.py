"""The data of a claim's figures: every series of every arm as a line that can be drawn without the cells.

A line is the median over runs and their range, at no more than 48 points, in six digits. This is enough for any page
and small enough for the record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from dlnrepro.claimfile.schema import Claim, Figure

POINTS = 48

Values = list[float | None]
"""A number at each point of a line; None at points where no run has a number."""


@dataclass(frozen=True)
class Line:
    """One series of one arm.

    Attributes:
        positions: the median over runs of the figure's x.
        median: the median of the finite runs.
        low: the smallest of the finite runs; empty for theory's curve.
        high: the largest of the finite runs; empty for theory's curve.
    """

    arm: str
    series: str
    positions: Values
    median: Values
    low: Values
    high: Values

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together; a record from another program may have them."""
        lengths = {len(self.positions), len(self.median), *(len(part) for part in (self.low, self.high) if part)}
        if len(lengths) > 1:
            raise ValueError(f"expected a line's parts to have as many points, found {sorted(lengths)}")


@dataclass(frozen=True)
class Drawing:
    """The data of one figure, and how its axes are drawn.

    Attributes:
        y: the series that are shown, in the claim's order.
        scale: linear, semilogx, semilogy or loglog.
        slope: the slope of a guide line on logarithmic axes.
        level: the height of a horizontal line.
        lines: arm by arm, each y in turn.
        references: theory's curve in each arm.
    """

    title: str
    x: str
    y: list[str]
    scale: str
    slope: float | None
    level: float | None
    lines: list[Line]
    references: list[Line]

    def __post_init__(self) -> None:
        """Refuse lines of series that the figure does not show."""
        if strange := {line.series for line in self.lines} - set(self.y):
            raise ValueError(f"expected lines of {', '.join(self.y)}, found {', '.join(sorted(strange))}")

    @property
    def logarithmic(self) -> tuple[bool, bool]:
        """Whether the horizontal and the vertical axis are logarithmic."""
        return self.scale in {"semilogx", "loglog"}, self.scale in {"semilogy", "loglog"}


def drawings(claim: Claim, series: Mapping[str, Mapping[str, np.ndarray]]) -> list[Drawing]:
    """The data of a claim's figures, in the file's order.

    Args:
        claim: the claim that declares the figures.
        series: arm -> name -> array of shape (runs, points); an arm without series is left out.
    """
    return [_drawing(figure, series) for figure in claim.figures]


def point_of(drawn: Iterable[Drawing], arm: str, series: str, at: float) -> tuple[float, float, float] | None:
    """The smallest run, the median and the largest run of a series at a point of its axis.

    None if no figure shows the series in this arm at this point, of which positions have six digits.
    """
    for line in (line for drawing in drawn for line in drawing.lines if (line.arm, line.series) == (arm, series)):
        if not line.low or not line.high:
            continue
        for place, low, middle, high in zip(line.positions, line.low, line.median, line.high, strict=True):
            if place is None or low is None or middle is None or high is None:
                continue
            if math.isclose(place, at, rel_tol=1e-5):
                return low, middle, high
    return None


def _drawing(figure: Figure, series: Mapping[str, Mapping[str, np.ndarray]]) -> Drawing:
    """The data of one figure."""
    lines: list[Line] = []
    references: list[Line] = []
    drawn = Drawing(figure.title, figure.x, list(figure.y), figure.scale, figure.slope, figure.level, lines, references)
    for arm in figure.arms:
        found = series.get(arm, {})
        y = [name for name in figure.y if name in found]
        if not y or figure.x not in found:
            continue
        points = _points(drawn, found, y)
        lines += [_line(arm, name, found[figure.x], found[name], points) for name in y]
        if figure.reference is not None and figure.reference in found:
            whole = _line(arm, figure.reference, found[figure.x], found[figure.reference], points)
            references.append(Line(arm, whole.series, whole.positions, whole.median, [], []))
    return drawn


def _points(drawn: Drawing, found: Mapping[str, np.ndarray], y: list[str]) -> np.ndarray:
    """The points of an arm that are kept: the same ones for all its lines."""
    from dlnrepro.archive.thinning import kept

    return kept(_median(found[drawn.x]), [_median(found[name]) for name in y], drawn.logarithmic, POINTS)


def _line(arm: str, name: str, x: np.ndarray, rows: np.ndarray, points: np.ndarray) -> Line:
    """A series (runs, points) as a line."""
    import numpy as np

    some = rows[:, points]
    usable = np.isfinite(some)
    there = usable.any(axis=0)
    low = np.where(there, np.where(usable, some, np.inf).min(axis=0), np.nan)
    high = np.where(there, np.where(usable, some, -np.inf).max(axis=0), np.nan)
    middle = _median(some)
    return Line(arm, name, _values(_median(x)[points]), _values(middle), _values(low), _values(high))


def _median(rows: np.ndarray) -> np.ndarray:
    """The median over the finite runs at each point; NaN at points without a finite run."""
    import numpy as np

    # All points at once where that gives the same: a list of columns takes a hundred times as long.
    if len(rows) and np.isfinite(rows).all():
        return np.asarray(np.median(rows, axis=0))
    columns = (column[np.isfinite(column)] for column in rows.T)
    return np.array([np.median(column) if len(column) else np.nan for column in columns])


def _values(numbers: np.ndarray) -> Values:
    """Numbers in six digits, with None in place of NaN and infinity."""
    import numpy as np

    return [float(f"{number:.6g}") if np.isfinite(number) else None for number in numbers]
