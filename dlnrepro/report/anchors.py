"""Names for the claims of a report, by which pages and files tell them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dlnrepro.record import ClaimRecord, Report


def anchored(report: Report) -> Iterator[tuple[str, ClaimRecord]]:
    """Each claim under its id, or, if another of that id came before it, under its id and a number."""
    seen: Counter[str] = Counter()
    for record in report.claims:
        seen[record.id] += 1
        yield record.id + (f".{seen[record.id]}" if seen[record.id] > 1 else ""), record
