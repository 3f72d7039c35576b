"""The interval in which a measure must lie: it has one or two bounds, each open or closed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dlnrepro.claimfile.messages import rule
from dlnrepro.settings.formula import Inequality, Sign
from dlnrepro.settings.numerals import numeral


@dataclass(frozen=True)
class Interval:
    """The numbers between two bounds; a missing bound is infinite.

    Attributes:
        low: the lower bound, or -inf.
        high: the upper bound, or inf.
        low_open: whether the lower bound itself is outside.
        high_open: whether the upper bound itself is outside.
        text: the interval as a reader sees it, such as `≤ 1e-5`.
    """

    low: float
    high: float
    low_open: bool
    high_open: bool
    text: str

    @property
    def empty(self) -> bool:
        """Whether no number lies inside."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def contains(self, value: float) -> bool:
        """Whether a number lies inside; NaN never does."""
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def excess(self, value: float) -> float:
        """How far a number lies outside, in units of the measure; inside, minus the distance to the nearer bound."""
        return max(self.low - value, value - self.high)


def interval(
    above: float | None = None,
    below: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    equals: float | None = None,
    within: float | None = None,
) -> Interval:
    """The interval that a claim's keys describe.

    Raises:
        PydanticCustomError: a ValueError, if the keys describe no interval or an empty one. It says what was
            expected and found, and which key is wrong.
    """
    given = {"above": above, "below": below, "at_least": at_least, "at_most": at_most}
    given |= {"equals": equals, "within": within}
    bounds = {name: bound for name, bound in given.items() if bound is not None}
    check_keys(bounds)
    if equals is not None and within is not None:
        if within < 0:
            raise rule("a number of at least 0", numeral(within), "within")
        return Interval(equals - within, equals + within, False, False, stated(bounds))
    low = above if above is not None else at_least if at_least is not None else -math.inf
    high = below if below is not None else at_most if at_most is not None else math.inf
    result = Interval(low, high, above is not None, below is not None, stated(bounds))
    if result.empty:
        raise rule("an interval with numbers in it", f"the empty one {result.text}", list(bounds)[-1])
    return result


def check_keys(keys: Collection[str]) -> None:
    """Refuse keys that together describe no interval, whatever their numbers are.

    Raises:
        PydanticCustomError: it says what was expected and found, and which key is wrong.
    """
    bounds = [key for key in ("above", "below", "at_least", "at_most") if key in keys]
    pair = [key for key in ("equals", "within") if key in keys]
    if pair:
        if len(pair) < 2 or bounds:
            expected = "'equals' together with 'within' and no other bound"
            raise rule(expected, ", ".join([*pair, *bounds]), pair[-1])
        return
    if not bounds:
        raise rule("one or two of above, below, at_least, at_most, or equals with within", "none")
    if len(bounds) > 2 or {"above", "at_least"} <= set(bounds) or {"below", "at_most"} <= set(bounds):
        raise rule("one lower and one upper bound at most", ", ".join(bounds), bounds[-1])


def compared(found: Inequality) -> tuple[str, dict[str, float | str]]:
    """The formula of an inequality that must lie in an interval, and the keys that give the interval.

    This is the formula in the middle of three. Of two it is the one on the left, unless it has no names.
    """
    texts = [side.text for side in found.sides]
    place = 1 if len(texts) == 3 or not found.sides[0].names else 0
    bounds: dict[str, float | str] = {}
    for index, sign in enumerate(found.signs):
        left = index < place
        name = _BOUNDED_BY[sign] if left else _BOUNDED_BY[_MIRRORED[sign]]
        bounds[name] = _plain(texts[index if left else index + 1])
    return texts[place], {key: bounds[key] for key in _SIGNS if key in bounds}


_MIRRORED: dict[Sign, Sign] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_BOUNDED_BY: dict[Sign, str] = {"<": "above", "<=": "at_least", ">": "below", ">=": "at_most"}
"""The key of a number on the left of each sign, for what stands on the right."""


def _plain(text: str) -> float | str:
    """A number, or the text of a formula."""
    try:
        return float(text)
    except ValueError:
        return text


def stated(bounds: Mapping[str, float | str], values: Mapping[str, str] | None = None) -> str:
    """The interval of some keys as a reader sees it, such as `≤ 1e-5` or `1 ± 0.1`.

    Args:
        bounds: key -> a number, or a formula as it is written.
        values: key of a formula -> the words for its values, which follow it in brackets.
    """
    texts = {key: bound if isinstance(bound, str) else _shown(bound) for key, bound in bounds.items()}
    texts |= {key: f"{texts[key]} ({words})" for key, words in (values or {}).items() if key in texts}
    if "equals" in texts:
        return f"{texts['equals']} ± {texts['within']}"
    return " and ".join(f"{sign}{texts[key]}" for key, sign in _SIGNS.items() if key in texts)


_LONGEST = 12
"""Letters of a number in an interval; one that is longer, such as 1/3, is shown with six digits."""


@lru_cache(maxsize=1024, typed=True)
def _shown(value: float) -> str:
    """A number of an interval, as short as a reader needs it; each run of an arm has an interval with the same ones."""
    text = numeral(value)
    return text if len(text) <= _LONGEST else numeral(value, 6)


_SIGNS = {"above": "> ", "at_least": "≥ ", "below": "< ", "at_most": "≤ "}
