"""The claims that match an expression of words and one of tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper, paper_groups, selected


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    return read_claim(write_claim())


@pytest.mark.parametrize(
    ("words", "tags", "count"),
    [
        ("toy", None, 1), ("TOY", None, 1), ("margin", None, 0), ("not margin", None, 1), ("toy and near", None, 1),
        ("toy and (margin or one)", None, 1), ("margin or not one", None, 0), (None, "small", 1), (None, "smal", 0),
        (None, "large,toy", 1), (None, "toy and not small", 0), ("toy", "large", 0),
    ],
)  # fmt: skip
def test_expressions_choose_claims(
    write_claim: Callable[..., Path], words: str | None, tags: str | None, count: int
) -> None:
    assert len(selected([read_claim(write_claim())], words, tags)) == count


@pytest.mark.parametrize(
    "word",
    [
        "toy-claim", "near one", "measures one", "Toys", "A. Author", "Nowhere 2026", "everywhere", "derived", "small",
        "runner = toy", "noise is small", "value 1 ± 0.1", "noise < 0.01", "near-one", "far", "value=5", "value = 5",
        "behaviour=steady", "at most 1e-3", "Height", "arXiv:1810.02032", "1810.02032", "toy-*", "*cl?im", "TOY",
        "A. Author: Toys. Nowhere 2026, arXiv:1810.02032, everywhere. Basis: derived.", "Is it near one? [yes]",
        "Toys (A. Author, Nowhere 2026, arXiv:1810.02032)", "value = 5, behaviour = noisy",
    ],
)  # fmt: skip
def test_a_claim_is_found_by_anything_that_is_printed_of_it(write_claim: Callable[..., Path], word: str) -> None:
    changes = ("venue:", 'arxiv: "1810.02032"\n  venue:'), ("{value: 5.0}", "{value: 5.0, behaviour: noisy}")
    claim = read_claim(write_claim(*changes, ("the value is one", "Is it near one? [yes]")))
    assert selected([claim], f'"{word}"', None) == [claim]
    assert selected([claim], f'not "{word}"', None) == []


def test_words_and_tags_must_both_match_and_the_order_stays(claim: Claim) -> None:
    claims = [
        claim.model_copy(update={"id": name, "title": name, "tags": (tag,)})
        for name, tag in (("b-one", "red"), ("a-one", "red"), ("c-two", "red"), ("d-one", "blue"))
    ]
    assert [found.id for found in selected(claims, "*-one", "red")] == ["b-one", "a-one"]
    assert [found.id for found in selected(claims, None, None)] == ["b-one", "a-one", "c-two", "d-one"]


def test_claims_stand_by_paper_in_the_order_of_the_first_authors_last_names_then_of_titles_then_of_ids(
    claim: Claim,
) -> None:
    claims = [
        claim.model_copy(
            update={"id": name, "source": claim.source.model_copy(update={"paper": paper, "authors": authors})}
        )
        for name, paper, authors in (
            ("c", "Waves", ("Zoe Ytter", "Ann Able")),
            ("b", "Tides", ("Bo de bruin",)),
            ("a-2", "Waves", ("Zoe Ytter", "Ann Able")),
            ("d", "Anonymous", ()),
            ("e", "Clouds", ("A. Bruin",)),
            ("f", "Sands", ("Cy Charles",)),
            ("a", "Waves", ("Zoe Ytter", "Ann Able")),
        )
    ]
    groups = [["d"], ["e"], ["b"], ["f"], ["a", "a-2", "c"]]
    assert [[found.id for found in group] for group in by_paper(claims)] == groups
    assert by_paper(claims[::-1]) == by_paper(claims)


def test_results_of_one_claim_keep_their_order_among_the_claims_of_its_paper(claim: Claim) -> None:
    results = [("second", claim), ("first", claim)]
    assert paper_groups(results, lambda result: result[1]) == [results]
