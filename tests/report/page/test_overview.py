"""What stands above the claims of a page: their order, the filter, and what all results share."""

from __future__ import annotations

from collections.abc import Callable

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.page.cards import card_of
from dlnrepro.report.page.overview import Choice, choices, expected_counts, ordered, shared_facts, shown_in

Make = Callable[..., ClaimRecord]
With = Callable[..., Report]
BAD = {"near": [3.0] * 4, "far": [5.0] * 4}
EXPECTED = ("quick:", "expect: not reproduced\nbecause: it is a toy\nquick:")


def test_claims_stand_in_the_order_of_the_list_of_claims(record_of: Make) -> None:
    zebra = record_of(("A. Author", "A. Zebra"))
    cards = [card_of(record, name) for name, record in (("one", zebra), ("two", record_of()), ("three", zebra))]
    assert [[card.html_id for card in group] for group in ordered(cards)] == [["two"], ["one", "three"]]


def test_the_filter_offers_each_verdict_that_occurs(record_of: Make, report_with: With) -> None:
    good, bad = record_of(), record_of(values=BAD)
    assert choices(report_with(good, bad, good)) == [
        Choice("all", 3),
        Choice("reproduced", 2),
        Choice("not reproduced", 1),
        Choice("not as expected", 1),
    ]
    assert choices(report_with(good, good)) == []
    assert choices(report_with(bad)) == []


def test_a_card_is_shown_with_its_verdict_and_where_it_is_unexpected(record_of: Make) -> None:
    assert shown_in(card_of(record_of(), "one")) == "reproduced"
    assert shown_in(card_of(record_of(values=BAD), "one")) == "not-reproduced not-as-expected"
    assert shown_in(card_of(record_of(EXPECTED, values=BAD), "one")) == "not-reproduced"


def test_a_verdict_is_as_expected_if_all_claims_that_have_it_are(record_of: Make, report_with: With) -> None:
    good, bad, known = record_of(), record_of(values=BAD), record_of(EXPECTED, values=BAD)
    assert expected_counts(report_with(good, known)) == {"not reproduced": True}
    assert expected_counts(report_with(bad, known)) == {"not reproduced": False}


def test_what_all_results_share_is_said_once(record_of: Make, report_with: With) -> None:
    facts = shared_facts(report_with(record_of()))
    assert facts[0] == "The criteria of the claim rest on a derivation for this project."
    assert "All numbers are computed in double precision (float64)." in facts
    assert shared_facts(report_with()) == []


def test_a_changed_threshold_is_mentioned_only_if_a_claim_has_one(record_of: Make, report_with: With) -> None:
    fixed = "The thresholds are fixed in the claim files before the program runs."
    changed = "Some were changed after the first runs; “History” below a criterion says which, and why."
    late = record_of(("holds_in: near}", "holds_in: near, why: noise is small, history: it was 1e-3 at first}"))
    assert shared_facts(report_with(record_of()))[1] == fixed
    assert shared_facts(report_with(record_of(), late))[1] == f"{fixed} {changed}"
