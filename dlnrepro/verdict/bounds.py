"""The interval of each run of a criterion: the same for all runs, or, with formulas, the run's own.

A formula has a value for each run, from the parameters of its arm and from the measures of the run itself. A run in
which a threshold has no value, or in which no number could lie inside, has no interval and is undecided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pydantic_core import PydanticCustomError

from dlnrepro.claimfile.interval import Interval, interval, stated
from dlnrepro.settings.formula import Value, evaluate, formula
from dlnrepro.settings.numerals import numeral
from dlnrepro.verdict.outcome import Outcome

Bounds = Mapping[str, float | str]
"""The keys of a claim file that give an interval, each with its number or its formula."""

Thresholds = Mapping[str, Sequence[float | None]]
"""Key -> its number in each run of an arm; None where a formula has no value. Empty if no key is a formula."""


def run_thresholds(bounds: Bounds, names: Mapping[str, Value], outcome: Outcome) -> dict[str, tuple[float | None, ...]]:
    """The numbers of an interval in each run of an arm; nothing if they are the same in every run of every arm.

    Args:
        bounds: the keys of the interval.
        names: the parameters of the arm that are numbers or lists of numbers.
        outcome: the runs with their measures.
    """
    if not any(isinstance(bound, str) for bound in bounds.values()):
        return {}
    return {key: bound_in_runs(bound, names, outcome) for key, bound in bounds.items()}


def bound_in_runs(bound: float | str, names: Mapping[str, Value], outcome: Outcome) -> tuple[float | None, ...]:
    """One threshold in each run of an arm."""
    runs = len(outcome.seeds)
    if not isinstance(bound, str):
        return (bound,) * runs
    known = formula(bound)
    measured = {name: outcome.measures[name] for name in known.names if name not in names and name in outcome.measures}
    if not measured:
        return (_finite(evaluate(known, names)),) * runs
    found = []
    for place in range(runs):
        own = {name: values[place] for name, values in measured.items() if place < len(values)}
        known_here = {name: value for name, value in own.items() if value is not None}
        found.append(_finite(evaluate(known, {**names, **known_here})))
    return tuple(found)


def intervals(bounds: Bounds, thresholds: Thresholds, runs: int) -> list[Interval | None]:
    """The interval of each run of an arm; None for a run without one.

    Args:
        bounds: the keys of the interval.
        thresholds: the number of each key in each run, if some key is a formula.
        runs: how many runs there are.
    """
    if not thresholds:
        fixed = interval(**{key: bound for key, bound in bounds.items() if not isinstance(bound, str)})
        return [fixed] * runs
    known: dict[tuple[float | None, ...], Interval | None] = {}
    found = []
    for values in zip(*thresholds.values(), strict=True):
        if values not in known:
            known[values] = _interval(dict(zip(thresholds, values, strict=True)))
        found.append(known[values])
    return found


def _interval(values: Mapping[str, float | None]) -> Interval | None:
    """The interval of one run, or None if a number is missing or no number lies inside."""
    numbers = {key: value for key, value in values.items() if value is not None}
    if len(numbers) < len(values):
        return None
    try:
        return interval(**numbers)
    except PydanticCustomError:
        return None


def stated_in_arms(bounds: Bounds, of_arms: Iterable[Mapping[str, Value]]) -> str:
    """An interval before any run: each formula with its values, if it has values without the measures of a run.

    Args:
        bounds: the keys of the interval.
        of_arms: for each arm, its parameters that are numbers or lists of numbers.
    """
    nothing = Outcome((0,), {})
    return stated_with_values(
        bounds, [run_thresholds(bounds, names, nothing) for names in of_arms], "known after each run"
    )


def stated_with_values(bounds: Bounds, of_arms: Iterable[Thresholds], without: str = "no value") -> str:
    """An interval as text: each formula as it is written, with its value, or with the range of its values.

    Args:
        bounds: the keys of the interval.
        of_arms: for each arm, the number of each key in each run.
        without: the words for a formula that has no value in any run.
    """
    thresholds = list(of_arms)
    words = {}
    for key in [key for key, bound in bounds.items() if isinstance(bound, str)]:
        values = [value for found in thresholds for value in found.get(key, ()) if value is not None]
        words[key] = range_words(values) if values else without
    return stated(bounds, words)


def range_words(values: Sequence[float]) -> str:
    """The value that is the same in all runs, or the smallest and the largest value."""
    low, high = (numeral(value, 4) for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
