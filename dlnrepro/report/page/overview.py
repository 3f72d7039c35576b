"""What stands above the claims of a page: the claims by paper, the filter by verdict, and what all results share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import paper_groups
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.report.page.cards import Card
from dlnrepro.report.words.chances import chance_words
from dlnrepro.report.words.digest import basis_of

ALL, UNEXPECTED = "all", "not as expected"
FIXED = "The thresholds are fixed in the claim files before the program runs."
DOUBLE = "All numbers are computed in double precision (float64)."
CHANGED = "Some were changed after the first runs; “History” below a criterion says which, and why."


@dataclass(frozen=True)
class Choice:
    """A choice of the filter: what to show, and how many claims that is."""

    name: str
    count: int


def ordered(cards: Sequence[Card]) -> list[list[Card]]:
    """The cards of each paper, in the order in which claims are listed everywhere."""
    return paper_groups(cards, lambda card: card.claim)


def choices(report: Report) -> list[Choice]:
    """What the filter offers; nothing where all claims came out alike."""
    verdicts = [Choice(word, count) for word, count in report.counts.items() if count]
    unexpected = sum(not record.as_expected for record in report.claims)
    if 0 < unexpected < len(report.claims):
        verdicts.append(Choice(UNEXPECTED, unexpected))
    return [Choice(ALL, len(report.claims)), *verdicts] if len(verdicts) > 1 else []


def shown_in(card: Card) -> str:
    """The choices of the filter, besides all, that show a card: their names with hyphens."""
    names = [card.record.verdict, *([] if card.record.as_expected else [UNEXPECTED])]
    return " ".join(name.replace(" ", "-") for name in names)


def shared_facts(report: Report) -> list[str]:
    """What holds for all results of a report, sentence by sentence."""
    if not report.claims:
        return []
    return [
        basis_of(report.claims),
        FIXED + f" {CHANGED}" * any(_has_history(record) for record in report.claims),
        *chance_words(report.claims),
        *([] if any(is_function(str(record.claim["runner"])) for record in report.claims) else [DOUBLE]),
        "The computing time of a claim is the sum over its arms. If it is “cached”, some of the numbers were stored "
        "before, and their time is that of their first computation.",
    ]


def expected_counts(report: Report) -> dict[str, bool]:
    """For each verdict whether it was expected of all claims that have it, where a claim had better be reproduced."""
    words = {record.verdict for record in report.claims if record.verdict != "reproduced"}
    return {word: all(record.as_expected for record in report.claims if record.verdict == word) for word in words}


def _has_history(record: ClaimRecord) -> bool:
    """Whether a threshold of a claim was changed after the first runs."""
    claim = Claim.model_validate(record.claim)
    return any(item.history for item in (*claim.assumptions, *claim.criteria))
