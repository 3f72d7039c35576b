"""The page `claims/audits.md`: the table of all audits, and what they found, from the files of `outputs/audits`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlnrepro.archive.audits import AuditRecord, out_of_date, read_summaries
from dlnrepro.archive.references import numbers_by
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.registry.sources import source_hash
from dlnrepro.report.audit.audit_markdown import audit_table
from dlnrepro.report.exchange.markup import text
from dlnrepro.report.words.audit_words import TABLE_LEGEND, counts, finding_lines

NAME = "audits.md"
CLAIMS = Path(__file__).parent.parent.parent / "claims"
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
    older = [record.id for record in audits if _is_older(record)]
    if older:
        names = ", ".join(f"[{name}]({name}.yaml)" for name in older)
        lines += ["", "## Audits of earlier versions", "", "These claims, or modules that their runners use, have been "
                  f"changed since their audits, which have not been repeated yet: {names}."]  # fmt: skip
    found = [(record.id, line) for record in audits for line in finding_lines(record.result.findings)]
    if found:
        lines += ["", "## Findings", "", *(f"- [{name}]({name}.yaml): {text(line)}" for name, line in found)]
    return "\n".join([*lines, "", foot]) + "\n"


def _is_older(record: AuditRecord) -> bool:
    """Whether a claim or its runner has been changed since the audit."""
    claim = load_claim(CLAIMS / f"{record.id}.yaml")
    sources = source_hash(claim.runner)
    numbers = numbers_by(AUDITS.parent / "reference", record.id, sources)
    return out_of_date(record, claim, sources, record.runs, record.seed_base, numbers) is not None
