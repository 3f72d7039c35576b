"""A small arithmetic for numbers that follow from other numbers, such as `0.8 * strengths[1] / depth`.

A formula consists of numbers, names, + - * / **, brackets, functions, and the numbers of a list, which are counted
from 1 (`strengths[1]` is the first one, `strengths[-1]` the last one). It has the precedence of Python, so `-x ** 2` is
`-(x ** 2)`. Python's own parser reads it, and nothing of it is ever run as Python: each part is computed here, with
floating-point numbers alone. So no formula takes long or needs much memory.

A formula has no value (NaN) if one of its parts has none: a division by zero, a number that is too large, the root of
a negative number, or a name without a finite number.

Two kinds of text contain formulas:

* An inequality compares two or three formulas, as in `1 / strengths[1] < step_size < 2`.
* A formula of records is evaluated at each recorded point (`dlnrepro.dynamics.observed`). It may also have the entries
  of a matrix (`P[1, 2]`), and the value at another point: `P[1, 2](t - 1)` is the value where the axis of the records
  is smaller by 1, and `loss(first)` and `loss(last)` are the values at the first and the last point.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from dlnrepro.errors import Fault, nearest, shortened, unknown
from dlnrepro.settings.numerals import numeral

LONGEST = 300
"""The most letters of a formula; nobody writes a longer one."""

Value = float | Sequence[float]
"""What a name stands for: a number, or a list of numbers."""

Sign = Literal["<", "<=", ">", ">="]

_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    # Unlike the operator, this function raises an exception where the power is not a real number.
    ast.Pow: math.pow,
}
_SIGNS: dict[type[ast.cmpop], Sign] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_OF_ONE: dict[str, Callable[[float], float]] = {
    "sqrt": math.sqrt,
    "log": math.log,
    "log10": math.log10,
    "exp": math.exp,
    "abs": abs,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
}
_OF_SEVERAL: dict[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "max": max,
    "sum": math.fsum,
    "mean": lambda several: math.fsum(several) / len(several),
    "norm": lambda several: math.hypot(*several),
    "len": len,
}
OF_ONE, OF_SEVERAL = frozenset(_OF_ONE), frozenset(_OF_SEVERAL)
"""The functions of one number, and those of a list or of several numbers."""

FUNCTIONS = (*_OF_ONE, *_OF_SEVERAL)
"""The functions: `log` is the natural logarithm; the last six take a list, or several numbers."""

TIME, ENDS = "t", ("first", "last")
"""The word for the current point in `loss(t - 1)`, and the words for the ends of the records in `loss(first)`."""

_OTHER_SIGNS = {"^": "**", "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "{": "(", "}": ")", "√": "sqrt"}
_OTHER_SIGNS |= {"≤": "<=", "≥": ">="}
_OTHER_FUNCTIONS = {"ln": "log", "root": "sqrt", "average": "mean"}
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-*/()[], ")
_COMPARING = frozenset("<>=")
_PARTS = "numbers, names, + - * / **, brackets, list[1] and functions"
_RECORD_PARTS = "numbers, names, + - * / **, brackets, list[1], matrix[1, 2], quantity(t - 1) and functions"


class FormulaError(ValueError):
    """A text is not a formula; `fault` says what was expected and found."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.wording)
        self.fault = fault


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    Attributes:
        text: the formula as it is written, on one line.
        tree: its parts, all of them of kinds that `evaluate` knows, or that the evaluation of records knows.
    """

    text: str
    tree: ast.expr = field(compare=False, repr=False)

    @property
    def names(self) -> list[str]:
        """The names in it, each once, in their order."""
        return list(dict.fromkeys(node.id for node in _parts(self.tree) if isinstance(node, ast.Name)))


@dataclass(frozen=True)
class Inequality:
    """Two or three formulas and the signs between them.

    Attributes:
        text: the inequality as it is written, on one line.
        sides: the formulas.
        signs: the signs between neighbours.
    """

    text: str
    sides: tuple[Formula, ...]
    signs: tuple[Sign, ...]

    @property
    def names(self) -> list[str]:
        """The names in it, each once, in their order."""
        return list(dict.fromkeys(name for side in self.sides for name in side.names))


@cache
def formula(text: str) -> Formula:
    """The formula that a text describes.

    Raises:
        FormulaError: it is not a formula.
    """
    return _formula(text, records=False)


@cache
def record_formula(text: str) -> Formula:
    """The formula of records that a text describes.

    Raises:
        FormulaError: it is not one.
    """
    return _formula(text, records=True)


@cache
def inequality(text: str) -> Inequality:
    """The inequality between numbers that a text describes.

    Raises:
        FormulaError: it is not an inequality.
    """
    return _inequality(text, records=False)


@cache
def record_inequality(text: str) -> Inequality:
    """The inequality between formulas of records that a text describes.

    Raises:
        FormulaError: it is not one.
    """
    return _inequality(text, records=True)


def _formula(text: str, records: bool) -> Formula:
    """The formula that a text describes, with or without what only formulas of records have."""
    text = _on_one_line(text, _LETTERS, records)
    tree = _tree(text, "a formula such as '0.8 * depth'")
    _admit(tree, text, records)
    return Formula(text, tree)


def _inequality(text: str, records: bool) -> Inequality:
    """The inequality that a text describes, with or without what only formulas of records have."""
    text = _on_one_line(text, _LETTERS | _COMPARING, records)
    wanted = "an inequality such as '1 < depth' or '0 < step_size <= 2'"
    match _tree(text, wanted):
        case ast.Compare(left=first, ops=ops, comparators=others) if len(ops) <= 2:
            pass
        case ast.Compare():
            raise _error("an inequality with at most three sides", f"'{shortened(text)}'")
        case _:
            raise _error(wanted, f"'{shortened(text)}'")
    signs = tuple(sign for op in ops if (sign := _SIGNS.get(type(op))) is not None)
    if len(signs) < len(ops):
        raise _error("one of the signs <, <=, > and >=", f"another one in '{shortened(text)}'")
    if len({sign[0] for sign in signs}) > 1:
        raise _error("signs of one direction, as in 'a < b < c'", f"'{shortened(text)}'")
    for side in (first, *others):
        _admit(side, text, records)
    return Inequality(text, tuple(Formula(_source(side, text), side) for side in (first, *others)), signs)


def _on_one_line(text: str, letters: Collection[str], records: bool) -> str:
    """A text on one line, if it is not too long and has no sign that its kind does not have."""
    if len(text) > LONGEST:
        raise _error(f"a formula of at most {LONGEST} letters", f"{len(text):,} letters")
    text = " ".join(text.split())
    if not text:
        raise _error("a formula", "nothing")
    if foreign := [sign for sign in text if sign not in letters]:
        found = f"'{foreign[0]}' in '{shortened(text)}'"
        raise _error(f"a formula of {_RECORD_PARTS if records else _PARTS}", found, _OTHER_SIGNS.get(foreign[0]))
    return text


def names_in(values: Mapping[str, float | str]) -> list[str]:
    """The names in those values that are formulas, each once, in their order."""
    found = [name for value in values.values() if isinstance(value, str) for name in formula(value).names]
    return list(dict.fromkeys(found))


def evaluate(known: Formula, names: Mapping[str, Value]) -> float:
    """The value of a formula, or NaN if it has none.

    Args:
        known: the formula.
        names: the number, or the list of numbers, that each name stands for.
    """
    try:
        return _number(known.tree, names)
    except (ArithmeticError, ValueError):
        return math.nan


def misuse(known: Formula, names: Mapping[str, Value], later: Collection[str] = ()) -> Fault | None:
    """The first fault of the names in a formula, or None.

    Args:
        known: the formula.
        names: the number, or the list of numbers, that each name stands for.
        later: further names, which stand for numbers that are not known yet.
    """
    words = [*names, *(name for name in later if name not in names)]
    for name in known.names:
        if name not in words:
            return unknown(name, words)
    return _misused(known.tree, names, known.text)


def _error(expected: str, found: str, suggestion: str | None = None) -> FormulaError:
    return FormulaError(Fault(expected=expected, found=found, suggestion=suggestion))


def _tree(text: str, wanted: str) -> ast.expr:
    """The parts of a text, as Python's parser reads it; a name with dots is one name."""
    try:
        # The parser warns of texts such as `1if`, which are refused anyway.
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise _error(wanted, f"'{shortened(text)}' ({error.msg.lower()})") from None
    except RecursionError:
        raise _error("a formula with fewer brackets", f"'{shortened(text)}'") from None
    whole: ast.expr = _Dotted().visit(tree)
    return whole


