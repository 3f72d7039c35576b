"""The pages of `claims/` are those of the claim files and of the stored reports, and nothing takes them for claims."""

from __future__ import annotations

import re

import pytest

from dlnrepro.claimfile.catalogue import claims_in
from tests.claim_pages import audit_table, operating_curve
from tests.claim_pages.pages import CLAIMS, FIGURES, all_claims, figures, pages, topic_of
from tests.claim_pages.topics import TOPICS

LARGEST = 400_000
"""Bytes of all pages and figures together."""


def test_the_pages_are_up_to_date() -> None:
    stored = {path.name: path.read_text(encoding="utf-8") for path in CLAIMS.glob("*.md")}
    assert stored == pages(all_claims()), "the claims have changed: run `make table`"


def test_every_claim_has_been_audited() -> None:
    assert {record.id for record in audit_table.stored()} == {path.stem for path in CLAIMS.glob("*.yaml")}


@pytest.mark.slow
def test_the_figures_are_drawn_from_the_stored_reports() -> None:
    stored = {path.name: path.read_text(encoding="utf-8") for path in (CLAIMS / FIGURES).iterdir()}
    assert stored == figures(), "the stored reports have changed: run `make table`"


def test_the_figure_of_the_rule_is_drawn_from_its_exact_probabilities() -> None:
    stored = (CLAIMS / FIGURES / f"{operating_curve.NAME}.svg").read_text(encoding="utf-8")
    assert stored == operating_curve.curve().alone(), "the rule has changed: run `make table`"


def test_the_table_of_the_rule_has_the_probabilities_of_the_rule() -> None:
    assert operating_curve.table().splitlines()[2:] == [
        "| 1 | 1 | 0 | 0 | 16 |",
        "| 0.995 | 1 - 1.3e-8 | 1.3e-8 | < 1e-9 | 17 |",
        "| 0.98 | 0.99998 | 2.1e-5 | 5e-8 | 23 |",
        "| 0.95 | 0.984 | 0.011 | 0.006 | 49 |",
        "| 0.9 | 0.424 | 0.518 | 0.058 | 94 |",
        "| 0.8 | 0.032 | 0.968 | 4.9e-7 | 41 |",
        "| 0.5 | 1.5e-5 | 0.99998 | < 1e-9 | 17 |",
    ]


def test_every_claim_stands_on_one_page_and_every_link_leads_to_a_file() -> None:
    texts = pages(all_claims())
    links = [link for text in texts.values() for link in re.findall(r"\]\((?!https:)([^)]+)\)", text)]
    assert [link for link in links if not (CLAIMS / link.partition("#")[0]).is_file()] == []
    rows = re.findall(r"^\| \[([a-z0-9-]+)\]", "".join(texts.values()), re.M)
    assert sorted(rows) == sorted(path.stem for path in CLAIMS.glob("*.yaml"))


def test_a_topic_shows_a_figure_of_one_of_its_own_claims() -> None:
    topics = {claim.id: topic_of(claim) for claim in all_claims()}
    assert {topic.shown: name for name, topic in TOPICS.items()}.items() <= topics.items()
    assert {*topics.values()} == {*TOPICS}


def test_pages_and_figures_are_small_and_are_not_claims() -> None:
    made = [*CLAIMS.glob("*.md"), *(CLAIMS / FIGURES).iterdir()]
    assert sum(path.stat().st_size for path in made) < LARGEST
    assert {file.path.suffix for file in claims_in(CLAIMS).claims} == {".yaml"}
    assert claims_in(CLAIMS).hidden == ()
