"""The measures of all runs: which quantities they need, and their numbers."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dlnrepro.dynamics.observed.expression import of_function, steps_of, values_of
from dlnrepro.dynamics.observed.measure import OF_POINTS, Expression, Measure
from dlnrepro.dynamics.observed.records import Array, Records, RunRecords, by_run
from dlnrepro.dynamics.observed.reduction import reduced, reduced_formula
from dlnrepro.dynamics.tensors.arrays import tensor_of

if TYPE_CHECKING:
    from torch import Tensor


def needed(measures: Mapping[str, Measure], series: Mapping[str, Expression] | None = None) -> set[str]:
    """The names in the formulas of some measures and series, without those of other measures.

    A runner has to record the names that it knows as quantities. All other names are constants.
    """
    names = {name for measure in measures.values() for name in measure.names}
    names |= {name for expression in (series or {}).values() for name in expression.names}
    return names - measures.keys()


def longest_step(measures: Mapping[str, Measure], series: Mapping[str, Expression] | None = None) -> int:
    """The largest k in the `(t - k)` and `(t + k)` of some measures and series, or 0.

    A runner whose records are thinned has to record the points at these distances too.
    """
    expressions = [item for measure in measures.values() for item in measure.expressions]
    return max((_steps(item.tree) for item in (*expressions, *(series or {}).values())), default=0)


def _steps(tree: ast.expr) -> int:
    """The largest distance to another point in a formula."""
    moments = [node.args[0] for node in ast.walk(tree) if isinstance(node, ast.Call) and not of_function(node)]
    return max((abs(steps_of(moment)) for moment in moments), default=0)


def evaluate(
    measures: Mapping[str, Measure], records: Records, constants: Mapping[str, Tensor | float | tuple[float, ...]]
) -> dict[str, Tensor]:
    """The numbers of some measures, each of shape (runs,); NaN where a run has none.

    Args:
        measures: the measures by their names, which the formulas of other measures may use.
        records: what was recorded.
        constants: name -> a number, or a tuple of numbers, that all runs have in common; or what each run has, as a
            tensor of shape (runs,), (runs, n) or (runs, n, m).

    Raises:
        KeyError: a name is neither a quantity nor a constant nor a measure.
        ValueError: a formula does not fit the shapes of what it names.
    """
    runs = _count(records)
    rows = [_numbers(measures, run) for run in by_run(records, constants, needed(measures), runs)]
    return {name: tensor_of(np.array([row[name] for row in rows], dtype=np.float64)) for name in measures}


def series_of(
    series: Mapping[str, Expression], records: Records, constants: Mapping[str, Tensor | float | tuple[float, ...]]
) -> dict[str, Tensor]:
    """The values of some formulas at all points, each of shape (runs, points); NaN at a point outside a formula.

    The arguments and exceptions are those of `evaluate`.
    """
    runs = by_run(records, constants, needed({}, series), _count(records))
    found = {}
    with np.errstate(all="ignore"):
        for name, expression in series.items():
            rows = [np.where(inside, values, np.nan) for values, inside in (values_of(expression, run) for run in runs)]
            found[name] = tensor_of(np.stack(rows))
    return found


def _count(records: Records) -> int:
    """The number of runs."""
    return max(len(value) for value in records.values.values() if value.ndim > 1)


def _numbers(measures: Mapping[str, Measure], run: RunRecords) -> dict[str, float]:
    """The number of each measure in one run; a measure is computed when another one needs it."""
    found: dict[str, float] = {}

    def number(name: str) -> float:
        if name not in found:
            measure = measures[name]
            others = {other: np.array(number(other)) for other in measure.names if other in measures}
            known = replace(run, constants={**run.constants, **others})
            found[name] = _compared(measure, known)
        return found[name]

    with np.errstate(all="ignore"):
        for name in measures:
            number(name)
    return {name: found[name] for name in measures}


def _compared(measure: Measure, run: RunRecords) -> float:
    """The number of a measure in one run, compared with its reference if it has one."""
    value = _plain(measure.of[0], run) if measure.reducer == "value" else reduced(measure, run)
    if measure.reference is None:
        return value
    timed = any(name in run.quantities for name in measure.reference.names)
    if timed and measure.reducer in OF_POINTS:
        reference = reduced_formula(measure.reference, measure, run)
    else:
        reference = _plain(measure.reference, run)
    if measure.comparison == "difference":
        return value - reference
    if reference == 0:
        return math.nan
    return value / reference if measure.comparison == "ratio" else abs(value - reference) / abs(reference)


def _plain(expression: Expression, run: RunRecords) -> float:
    """The value of a formula without recorded quantities."""
    values: Array = values_of(expression, run.fixed)[0]
    return float(values[0])
