"""Where the verdict of a claim changes along one swept parameter, found by halving the distance of two neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dlnrepro.session.sweeps.axes import Axis, rounded
from dlnrepro.session.sweeps.points import Point


@dataclass(frozen=True)
class Change:
    """Two neighbouring values of a parameter with different verdicts.

    Attributes:
        before, after: the values, in the order of the axis.
        verdicts: the verdict at each.
    """

    before: float
    after: float
    verdicts: tuple[str, str]

    @property
    def middle(self) -> float:
        """The mean of the two values."""
        return (self.before + self.after) / 2

    @property
    def half_width(self) -> float:
        """How far the boundary can be from the middle."""
        return abs(self.after - self.before) / 2

    def has(self, value: float) -> bool:
        """Whether a value lies between the two."""
        return min(self.before, self.after) <= value <= max(self.before, self.after)


def changes(points: Sequence[Point]) -> list[Change]:
    """The changes between reproduced and another verdict, along the points of one axis in their order."""
    judged = [point for point in points if point.record is not None]
    return [
        Change(one.values[0], other.values[0], (one.verdict, other.verdict))
        for one, other in pairwise(judged)
        if (one.verdict == "reproduced") != (other.verdict == "reproduced")
    ]


def between(axis: Axis, change: Change) -> list[float]:
    """The value half way between the two of a change, and a whole number next to it, in the order to try them."""
    half = math.sqrt(change.before * change.after) if axis.logarithmic else change.middle
    return [value for value in (rounded(half), round(half)) if value not in (change.before, change.after)]
