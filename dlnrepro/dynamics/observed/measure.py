"""A measure as data: a formula of recorded quantities, how it is reduced to one number, and what it is compared with.

A formula is a tree of Python's parser whose parts `dlnrepro.settings.formula` has admitted. Nothing here imports torch.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Reducer = Literal["last", "first", "largest", "smallest", "mean", "median", "first_time", "slope", "limit", "value"]
"""How the points of a window become one number; `value` has no points: it is a formula of other measures."""

OF_POINTS: tuple[Reducer, ...] = ("last", "first", "largest", "smallest", "mean", "median", "limit")
"""The reducers of one formula over a window; what such a measure is compared with is reduced in the same way."""

Comparison = Literal["ratio", "difference", "relative error"]
"""How a number x is compared with a number r: x / r, x - r, or |x - r| / |r|."""

Approach = Literal["exponential", "one over time"]
"""How a quantity approaches its limit c in time t: as c + a exp(-b t), or as c + a / t."""

Interpolation = Literal["linear", "log", "none"]
"""How a crossing between two points is found: by the line through the two distances to the level, by the line through
the two distances between the logarithms, or not at all, so that the crossing is at the second point."""


class Expression(Protocol):
    """A formula that was read."""

    @property
    def text(self) -> str:
        """The formula as it is written."""

    @property
    def tree(self) -> ast.expr:
        """Its parts."""

    @property
    def names(self) -> list[str]:
        """The names in it."""


class Condition(Protocol):
    """An inequality that was read: sides, with a sign between neighbours."""

    @property
    def text(self) -> str:
        """The inequality as it is written."""

    @property
    def sides(self) -> Sequence[Expression]:
        """The formulas on its sides."""

    @property
    def signs(self) -> Sequence[str]:
        """The signs `<`, `<=`, `>` or `>=` between the sides."""

    @property
    def names(self) -> list[str]:
        """The names in it."""


@dataclass(frozen=True)
class Window:
    """The points over which a measure is reduced: all of them, unless something is given.

    Attributes:
        where: an inequality that holds at the points.
        start: the smallest value of the axis.
        end: the largest value of the axis.
        points: the number of points that count at the end of what is left; if it is negative, at the beginning. A run
            that has fewer points has no window.
    """

    where: Condition | None = None
    start: Expression | None = None
    end: Expression | None = None
    points: int | None = None


@dataclass(frozen=True)
class Measure:
    """One number per run.

    Attributes:
        reducer: how it is reduced.
        of: the formula; for `slope` the two formulas y and x; nothing for `first_time`.
        condition: for `first_time` the inequality that must hold.
        window: the points that count.
        reference: what the number is compared with, if it is compared.
        comparison: how it is compared.
        clock: for `first_time` and `limit` the quantity that is the time; the axis of the records if it is None.
        least_points: the smallest number of points of a slope.
        approach: for `limit`, how the limit is approached.
        interpolation: for `first_time`, how the crossing is found.
    """

    reducer: Reducer
    of: tuple[Expression, ...] = ()
    condition: Condition | None = None
    window: Window = field(default_factory=Window)
    reference: Expression | None = None
    comparison: Comparison = "ratio"
    clock: str | None = None
    least_points: int = 3
    approach: Approach = "exponential"
    interpolation: Interpolation = "linear"

    @property
    def expressions(self) -> list[Expression]:
        """Every formula in it, also those of its inequalities."""
        found = [*self.of, *([self.reference] if self.reference is not None else [])]
        for condition in (self.condition, self.window.where):
            found += [] if condition is None else condition.sides
        found += [bound for bound in (self.window.start, self.window.end) if bound is not None]
        return found

    @property
    def names(self) -> list[str]:
        """The names in its formulas, each once."""
        names = [name for item in self.expressions for name in item.names]
        return list(dict.fromkeys([*names, *([self.clock] if self.clock is not None else [])]))
