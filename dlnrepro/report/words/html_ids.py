"""Names for the claims of a report, which differ even if two claims have one id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from dlnrepro.archive.record import ClaimRecord, Report


def with_html_ids(report: Report) -> Iterator[tuple[str, ClaimRecord]]:
    """Each claim under its id, or, if another of that id came before it, under its id and a number.

    A record from another program may have any text as its id; a text that cannot be an id becomes `claim`.
    """
    seen: Counter[str] = Counter()
    for record in report.claims:
        name = record.id if re.fullmatch("[a-z0-9][a-z0-9-]*", record.id) else "claim"
        seen[name] += 1
        yield name + (f".{seen[name]}" if seen[name] > 1 else ""), record
