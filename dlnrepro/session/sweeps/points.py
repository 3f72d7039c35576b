"""The points of a sweep: the settings of each, how a claim came out there, and what was measured."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.claimfile.parameters import numbers
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import UsageError
from dlnrepro.session.execution import Job
from dlnrepro.session.run import jobs_of
from dlnrepro.session.sweeps.axes import Axis

Values = tuple[Any, ...]
"""The value of each axis at a point."""


@dataclass(frozen=True)
class Point:
    """One point of a sweep.

    Attributes:
        values: the value of each axis.
        settings: the settings of the first arm that are numbers or lists of numbers.
        record: the claim at these settings; None if it has not been judged.
        refused: why the claim cannot be run at these settings; empty if it can.
    """

    values: Values
    settings: Mapping[str, Any] = field(default_factory=dict)
    record: ClaimRecord | None = None
    refused: str = ""

    @property
    def verdict(self) -> str:
        """The verdict, or `refused` for settings at which the claim cannot be run, or `not run`."""
        return "refused" if self.refused else "not run" if self.record is None else self.record.verdict

    def worst(self, criterion: str) -> float:
        """The measure of the run that lies furthest outside a criterion's interval, or nearest to its bound, or NaN."""
        tests = () if self.record is None else (*self.record.criteria, *self.record.assumptions)
        found = [test.worst for test in tests if test.id == criterion]
        return math.nan if not found or found[0] is None else found[0]


class Grid:
    """The points of a sweep of one claim.

    Attributes:
        axes: its parameters.
        points: the points by the values of the axes.
        jobs: what must be run for them.
        halvings: how often the distances between neighbours with different verdicts have been halved.
    """

    def __init__(self, claim: Claim, path: Path, variation: Variation, axes: Sequence[Axis]) -> None:
        """Plan all points; nothing is trained yet.

        Args:
            claim: the claim.
            path: its file.
            variation: how it is run at every point, but for the swept parameters.
            axes: the swept parameters.

        Raises:
            UsageError: the claim can be run at no point.
        """
        self._claim, self._path, self._variation = claim, path, variation
        self.axes = tuple(axes)
        self.points: dict[Values, Point] = {}
        self.halvings = 0
        self._places: dict[tuple[str, str], Values] = {}
        self.jobs = self.added(itertools.product(*(axis.values for axis in axes)))
        if not self.jobs:
            raise UsageError(next(point.refused for point in self.points.values()))

    def added(self, places: Any) -> list[Job]:
        """The jobs of further points; a point at which the claim cannot be run is kept with the reason."""
        jobs = []
        for values in places:
            changed = dict(zip((axis.key for axis in self.axes), values, strict=True))
            variation = replace(self._variation, overrides={**self._variation.overrides, **changed})
            try:
                (job,) = jobs_of([(self._claim, self._path)], variation)
            except UsageError as error:
                self.points[values] = Point(values, refused=str(error.args[0]))
                continue
            self.points[values] = Point(values, numbers(job.cells[0].params))
            self._places[job.identity] = values
            jobs.append(job)
        return jobs

    def first_of(self, places: Sequence[Values]) -> list[Job]:
        """The job of the first of some further points at which the claim can be run; none if it can at none of them."""
        for values in places:
            if values in self.points:
                return []
            if jobs := self.added([values]):
                return jobs
            del self.points[values]
        return []

    def judged(self, records: Sequence[ClaimRecord]) -> None:
        """Keep the records of points that have been judged."""
        for record in records:
            if (values := self._places.get(record.identity)) is not None:
                self.points[values] = replace(self.points[values], record=record)

    def in_order(self) -> list[Point]:
        """All points, in the order of the axes; values that a search has added stand at their places."""
        orders = [_order(axis, [values[place] for values in self.points]) for place, axis in enumerate(self.axes)]

        def place(point: Point) -> list[int]:
            return [order[str(value)] for order, value in zip(orders, point.values, strict=True)]

        return sorted(self.points.values(), key=place)


def _order(axis: Axis, values: Sequence[Any]) -> Mapping[str, int]:
    """The place of each value on an axis: numbers by their size, in the direction of the axis, and words as given."""
    if axis.numeric:
        ordered = sorted(set(values), reverse=axis.values[0] > axis.values[-1])
    else:
        ordered = list(dict.fromkeys(values))
    return {str(value): place for place, value in enumerate(ordered)}
