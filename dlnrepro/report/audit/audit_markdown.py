"""Audits as GitHub-flavoured Markdown: a table of the claims, and for each claim its findings and its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlnrepro.archive.audits import AuditRecord
from dlnrepro.report.exchange.markup import code, in_html, prose, text
from dlnrepro.report.words.audit_words import (
    ARM_HEADS,
    QUESTION,
    TABLE_HEADS,
    TABLE_LEGEND,
    arm_cells,
    change_words,
    counts,
    covers_text,
    finding_lines,
    is_good,
    response_words,
    sharpness_words,
    table_cells,
    wrong_words,
)
from dlnrepro.report.words.shares import quantifier_words
from dlnrepro.report.words.typeset import in_terminal
from dlnrepro.verdict.audited import ChangeAudit, CriterionAudit
from dlnrepro.verdict.judge import requirement


def audits_markdown(records: Sequence[AuditRecord]) -> bytes:
    """Audits as Markdown in UTF-8."""
    lines = [f"### dlnrepro audit: {counts(records)}", "", *audit_table(records), "", TABLE_LEGEND, ""]
    for record in records:
        lines += _part(record)
    return "\n".join(lines).encode() + b"\n"


def audit_table(records: Sequence[AuditRecord], links: bool = False) -> list[str]:
    """A row for each claim; with links to the claim files in the folder of the page, if that is asked for."""
    head = [f"| {' | '.join(TABLE_HEADS)} |", f"|---|---|{'--:|' * (len(TABLE_HEADS) - 2)}"]
    rows = []
    for record in records:
        sign, name, *cells = table_cells(record)
        called = f"[{name}]({name}.yaml)" if links else code(name)
        rows.append(f"| {' | '.join([sign, called, *map(_with_ids, cells)])} |")
    return [*head, *rows]


def _with_ids(cell: str) -> str:
    """A cell of the table, in which the ids of criteria in parentheses are code."""
    parts = re.split(r"\(([A-Za-z][\w.-]*)\)", cell)
    return "".join(f" ({code(part)})" if place % 2 else text(part) for place, part in enumerate(parts))


def _part(record: AuditRecord) -> list[str]:
    """The audit of one claim, to unfold."""
    good = not record.result.findings
    sign = "✓" if good else "✗"
    summary = f"{sign} <b>{in_html(record.id)}</b> ({record.outcome}), {in_html(in_terminal(record.title))}"
    lines = [f"<details{'' if good else ' open'}><summary>{summary}</summary>", ""]
    lines += [f"Covers: {prose(covers)}", ""] if (covers := covers_text(record)) else []
    lines += [f"- **finding**: {text(line)}" for line in finding_lines(record.result.findings)]
    lines += ["", f"**{QUESTION}**", "", *(f"- {text(line)}" for line in wrong_words(record))]
    for item in record.result.criteria:
        lines += _criterion(item)
    for kind, heading in (("harmless", "Harmless changes"), ("flaw", "Flaws")):
        members = [change for change in record.result.changes if change.kind == kind]
        lines += ["", f"**{heading}**", "", *map(_change, members)] if members else []
    return [*lines, "", "</details>", ""]


def _criterion(item: CriterionAudit) -> list[str]:
    """A criterion, or an assumption, with its arms and how sharp it is."""
    kind = "assumption " if item.assumption else ""
    lines = [
        "",
        f"**{kind}{text(item.id)}**: {prose(item.says)}",
        "",
        f"Required: {code(requirement(item.measure, item.interval_text))}{quantifier_words(item.runs)}",
        "",
        f"| {' | '.join(ARM_HEADS)} |",
        "|---|--:|--:|--:|---|",
    ]
    for arm in (*item.arms, *item.controls):
        name, *cells = map(text, arm_cells(arm))
        lines.append(f"| {' | '.join([name if arm.decision == 'holds' else f'**{name}**', *cells])} |")
    return [*lines, "", *(f"- {text(line)}" for line in sharpness_words(item))]


def _change(change: ChangeAudit) -> str:
    """A change in a line."""
    return f"- {'✓' if is_good(change) else '✗'} {code(change.name)}: {prose(change_words(change))}: " + text(
        response_words(change)
    )
