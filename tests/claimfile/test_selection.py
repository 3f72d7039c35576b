"""The claims that match an expression of words and one of tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper, selected


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    return read_claim(write_claim())


@pytest.mark.parametrize(
    ("words", "chosen"),
    [("TOY", True), ("marg", False), ("near and author", True), ('"the toy is near one"', True), ("toy-*", True)],
)
def test_a_word_is_part_of_the_text_in_any_case_or_a_pattern_of_the_id(claim: Claim, words: str, chosen: bool) -> None:
    assert bool(selected([claim], words, None)) == chosen


@pytest.mark.parametrize(("tags", "chosen"), [("small", True), ("smal", False), ("none,small", True)])
def test_a_tag_is_a_whole_word(claim: Claim, tags: str, chosen: bool) -> None:
    assert bool(selected([claim], None, tags)) == chosen


def test_words_and_tags_must_both_match_and_the_order_stays(claim: Claim) -> None:
    claims = [
        claim.model_copy(update={"id": name, "title": name, "tags": (tag,)})
        for name, tag in (("b-one", "red"), ("a-one", "red"), ("c-two", "red"), ("d-one", "blue"))
    ]
    assert [found.id for found in selected(claims, "*-one", "red")] == ["b-one", "a-one"]
    assert [found.id for found in selected(claims, None, None)] == ["b-one", "a-one", "c-two", "d-one"]


def test_claims_stand_by_paper_in_the_order_of_the_first_authors_last_names(claim: Claim) -> None:
    claims = [
        claim.model_copy(
            update={"id": name, "source": claim.source.model_copy(update={"paper": paper, "authors": authors})}
        )
        for name, paper, authors in (
            ("a", "Waves", ("Zoe Ytter", "Ann Able")),
            ("b", "Tides", ("Bo de bruin",)),
            ("c", "Waves", ("Zoe Ytter", "Ann Able")),
            ("d", "Anonymous", ()),
            ("e", "Clouds", ("A. Bruin",)),
            ("f", "Sands", ("Cy Charles",)),
        )
    ]
    assert [[found.id for found in group] for group in by_paper(claims)] == [["d"], ["b"], ["e"], ["f"], ["a", "c"]]