class _Dotted(ast.NodeTransformer):
    """Turns `start.scale` into one name; the name of a function, as in `np.sqrt(x)`, stays as it is."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Only the arguments, and what is before the brackets if it is a number of a list."""
        node.args = [self.visit(inner) for inner in node.args]
        if isinstance(node.func, ast.Subscript):
            node.func = self.visit(node.func)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """The name with its dots."""
        inner = self.visit(node.value)
        if not isinstance(inner, ast.Name):
            return node
        return ast.copy_location(ast.Name(f"{inner.id}.{node.attr}", ast.Load()), node)


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """A part of a formula and all parts inside it, without the names of functions and the points of quantities."""
    yield node
    if moved := moved_quantity(node):
        inner: Sequence[ast.AST] = [moved[0]]
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        inner = [node.value, *node.slice.elts]
    else:
        inner = node.args if isinstance(node, ast.Call) else list(ast.iter_child_nodes(node))
    for part in inner:
        if isinstance(part, ast.expr):
            yield from _parts(part)


def moved_quantity(node: ast.expr) -> tuple[ast.expr, int | str] | None:
    """The quantity and the point of `loss(t - 1)` (the quantity, and -1) or `loss(first)`; None for another part.

    Args:
        node: a part of a formula of records.
    """
    match node:
        case ast.Call(func=(ast.Name() | ast.Subscript()) as inner, args=[argument], keywords=[]):
            if isinstance(inner, ast.Name) and inner.id in FUNCTIONS:
                return None
        case _:
            return None
    match argument:
        case ast.Name(id=name) if name == TIME:
            return inner, 0
        case ast.Name(id=name) if name in ENDS:
            return inner, name
        case ast.BinOp(left=ast.Name(id=name), op=op, right=ast.Constant(value=int() as steps)) if (
            name == TIME and isinstance(op, ast.Add | ast.Sub) and not isinstance(steps, bool)
        ):
            return inner, steps if isinstance(op, ast.Add) else -steps
    return None


