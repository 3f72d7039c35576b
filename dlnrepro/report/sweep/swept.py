"""What a sweep has to show, without numbers of single runs: points, changes of the verdict, and theory's boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlnrepro.errors import UsageError
from dlnrepro.session.sweeps.axes import Axis
from dlnrepro.session.sweeps.boundaries import Change
from dlnrepro.session.sweeps.points import Point
from dlnrepro.settings.formula import Formula, FormulaError, evaluate, formula, misuse
from dlnrepro.settings.numerals import numeral, setting

DIGITS = 4

MARKS = {
    "reproduced": "✓",
    "not reproduced": "✗",
    "inconclusive": "?",
    "error": "!",
    "refused": "·",
    "not run": " ",
}
"""The sign of each verdict in a map."""


@dataclass(frozen=True)
class Swept:
    """A finished sweep.

    Attributes:
        claim: the id of the claim.
        axes: the swept parameters.
        points: in the order of the axes.
        own: the value of each swept parameter in the claim file, or None where the arms have several.
        changes: where the verdict changes; only along a single parameter with numbers.
        theory: where theory expects the change, as a formula of the settings; empty if it was not given.
        expected: the value of that formula for each value of the first of two axes, or a single one.
        criteria: the ids of the criteria and assumptions with numbers.
        measured: the criterion whose measure is drawn; empty for the verdicts.
        labels: how the points differ from the claim file, apart from the swept parameters.
    """

    claim: str
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    own: tuple[Any, ...]
    changes: tuple[Change, ...]
    theory: str
    expected: tuple[float, ...]
    criteria: tuple[str, ...]
    measured: str
    labels: str

    @property
    def bounds(self) -> list[float]:
        """The bounds of the interval of the measure that is drawn, as far as they are the same numbers everywhere."""
        tests = [
            test
            for point in self.points
            if point.record is not None
            for test in point.record.criteria
            if test.id == self.measured
        ]
        found = {bound for test in tests for bound in test.interval.values()}
        return [float(bound) for bound in found if not isinstance(bound, str)] if len(found) < len(tests) else []

    def values(self, axis: int) -> list[Any]:
        """The values along an axis, in order; a search may have added some."""
        return list(dict.fromkeys(point.values[axis] for point in self.points))

    def change_line(self, change: Change) -> str:
        """Where one change of the verdict lies, in a sentence, and how far theory is from it."""
        key, (before, after) = self.axes[0].key, change.verdicts
        low, high = sorted((change.before, change.after))
        text = f"{before} becomes {after} between {key} = {numeral(change.before)} and {numeral(change.after)}"
        for number in self.expected:
            # Theory speaks of one change: the nearest one.
            nearest = min(self.changes, key=lambda other: abs(other.middle - number))
            if math.isfinite(number) and nearest == change:
                apart = max(low - number, number - high, 0.0)
                where = "which lies between them" if not apart else f"which is {numeral(apart, DIGITS)} away from them"
                text += f"; theory expects {self.theory} = {numeral(number, DIGITS)}, {where}"
        return text

    def distance_line(self) -> str:
        """How far the claim's own setting is from the nearest change; empty if that is not known."""
        own = self.own[0]
        if not self.changes or isinstance(own, bool) or not isinstance(own, int | float):
            return ""
        nearest = min(self.changes, key=lambda change: abs(change.middle - own))
        apart = abs(nearest.middle - own)
        key = self.axes[0].key
        doubt = f" ± {numeral(nearest.half_width, DIGITS)}"
        return f"the claim's own {key} = {numeral(own)} is {numeral(apart, DIGITS)}{doubt} away from the nearest change"


def theory_values(text: str, points: Sequence[Point], axes: Sequence[Axis]) -> tuple[float, ...]:
    """The value of a formula of the settings for each value of the first of two axes, or a single one for one axis.

    Raises:
        UsageError: it is not a formula of the settings.
    """
    runnable = [point for point in points if not point.refused]
    if not text:
        return ()
    try:
        known = formula(text)
    except FormulaError as error:
        raise UsageError(f"--theory {text}: {error.fault.wording}") from None
    if (fault := misuse(known, runnable[0].settings)) is not None:
        raise UsageError(f"--theory {text}: {fault.wording}")
    places = dict.fromkeys(point.values[0] if len(axes) > 1 else None for point in points)
    return tuple(_expected(known, runnable, value) for value in places)


def _expected(known: Formula, points: Sequence[Point], value: Any) -> float:
    """The formula at the first point with a value of the first axis, or at the first point; NaN if there is none."""
    found = [point for point in points if value is None or point.values[0] == value]
    return evaluate(known, found[0].settings) if found else math.nan


def place(axes: Sequence[Axis], values: Sequence[Any]) -> str:
    """A point in words, such as `depth=3, step_ratio=1.5`."""
    return ", ".join(f"{axis.key}={setting(value)}" for axis, value in zip(axes, values, strict=True))
