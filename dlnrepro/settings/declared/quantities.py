"""What a runner can record, and the names and indices of declared formulas, checked against it."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dlnrepro.dynamics.observed.measure import OF_POINTS, Expression
from dlnrepro.errors import Fault, unknown
from dlnrepro.settings.declared.measures import COMPARISONS, INSTEAD, DeclaredMeasure, DeclaredSeries
from dlnrepro.settings.formula import OF_SEVERAL, Formula, Value, evaluate, moved_quantity
from dlnrepro.settings.numerals import numeral

KINDS = ("a number", "a list", "a matrix")
"""What a quantity with no index, one index or two indices is."""


class Quantity(NamedTuple):
    """A quantity that a runner can record, or a number that it draws or is given.

    Attributes:
        says: its meaning in words.
        indices: 0 for a number, 1 for a list, 2 for a matrix.
        recorded: whether it is recorded along a run; otherwise it does not change.
        sizes: how many values each index has; empty if this is not known before the run.
        setting: the setting of the same name, if there is one. The name is the quantity in a formula that has a value
            at each recorded point, and the setting in a formula that has a single value.
    """

    says: str
    indices: int = 0
    recorded: bool = True
    sizes: tuple[int, ...] = ()
    setting: Quantity | None = None


Quantities = Mapping[str, Quantity]


def formula_faults(
    measures: Mapping[str, DeclaredMeasure],
    series: Mapping[str, DeclaredSeries],
    known: Quantities,
    numbers: Mapping[str, Value] | None = None,
    elsewhere: Mapping[str, str] | None = None,
) -> Iterator[tuple[tuple[str, ...], Fault]]:
    """The faults of the names and indices in declared formulas: the place of each, from `measures` or `series` on.

    Args:
        measures: the declared measures.
        series: the declared series.
        known: the quantities of the runner with the numbers among its settings.
        numbers: the settings that are numbers or lists of numbers, with their values, as far as they are known.
        elsewhere: the quantities that the runner records only for other settings -> for which ones.
    """
    check = _Check(numbers or {}, elsewhere or {})
    for name, measure in measures.items():
        if name in known:
            fault = Fault(expected="a name that no quantity or setting has", found=f"'{name}'")
            yield ("measures", name), fault
            continue
        others = [*measures]
        found = _measure_fault(check, measure, known, others) or _circle(name, measures)
        if found is not None:
            yield ("measures", name, found[0]), found[1]
    for name, item in series.items():
        if (fault_here := check.fault(item.expression, known)) is not None:
            yield ("series", name), fault_here


def _measure_fault(
    check: _Check, measure: DeclaredMeasure, known: Quantities, others: list[str]
) -> tuple[str, Fault] | None:
    """The first key of a measure whose formula has a fault, and the fault."""
    compared = {name: Quantity("", recorded=False) for name in others}
    single = {name: item if item.setting is None else item.setting for name, item in known.items()}
    fixed = {name: item for name, item in single.items() if not item.recorded}
    for key, formulas in measure.formulas.items():
        timed = measure.measure.reducer in OF_POINTS if key in COMPARISONS else key not in ("value", "from", "to")
        words = {**(known if timed else fixed), **compared}
        for expression in formulas:
            fault = _recorded(expression, known, words, key) or check.fault(expression, words)
            if fault is None and timed and key in COMPARISONS:
                fault = _of_two_meanings(expression.tree, known)
            if fault is not None:
                return key, fault
    if measure.clock is not None and (measure.clock not in known or not known[measure.clock].recorded):
        return "clock", unknown(measure.clock, [name for name, item in known.items() if item.recorded])
    return None


def _recorded(expression: Expression, known: Quantities, words: Quantities, key: str) -> Fault | None:
    """The fault of a recorded quantity where only numbers can stand that do not change along a run."""
    hint = f"; {INSTEAD}" if key == "value" else ""
    for name in expression.names:
        if name in known and name not in words:
            found = f"'{name}', which is recorded{hint}"
            return Fault(expected="a number that does not change along a run", found=found)
    return None


def _of_two_meanings(node: ast.AST, known: Quantities) -> Fault | None:
    """The fault of a name alone, in a formula to compare with, that is both a quantity and a setting; or None."""
    if isinstance(node, ast.expr) and moved_quantity(node) is not None:
        return None
    if isinstance(node, ast.Name) and node.id in known and known[node.id].setting is not None:
        name = node.id
        expected = f"{name}(t), which is recorded, or the name of a measure with 'value: {name}', which is the setting"
        return Fault(expected=expected, found=f"'{name}', which could be both")
    faults = (_of_two_meanings(inner, known) for inner in ast.iter_child_nodes(node))
    return next((fault for fault in faults if fault is not None), None)


def _circle(name: str, measures: Mapping[str, DeclaredMeasure]) -> tuple[str, Fault] | None:
    """The fault of a measure that needs itself, perhaps by way of other measures."""
    seen: list[str] = []
    waiting = [name]
    while waiting:
        needed = [other for other in measures[waiting.pop()].measure.names if other in measures]
        if name in needed:
            key = next(key for key, parts in measures[name].formulas.items() if _names_any(parts, measures))
            return key, Fault(expected="a measure that does not need itself", found=f"'{name}'")
        waiting += [other for other in needed if other not in seen]
        seen += needed
    return None


def _names_any(parts: list[Expression], measures: Mapping[str, DeclaredMeasure]) -> bool:
    """Whether some formulas name a measure."""
    return any(name in measures for part in parts for name in part.names)


class _Misused(Exception):
    """A part of a formula does not fit the kind of what it names."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.wording)
        self.fault = fault


