"""Expressions of words: `not` binds most tightly, then `and`, then `or`, as in Python."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlnrepro.claimfile.expression import DEEPEST, expression
from tests.refusal import refusal

NAMES = ("red", "green", "blue")
EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" and ".join),
        st.tuples(inner, inner).map(" or ".join),
        inner.map("not {}".format),
        inner.map("({})".format),
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(text=EXPRESSIONS, true=st.sets(st.sampled_from(NAMES)), commas=st.booleans())
def test_an_expression_means_what_it_means_in_python(text: str, true: set[str], commas: bool) -> None:
    meant = eval(text, {"__builtins__": {}}, {name: name in true for name in NAMES})
    assert expression("-k", text, commas=commas)(true.__contains__) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("yes or yes and no", True),
        ("no and yes or yes", True),
        ("(yes or yes) and no", False),
        ("not no and yes", True),
        ("not yes and no", False),
        ("not (yes and no)", True),
        ("not not yes", True),
        ('"yes"', True),
        ("no,yes", True),
        ("no,yes and no", False),
    ],
)
def test_words_bind_as_in_python_and_a_comma_as_or(text: str, meant: bool) -> None:
    assert expression("-m", text, commas=True)({"yes"}.__contains__) == meant


@pytest.mark.parametrize(
    ("text", "word"), [('"two words"', "two words"), ("one,two", "one,two"), ("a*[b]?", "a*[b]?"), ("-x", "-x")]
)
def test_a_word_is_what_stands_in_quotes_or_between_blanks(text: str, word: str) -> None:
    assert expression("-k", text, commas=False)(lambda found: found == word)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "-k: expected words, 'and', 'or', 'not' and brackets, found nothing"),
        ("  ", "-k: expected words, 'and', 'or', 'not' and brackets, found nothing"),
        ("red and", "-k: expected a word at the end of 'red and', found nothing"),
        ("not", "-k: expected a word at the end of 'not', found nothing"),
        ("and red", "-k: expected a word, found 'and' in 'and red'"),
        ("()", "-k: expected a word, found ')' in '()'"),
        ('""', "-k: expected a word, found '\"\"' in '\"\"'"),
        ("red green", "-k: expected 'and' or 'or' before 'green' in 'red green'"),
        ("red)", "-k: expected 'and' or 'or' before ')' in 'red)'"),
        ("(red", "-k: expected ')' in '(red', found nothing"),
        ("(red green)", "-k: expected ')' in '(red green)', found 'green'"),
    ],
)
def test_a_text_that_is_not_an_expression_is_refused_in_one_line(text: str, line: str) -> None:
    assert refusal(lambda: expression("-k", text, commas=False)) == line


def test_brackets_and_not_have_a_greatest_depth() -> None:
    assert expression("-k", "not " * DEEPEST + "red", commas=False)({"red"}.__contains__)


@pytest.mark.parametrize(
    "text", ["not " * (DEEPEST + 1), "(" * (DEEPEST + 1) + "red" + ")" * (DEEPEST + 1)], ids=["not", "brackets"]
)
def test_what_is_deeper_is_refused(text: str) -> None:
    assert refusal(lambda: expression("-k", text, commas=False)) == (
        f"-k: expected at most 50 brackets and 'not' inside one another, found more in '{text[:57]}...'"
    )


def test_an_expression_may_be_long_where_it_is_not_deep() -> None:
    text = " or ".join(["(red and not blue)"] * 1000)
    assert expression("-k", text, commas=False)({"red"}.__contains__)


@pytest.mark.parametrize(
    "text",
    ["(" * 200 + "toy" + ")" * 200, "not " * 5000 + "toy", "x" * 5000 + ")", '"', "a\n)"],
    ids=["brackets", "not", "long", "quote", "two lines"],
)
@pytest.mark.parametrize("commas", [False, True])
def test_what_nobody_writes_is_refused_in_one_short_line(text: str, commas: bool) -> None:
    line = refusal(lambda: expression("-k", text, commas=commas))
    assert line.startswith("-k: expected ")
    assert "\n" not in line
    assert len(line) < 250
