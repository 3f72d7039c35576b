"""The page `claims/audits.md`: the table of all audits, and what they found, from the files of `outputs/audits`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlnrepro.archive.audits import AuditRecord, read_summaries
from dlnrepro.report.audit.audit_markdown import audit_table
from dlnrepro.report.exchange.markup import text
from dlnrepro.report.words.audit_words import TABLE_LEGEND, counts, finding_lines

NAME = "audits.md"
AUDITS = Path(__file__).parent.parent.parent / "outputs" / "audits"


def stored() -> list[AuditRecord]:
    """The audits of `outputs/audits`, by the ids of their claims."""
    return [record for _, record in sorted(read_summaries(AUDITS).items())]


def page(audits: Sequence[AuditRecord]) -> str:
    """The page of some audits."""
    head, foot = (
        ["<!-- `make audits` writes this page -->", "", "# How good the criteria are", ""],
        "[All topics](README.md)",
    )
    if not audits:
        return (
            "\n".join([*head, "The audits of the claims are not stored yet: `make audits` makes them.", "", foot])
            + "\n"
        )
    first = audits[0]
    seeds = f"the seeds {first.seed_base} to {first.seed_base + first.runs - 1}"
    lines = [
        *head,
        f"{counts(audits)}. Each arm has {first.runs} runs on {seeds}; changes and flaws are tried from seed "
        f"{first.changes_from} on. The pilots used seeds below 10000; where a threshold was changed in view of these "
        "runs, its history in the claim file says so. `dlnrepro audit CLAIM` gives all numbers of one claim.",
        "", TABLE_LEGEND, "", *audit_table(audits, links=True),
    ]  # fmt: skip
    found = [(record.id, line) for record in audits for line in finding_lines(record.result.findings)]
    if found:
        lines += ["", "## Findings", "", *(f"- [{name}]({name}.yaml): {text(line)}" for name, line in found)]
    return "\n".join([*lines, "", foot]) + "\n"
