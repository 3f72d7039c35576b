"""Expressions of words and tags: `not` binds closest, then `and`, then `or`, as in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import selected

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


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    return read_claim(write_claim())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EXPRESSIONS, tags=st.sets(st.sampled_from(NAMES)))
def test_an_expression_of_tags_means_what_it_means_in_python(claim: Claim, text: str, tags: set[str]) -> None:
    tagged = claim.model_copy(update={"tags": tuple(sorted(tags))})
    meant = eval(text, {"__builtins__": {}}, {name: name in tags for name in NAMES})
    assert bool(selected([tagged], None, text)) == meant


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("toy or near and margin", True),
        ("margin and near or toy", True),
        ("(toy or near) and margin", False),
        ("not margin and toy", True),
        ("not toy and margin", False),
        ("not (toy and margin)", True),
        ("not not toy", True),
    ],
)
def test_words_bind_as_in_python(claim: Claim, text: str, chosen: bool) -> None:
    assert bool(selected([claim], text, None)) == chosen


def test_words_and_tags_must_both_match_and_the_order_stays(claim: Claim) -> None:
    claims = [
        claim.model_copy(update={"id": name, "title": name, "tags": (tag,)})
        for name, tag in (("b-one", "red"), ("a-one", "red"), ("c-two", "red"), ("d-one", "blue"))
    ]
    assert [found.id for found in selected(claims, "*-one", "red")] == ["b-one", "a-one"]
    assert [found.id for found in selected(claims, None, None)] == ["b-one", "a-one", "c-two", "d-one"]