class _Check:
    """The check of formulas whose settings have some values."""

    def __init__(self, numbers: Mapping[str, Value], elsewhere: Mapping[str, str]) -> None:
        self._numbers = numbers
        self._elsewhere = elsewhere

    def fault(self, expression: Expression, known: Quantities) -> Fault | None:
        """The fault of the names and indices of one formula, which must be a number at each point; or None."""
        for name in expression.names:
            if name not in known and name in self._elsewhere:
                found = f"'{name}', which is only recorded for {self._elsewhere[name]}"
                return Fault(expected="a quantity that is recorded here", found=found)
            if name not in known:
                return unknown(name, list(known))
        try:
            indices = self._indices(expression.tree, known)
        except _Misused as error:
            return error.fault
        if indices:
            return Fault(expected="a formula that is a number", found=f"{KINDS[indices]} '{expression.text}'")
        return None

    def _indices(self, node: ast.expr, known: Quantities) -> int:
        """How many indices the value of a part has.

        Raises:
            _Misused: its parts do not fit each other.
        """
        if (moved := moved_quantity(node)) is not None:
            return self._indices(moved[0], known)
        match node:
            case ast.Name(id=name):
                return known[name].indices
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self._entry(node, known, name, index)
            case ast.BinOp(left=left, right=right):
                kinds = {self._indices(left, known), self._indices(right, known)}
                if len(kinds - {0}) > 1:
                    found = f"a list and a matrix in '{ast.unparse(node)}'"
                    raise _Misused(Fault(expected="two lists or two matrices", found=found))
                return max(kinds)
            case ast.UnaryOp(operand=inner):
                return self._indices(inner, known)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in OF_SEVERAL:
                return self._of_several(arguments, node, known)
            case ast.Call(args=[inner]):
                return self._indices(inner, known)
        return 0

    def _entry(self, node: ast.expr, known: Quantities, name: str, index: ast.expr) -> int:
        """How many indices are left of a quantity after some were given."""
        quantity, given = known[name], index.elts if isinstance(index, ast.Tuple) else [index]
        left = quantity.indices - len(given)
        if left < 0:
            found = f"{KINDS[quantity.indices]} '{name}'"
            raise _Misused(Fault(expected=f"{KINDS[len(given)]} before '[' in '{ast.unparse(node)}'", found=found))
        for part in given:
            named = [inner.id for inner in ast.walk(part) if isinstance(inner, ast.Name) and inner.id in known]
            if recorded := [inner for inner in named if known[inner].recorded]:
                expected = f"an index that does not change along a run in '{ast.unparse(node)}'"
                raise _Misused(Fault(expected=expected, found=f"'{recorded[0]}', which is recorded"))
        for part, size in zip(given, quantity.sizes, strict=False):
            place = evaluate(Formula(ast.unparse(part), part), self._numbers)
            if not math.isnan(place) and not (place.is_integer() and 1 <= abs(place) <= size):
                expected = f"an index from 1 to {size}, or from -{size} to -1, in '{ast.unparse(node)}'"
                raise _Misused(Fault(expected=expected, found=numeral(place)))
        return left

    def _of_several(self, arguments: list[ast.expr], node: ast.expr, known: Quantities) -> int:
        """How many indices the value of a function of several numbers has: none."""
        kinds = [self._indices(inner, known) for inner in arguments]
        text = ast.unparse(node)
        if len(kinds) == 1 and not kinds[0]:
            raise _Misused(Fault(expected=f"a list or a matrix in '{text}'", found="a number"))
        if len(kinds) > 1 and any(kinds):
            raise _Misused(Fault(expected=f"numbers in '{text}'", found=KINDS[max(kinds)]))
        return 0
