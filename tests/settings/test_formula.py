"""Formulas: every operation against Python's own arithmetic, and every text that is not a formula by its words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.settings.formula import (
    LONGEST,
    FormulaError,
    Value,
    evaluate,
    formula,
    inequality,
    misuse,
    moved_quantity,
    record_formula,
    record_inequality,
)

NAMES: dict[str, Value] = {"depth": 3, "x": 2.5, "s": [4.0, 2.0, 1.0], "none": []}
DOTTED: dict[str, Value] = {"start.scale": 0.25}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.8 * s[1] / s[2]", 1.6),
        ("s[-1] - s[3]", 0.0),
        ("s[depth]", 1.0),
        ("s[depth - 1]", 2.0),
        ("-x ** 2", -6.25),
        ("2 ** 3 ** 2", 512.0),
        ("(1 + 2) * 3 - 4 / 2", 7.0),
        ("+x", 2.5),
        ("sqrt(s[1]) + abs(-1) + log(exp(2))", 5.0),
        ("min(s) + max(s) + sum(s) + len(s)", 15.0),
        ("min(x, 1) + max(x, 1, 3)", 4.0),
        ("log10(1000) + norm(3, 4) + mean(s)", 3 + 5 + 7 / 3),
        ("sin(0) + cos(0) + tanh(0)", 1.0),
        ("start.scale * 2", 0.5),
        ("len(none)", 0.0),
        ("1 / 3", 1 / 3),
        ("1e-5", 1e-5),
        ("  x \n + 1 ", 3.5),
    ],
)
def test_a_formula_has_the_value_that_python_gives_it(text: str, value: float) -> None:
    assert evaluate(formula(text), NAMES | DOTTED) == pytest.approx(value, rel=1e-15)
    assert misuse(formula(text), NAMES | DOTTED) is None


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "0 ** -1",
        "(-8) ** (1 / 3)",
        "9 ** 9 ** 9",
        "exp(1000)",
        "1e308 * 10",
        "1 / (1e308 * 10)",
        "sqrt(-1)",
        "log(0)",
        "missing",
        "missing ** 0",
        "max(missing, 1)",
        "bad ** 0",
        "min(bad, 1)",
        "max(holes)",
        "1 / far",
        "s",
        "s[0]",
        "s[4]",
        "s[-4]",
        "s[1.5]",
        "x[1]",
        "min(none)",
    ],
)
def test_a_formula_without_a_finite_value_is_nan(text: str) -> None:
    names = {**NAMES, "bad": math.nan, "far": math.inf, "holes": [1.0, math.nan]}
    assert math.isnan(evaluate(formula(text), names))


FORM = "a formula of numbers, names, + - * / **, brackets, list[1] and functions"
FUNCTIONS = "one of the functions sqrt, log, log10, exp, abs, sin, cos, tanh, min, max, sum, mean, norm, len"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a formula, found nothing"),
        (" \n", "expected a formula, found nothing"),
        ("x" * (LONGEST + 1), "expected a formula of at most 300 letters, found 301 letters"),
        ("x +", "expected a formula such as '0.8 * depth', found 'x +' (invalid syntax)"),
        ("(x", "expected a formula such as '0.8 * depth', found '(x' ('(' was never closed)"),
        ("x)", "expected a formula such as '0.8 * depth', found 'x)' (unmatched ')')"),
        ("2 x", "expected a formula such as '0.8 * depth', found '2 x' (invalid syntax)"),
        ("x ^ 2", f"expected {FORM}, found '^' in 'x ^ 2'; did you mean '**'?"),
        ("2 × x", f"expected {FORM}, found '×' in '2 × x'; did you mean '*'?"),
        ("x // 2", f"expected {FORM}, found '//' in 'x // 2'; did you mean '/'?"),
        ("x % 2", f"expected {FORM}, found '%' in 'x % 2'"),
        ("x < 2", f"expected {FORM}, found '<' in 'x < 2'"),
        ("x if x else 2", f"expected {FORM}, found 'x if x else 2'"),
        ("x and 2", f"expected {FORM}, found 'x and 2'"),
        ("not x", f"expected {FORM}, found 'not x'"),
        ("True", f"expected {FORM}, found 'True'"),
        ("2j", f"expected {FORM}, found '2j'"),
        ("[1, 2]", f"expected {FORM}, found '[1, 2]'"),
        ("(1, 2)", f"expected {FORM}, found '(1, 2)'"),
        ("s[1, 2]", f"expected {FORM}, found 's[1, 2]'"),
        ("s[1][1]", f"expected {FORM}, found 's[1][1]'"),
        ("x.imag()", f"expected {FORM}, found 'x.imag()'"),
        ("abs(*s)", f"expected {FORM}, found '*s'"),
        ("1e999", "expected a finite number, found '1e999'"),
        ("np.sqrt(x)", f"expected {FUNCTIONS}, found 'np.sqrt'; did you mean 'sqrt'?"),
        ("ln(x)", f"expected {FUNCTIONS}, found 'ln'; did you mean 'log'?"),
        ("sqr(x)", f"expected {FUNCTIONS}, found 'sqr'; did you mean 'sqrt'?"),
        ("open(x)", f"expected {FUNCTIONS}, found 'open'"),
        ("sqrt", "expected sqrt with brackets, such as sqrt(x), found 'sqrt' without them"),
        ("sqrt(1, 2)", "expected sqrt with one number, found 2 in 'sqrt(1, 2)'"),
        ("max()", "expected max with a list or with numbers, found none in 'max()'"),
    ],
)
def test_a_text_that_is_no_formula_is_refused_in_a_line(text: str, words: str) -> None:
    with pytest.raises(FormulaError) as refused:
        formula(text)
    assert str(refused.value) == words


def test_keywords_of_a_function_are_refused() -> None:
    with pytest.raises(FormulaError, match="found '=' in"):
        formula("max(s, key=abs)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2 * dept", "expected one of depth, x, s, none, later, found 'dept'; did you mean 'depth'?"),
        ("x.real", "expected one of depth, x, s, none, later, found 'x.real'"),
        ("2 * s", "expected a number, found the list 's'; did you mean 's[1]'?"),
        ("max(s, 1)", "expected a number, found the list 's'; did you mean 's[1]'?"),
        ("x[1]", "expected a list before '[' in 'x[1]', found the number 'x'"),
        ("later[1]", "expected a list before '[' in 'later[1]', found the number 'later'"),
        ("s[0]", "expected a number from 1 to 3, or from -3 to -1, in 's[0]', found 0"),
        ("1 + s[4]", "expected a number from 1 to 3, or from -3 to -1, in 's[4]', found 4"),
        ("s[x]", "expected a number from 1 to 3, or from -3 to -1, in 's[x]', found 2.5"),
        ("s[later]", "expected a number from 1 to 3, or from -3 to -1, in 's[later]', found none"),
        ("none[1]", "expected a list with numbers in it in 'none[1]', found 1"),
        ("min(none)", "expected a list of numbers in 'min(none)', found the empty list 'none'"),
        ("min(x)", "expected a list of numbers in 'min(x)', found the number 'x'"),
    ],
)
def test_a_name_that_is_not_what_it_is_used_for_is_a_fault(text: str, words: str) -> None:
    fault = misuse(formula(text), NAMES, ["later"])
    assert fault is not None
    assert fault.wording == words


numbers = st.floats(0.1, 9.0).map(lambda value: round(value, 3))
leaves = numbers.map(str) | st.sampled_from(["x", "depth", "s[1]", "s[-1]"])
texts = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda part: f"({' '.join(part)})")
        | inner.map(lambda part: f"(-{part})")
        | inner.map(lambda part: f"sqrt(abs({part}))")
        | st.tuples(inner, inner).map(lambda part: f"max({part[0]}, {part[1]})")
    ),
    max_leaves=6,
)


@given(texts)
def test_every_formula_agrees_with_python_or_has_no_value(text: str) -> None:
    if len(text) > LONGEST:
        return
    # Python counts lists from 0.
    python = {"depth": 3.0, "x": 2.5, "s": {1: 4.0, -1: 1.0}, "sqrt": math.sqrt}
    try:
        expected = eval(text, {"__builtins__": {"max": max, "abs": abs}}, python)
        real = math.isfinite(expected)
    except (ArithmeticError, TypeError):
        real = False
    found = evaluate(formula(text), NAMES)
    if real and not math.isnan(found):
        assert found == expected
    elif not real:
        assert math.isnan(found)


@given(st.text(max_size=40) | st.text("xs12 +-*/()[],.", max_size=12))
def test_any_text_is_a_formula_or_refused_in_a_line(text: str) -> None:
    words = "expected nothing"
    try:
        found = formula(text)
        assert formula(found.text) == found
        assert isinstance(evaluate(found, NAMES), float)
    except FormulaError as error:
        words = str(error)
    assert words.startswith("expected ")
    assert "\n" not in words


@pytest.mark.parametrize(
    ("text", "sides", "signs"),
    [
        ("1 < x", ["1", "x"], ["<"]),
        ("1 / s[1] < x <= 2 / (s[1] + s[2])", ["1 / s[1]", "x", "2 / (s[1] + s[2])"], ["<", "<="]),
        ("x >= 0 \n > -1", ["x", "0", "-1"], [">=", ">"]),
    ],
)
def test_an_inequality_has_its_sides_and_the_signs_between_them(text: str, sides: list[str], signs: list[str]) -> None:
    found = inequality(text)
    assert [side.text for side in found.sides] == sides
    assert list(found.signs) == signs
    assert record_inequality(text) == found


WANTED = "an inequality such as '1 < depth' or '0 < step_size <= 2'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a formula, found nothing"),
        ("x", f"expected {WANTED}, found 'x'"),
        ("x <", f"expected {WANTED}, found 'x <' (invalid syntax)"),
        ("x = 1", f"expected {WANTED}, found 'x = 1' (invalid syntax)"),
        ("x ≤ 1", f"expected {FORM}, found '≤' in 'x ≤ 1'; did you mean '<='?"),
        ("x == 1", "expected one of the signs <, <=, > and >=, found another one in 'x == 1'"),
        ("x < 1 > 2", "expected signs of one direction, as in 'a < b < c', found 'x < 1 > 2'"),
        ("0 < x < 1 < 2", "expected an inequality with at most three sides, found '0 < x < 1 < 2'"),
        ("(0 < x) < 1", f"expected {FORM}, found '0 < x'"),
        ("0 < x and x < 1", f"expected {WANTED}, found '0 < x and x < 1'"),
        ("P[1, 1] < 1", f"expected {FORM}, found 'P[1, 1]'"),
    ],
)
def test_a_text_that_is_no_inequality_is_refused_in_a_line(text: str, words: str) -> None:
    with pytest.raises(FormulaError) as refused:
        inequality(text)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("P[1, 2] + P[1, depth](t - 1)", ["P", "depth"]),
        ("loss(first) / loss(last)", ["loss"]),
        ("s[2](t + 3) - loss(t)", ["s", "loss"]),
        ("norm(P - target)", ["P", "target"]),
    ],
)
def test_a_formula_of_records_names_quantities_but_not_the_points(text: str, names: list[str]) -> None:
    assert record_formula(text).names == names


RECORDS = "numbers, names, + - * / **, brackets, list[1], matrix[1, 2], quantity(t - 1) and functions"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("P[1, 2, 3]", f"expected a formula of {RECORDS}, found 'P[1, 2, 3]'"),
        ("P[1:2, 1]", f"expected a formula of {RECORDS}, found ':' in 'P[1:2, 1]'"),
        ("P[1](s - 1)", f"expected a formula of {RECORDS}, found 'P[1](s - 1)'"),
        ("loss(t * 2)", "expected a point such as loss(t - 1), loss(first) or loss(last), found 'loss(t * 2)'"),
        ("loss(t - 0.5)", "expected a point such as loss(t - 1), loss(first) or loss(last), found 'loss(t - 0.5)'"),
        ("loss(t - depth)", "expected a point such as loss(t - 1), loss(first) or loss(last), found 'loss(t - depth)'"),
        ("P.T[1, 2][1]", f"expected a formula of {RECORDS}, found 'P.T[1, 2][1]'"),
    ],
)
def test_a_text_that_is_no_formula_of_records_is_refused_in_a_line(text: str, words: str) -> None:
    with pytest.raises(FormulaError) as refused:
        record_formula(text)
    assert str(refused.value).startswith(words)


def test_a_function_is_no_quantity_at_another_point() -> None:
    assert moved_quantity(record_formula("abs(t - 1)").tree) is None