def _admit(tree: ast.expr, text: str, records: bool) -> None:
    """Refuse every part of a text that a formula does not have, or that only a formula of records has."""
    parts = _RECORD_PARTS if records else _PARTS
    for node in _parts(tree):
        if records and (moved_quantity(node) or _is_entry(node)):
            continue
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                if not _is_finite(value):
                    raise _error("a finite number", f"'{_source(node, text)}'")
            case ast.Name(id=name):
                if name in FUNCTIONS:
                    raise _error(f"{name} with brackets, such as {name}(x)", f"'{name}' without them")
            case ast.BinOp(op=op) if type(op) in _OPERATIONS:
                pass
            case ast.BinOp(op=ast.FloorDiv()):
                raise _error(f"a formula of {parts}", f"'//' in '{shortened(text)}'", "/")
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                pass
            case ast.Subscript(value=ast.Name(id=name), slice=index) if not isinstance(index, ast.Slice | ast.Tuple):
                pass
            case ast.Call(func=ast.Name(id=name), args=[_]) if records and not _like_a_function(name):
                expected = f"a point such as {name}(t - 1), {name}(first) or {name}(last)"
                raise _error(expected, f"'{shortened(_source(node, text))}'")
            case ast.Call(func=ast.Name(id=name)):
                _admit_call(node, name, text)
            case ast.Call(func=ast.Attribute(attr=name)) if name in FUNCTIONS:
                raise _error(f"one of the functions {', '.join(FUNCTIONS)}", f"'{_source(node.func, text)}'", name)
            case _:
                raise _error(f"a formula of {parts}", f"'{shortened(_source(node, text))}'")


