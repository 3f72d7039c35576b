"""The values of a formula of records at all points of one run.

A value is an array of shape (points, ...), where the further dimensions are those of a list or of a matrix; its first
dimension is 1 if it does not change along the run. A number and a list, or a number and a matrix, are combined entry by
entry. A part without a value, such as a division by zero, is NaN or infinite at that point.

The value of a quantity at another point, such as `loss(t - 1)`, is its value where the axis is smaller by 1. Before the
first and after the last point there is none, and such points are not inside the formula. Between them the value is NaN
if no point has this place on the axis.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from dlnrepro.dynamics.observed.measure import Condition, Expression
from dlnrepro.dynamics.observed.records import Array, Mask, RunRecords

_OPERATIONS: dict[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: np.power,
}
_OF_ONE: dict[str, Callable[[Array], Array]] = {
    "sqrt": np.sqrt,
    "log": np.log,
    "log10": np.log10,
    "exp": np.exp,
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
}
_OF_SEVERAL: dict[str, Callable[[Array], Array]] = {
    "min": lambda entries: entries.min(-1),
    "max": lambda entries: entries.max(-1),
    "sum": lambda entries: entries.sum(-1),
    "mean": lambda entries: entries.mean(-1),
    "norm": lambda entries: np.sqrt((entries * entries).sum(-1)),
    "len": lambda entries: np.full(entries.shape[:-1], float(entries.shape[-1])),
}
_COMPARISONS: dict[str, Callable[[Array, Array], Mask]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def values_of(expression: Expression, run: RunRecords) -> tuple[Array, Mask]:
    """The values of a formula along a run, and which points are inside it, both of shape (points,).

    Args:
        expression: a formula whose value is a number, not a list.
        run: the records of the run.

    Raises:
        ValueError: its value is a list or a matrix, or an index does not exist.
    """
    walk = _Walk(run, expression.text)
    values = walk.value(expression.tree)
    if values.ndim != 1:
        raise ValueError(f"'{expression.text}': expected a number at each point, found {walk.shape(values)}")
    return np.broadcast_to(values, run.axis.shape), walk.inside


def truth_of(condition: Condition, run: RunRecords) -> tuple[Mask, Mask]:
    """Where an inequality holds along a run, and which points are inside it; it does not hold where a side is NaN."""
    sides = [values_of(side, run) for side in condition.sides]
    holds: Mask = np.ones(run.axis.shape, dtype=bool)
    for (left, _), (right, _), sign in zip(sides, sides[1:], condition.signs, strict=False):
        holds &= _COMPARISONS[sign](left, right)
    return holds, np.logical_and.reduce([inside for _, inside in sides])


def of_function(call: ast.Call) -> bool:
    """Whether brackets belong to a function, as in `log(loss)`, and not to a point, as in `loss(t - 1)`."""
    return isinstance(call.func, ast.Name) and (call.func.id in _OF_ONE or call.func.id in _OF_SEVERAL)


def steps_of(moment: ast.expr) -> int:
    """How much larger the axis is at a point such as `t - 2` (-2); 0 for `t`, `first` and `last`."""
    match moment:
        case ast.BinOp(op=op, right=ast.Constant(value=int() as steps)):
            return steps if isinstance(op, ast.Add) else -steps
    return 0


class _Walk:
    """The computation of one formula along one run.

    Attributes:
        inside: which points are inside the formula so far, of shape (points,).
    """

    def __init__(self, run: RunRecords, text: str) -> None:
        self._run = run
        self._text = text
        self.inside: Mask = np.ones(run.axis.shape, dtype=bool)

    def value(self, node: ast.expr) -> Array:
        """The value of a part, of shape (points, ...) or (1, ...)."""
        match node:
            case ast.Constant(value=int() | float() as number):
                return np.full(1, float(number))
            case ast.Name(id=name):
                return self._named(name)
            case ast.BinOp(left=left, op=op, right=right):
                return self._combined(_OPERATIONS[type(op)], self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self.value(inner)
            case ast.UnaryOp(operand=inner):
                return self.value(inner)
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self._entry(self._named(name), index)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _OF_SEVERAL:
                return _OF_SEVERAL[name](self._entries(arguments))
            case ast.Call(func=ast.Name(id=name), args=[inner]) if name in _OF_ONE:
                return _OF_ONE[name](self.value(inner))
            case ast.Call(func=inner, args=[moment]):
                return self._moved(self.value(inner), moment)
        raise ValueError(f"'{self._text}': a part that no formula has")

    @staticmethod
    def shape(values: Array) -> str:
        """The kind of a value in words."""
        return f"a list of {values.shape[1]}" if values.ndim == 2 else f"a matrix of shape {values.shape[1:]}"

    def _named(self, name: str) -> Array:
        """A quantity, or a number that does not change."""
        if name in self._run.quantities:
            return self._run.quantities[name]
        return self._run.constants[name][None]

    def _combined(self, operation: Callable[[Array, Array], Array], left: Array, right: Array) -> Array:
        """Two values combined entry by entry."""
        if left.ndim > 1 and right.ndim > 1 and left.shape[1:] != right.shape[1:]:
            both = f"{self.shape(left)} and {self.shape(right)}"
            raise ValueError(f"'{self._text}': expected lists or matrices of one shape, found {both}")
        return operation(*_aligned([left, right]))

    def _entry(self, values: Array, index: ast.expr) -> Array:
        """An entry of a list or matrix, or a row of a matrix; entries are counted from 1, or from the end with -1."""
        for place in index.elts if isinstance(index, ast.Tuple) else [index]:
            number = self.value(place)
            size = values.shape[1] if values.ndim > 1 else 0
            if number.shape != (1,) or not float(number[0]).is_integer() or not 1 <= abs(number[0]) <= size:
                found = ast.unparse(place)
                raise ValueError(
                    f"'{self._text}': expected an index from 1 to {size}, or from -{size} to -1, in '{found}'"
                )
            values = values[:, int(number[0]) - (number[0] > 0)]
        return np.ascontiguousarray(values)

    def _entries(self, arguments: Sequence[ast.expr]) -> Array:
        """The numbers that a function of several numbers takes, along the last dimension."""
        values = [self.value(inner) for inner in arguments]
        if len(values) == 1:
            return np.ascontiguousarray(values[0].reshape(len(values[0]), -1))
        aligned = np.broadcast_arrays(*_aligned(values))
        return np.ascontiguousarray(np.stack(aligned, axis=-1))

    def _moved(self, values: Array, moment: ast.expr) -> Array:
        """The values of a quantity at another point."""
        if isinstance(moment, ast.Name) and moment.id in ("first", "last"):
            return values[:1] if moment.id == "first" else values[-1:]
        steps, axis = steps_of(moment), self._run.axis
        if not steps or len(values) == 1:
            return values
        wanted = axis + steps
        places = np.searchsorted(axis, wanted).clip(0, len(axis) - 1)
        self.inside &= (wanted >= axis[0]) & (wanted <= axis[-1])
        found: Array = values[places].copy()
        found[axis[places] != wanted] = np.nan
        return found


def _aligned(values: Sequence[Array]) -> list[Array]:
    """Values whose further dimensions are as many as those of the value that has most of them."""
    most = reduce(max, (value.ndim for value in values))
    return [value.reshape(value.shape + (1,) * (most - value.ndim)) for value in values]