def _is_entry(node: ast.expr) -> bool:
    """Whether a part is an entry of a matrix, such as `P[1, 2]`."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Tuple)
        and len(node.slice.elts) == 2
        and not any(isinstance(index, ast.Slice | ast.Starred) for index in node.slice.elts)
    )


def _like_a_function(name: str) -> bool:
    """Whether a name is that of a function, or a misspelling of one."""
    return name in FUNCTIONS or name in _OTHER_FUNCTIONS or nearest(name, FUNCTIONS) is not None


def _admit_call(call: ast.Call, name: str, text: str) -> None:
    """Refuse a function that does not exist, or that has a wrong number of arguments."""
    if name not in FUNCTIONS:
        near = _OTHER_FUNCTIONS.get(name) or nearest(name, FUNCTIONS)
        raise _error(f"one of the functions {', '.join(FUNCTIONS)}", f"'{shortened(name)}'", near)
    if call.keywords:
        raise _error(f"{name} with numbers alone", f"'{shortened(_source(call, text))}'")
    count = len(call.args)
    if name in _OF_ONE and count != 1:
        raise _error(f"{name} with one number", f"{count} in '{shortened(_source(call, text))}'")
    if name in _OF_SEVERAL and not count:
        raise _error(f"{name} with a list or with numbers", f"none in '{shortened(_source(call, text))}'")


def _source(node: ast.expr, text: str) -> str:
    """The part of the text that a node stands for."""
    return ast.get_source_segment(text, node) or text


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _number(node: ast.expr, names: Mapping[str, Value]) -> float:
    """The finite value of a part of a formula.

    Raises:
        ArithmeticError, ValueError: it has none.
    """
    match node:
        case ast.Constant(value=int() | float() as value):
            found = float(value)
        case ast.Name(id=name):
            found = _one(names.get(name))
        case ast.BinOp(left=left, op=op, right=right):
            found = _OPERATIONS[type(op)](_number(left, names), _number(right, names))
        case ast.UnaryOp(op=op, operand=inner):
            found = -_number(inner, names) if isinstance(op, ast.USub) else _number(inner, names)
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            found = _member(names.get(name), _number(index, names))
        case ast.Call(func=ast.Name(id=name), args=[inner]) if name in _OF_ONE:
            found = _OF_ONE[name](_number(inner, names))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            found = float(_OF_SEVERAL[name](_numbers(arguments, names)))
        case _:
            raise ValueError("a part that no formula has")
    # A number that is too large must not become 0 in a later division.
    if not math.isfinite(found):
        raise OverflowError
    return found


def _one(value: Value | None) -> float:
    """The number that a name stands for."""
    if not isinstance(value, int | float):
        raise ValueError("no number")
    return float(value)


def _member(value: Value | None, index: float) -> float:
    """A number of a list, counted from 1, or from the end with -1."""
    if not isinstance(value, Sequence) or not index.is_integer() or not 1 <= abs(index) <= len(value):
        raise ValueError("no such number of a list")
    return float(value[int(index) - (index > 0)])


def _numbers(arguments: Sequence[ast.expr], names: Mapping[str, Value]) -> Sequence[float]:
    """The numbers that a function of several numbers takes."""
    match arguments:
        case [ast.Name(id=name)] if isinstance(several := names.get(name), Sequence):
            if not all(map(math.isfinite, several)):
                raise ValueError("a number that is not finite")
            return several
    return [_number(inner, names) for inner in arguments]


def _misused(node: ast.expr, names: Mapping[str, Value], text: str) -> Fault | None:
    """The first name inside a part of a formula that is used for what it is not: a number or a list."""
    match node:
        case ast.Name(id=name) if isinstance(names.get(name), Sequence):
            return Fault(expected="a number", found=f"the list '{name}'", suggestion=f"{name}[1]")
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            return _misused(index, names, text) or _wrong_index(name, index, names, text)
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name)]) if function in _OF_SEVERAL:
            several = names.get(name)
            if isinstance(several, Sequence) and (several or function in ("sum", "len")):
                return None
            return Fault(expected=f"a list of numbers in '{function}({name})'", found=_called(name, several))
        case ast.Call(args=inner):
            parts: Sequence[ast.AST] = inner
        case _:
            parts = list(ast.iter_child_nodes(node))
    faults = (_misused(part, names, text) for part in parts if isinstance(part, ast.expr))
    return next((fault for fault in faults if fault is not None), None)


def _wrong_index(name: str, index: ast.expr, names: Mapping[str, Value], text: str) -> Fault | None:
    """The fault of a list's index, or None."""
    several, shown = names.get(name), f"{name}[{_source(index, text)}]"
    if not isinstance(several, Sequence):
        return Fault(expected=f"a list before '[' in '{shown}'", found=_called(name, several))
    place = evaluate(Formula(text, index), names)
    if place.is_integer() and 1 <= abs(place) <= len(several):
        return None
    count = len(several)
    admitted = f"a number from 1 to {count}, or from -{count} to -1," if count else "a list with numbers in it"
    found = "none" if math.isnan(place) else numeral(place)
    return Fault(expected=f"{admitted} in '{shown}'", found=found)


def _called(name: str, value: Value | None) -> str:
    """What a name is, for a message."""
    if isinstance(value, Sequence):
        return f"the list '{name}'" if value else f"the empty list '{name}'"
    return f"the number '{name}'"
