"""Audits in a terminal: one in full, or several with their findings and a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from dlnrepro.archive.audits import AuditRecord
from dlnrepro.report.audit.strips import THRESHOLD, strips
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.audit_words import (
    QUESTION,
    arm_cells,
    chance_text,
    change_words,
    counts,
    covers_text,
    finding_lines,
    fresh_words,
    is_good,
    noticed,
    number_of_spreads,
    response_words,
    share_text,
    sharpness_words,
    smallest_gap,
    smallest_share,
    unharmed,
    wrong_words,
)
from dlnrepro.report.words.margins import relative_scale
from dlnrepro.report.words.shares import quantifier_words
from dlnrepro.verdict.audited import ChangeAudit, CriterionAudit
from dlnrepro.verdict.judge import requirement

_HEADS = ("\narm", "as re-\nquired", "95 % interval\nof the share", "\nmedian", " smallest\n … largest")
_TABLE = (
    "\nclaim",
    "smallest\nshare",
    "smallest gap\nin spreads",
    "flaws\nnoticed",
    "harmless\npassed",
    "chance\nto err",
)


def audit_in_full(page: TerminalPage, record: AuditRecord) -> None:
    """An audit with all its numbers."""
    _title(page, record)
    if covers := covers_text(record):
        page.line(f"covers: {page.typeset(covers)}", indent=2, hang=2)
    page.line(fresh_words(record), indent=2, hang=2)
    for item in record.result.criteria:
        page.line()
        _criterion(page, item)
    for kind, heading in (("harmless", "harmless changes: every criterion must still hold"), ("flaw", "flaws")):
        if members := [change for change in record.result.changes if change.kind == kind]:
            _heading(page, heading if kind == "harmless" else "flaws, which the named criteria must notice")
            for change in members:
                _change(page, change)
    _heading(page, QUESTION)
    for line in wrong_words(record)[1:]:  # the first one stands above
        page.line(line, indent=4, hang=2)
    _findings(page, record)


def audits_in_short(page: TerminalPage, records: Sequence[AuditRecord]) -> None:
    """Several audits: one row for each, and the findings of those that have some."""
    page.table([_row(record) for record in records], right=(1, 2, 3, 4, 5), folds=0, heads=_TABLE)
    page.line()
    page.line(
        ("smallest share: of the runs that are as required, over all arms and controls; gap: from the worst run to the "
         "nearest control run, in interquartile ranges; chance to err: that a run of the claim ends with another "
         "verdict, if the shares are those found", "dim"), hang=2,
    )  # fmt: skip
    for record in records:
        if record.result.findings:
            page.line()
            _title(page, record)
            _findings(page, record, heading=False)
    page.line()
    page.line(counts(records))


def _row(record: AuditRecord) -> list[str | Text]:
    """One audit in one line."""
    good = not record.result.findings
    least, narrow = smallest_share(record), smallest_gap(record)
    now = record.result.estimated
    return [
        Text(f"{'✓' if good else '✗'} {record.id}", style="green" if good else "red"),
        "none" if least is None else share_text(least[1].share or 0.0),
        "none" if narrow is None else number_of_spreads(narrow.gap or 0.0).removesuffix(" spreads"),
        "{}/{}".format(*noticed(record)),
        "{}/{}".format(*unharmed(record)),
        "none" if now is None else chance_text(min(1.0, now.not_reproduced + now.undecided)),
    ]


def _title(page: TerminalPage, record: AuditRecord) -> None:
    """The claim, and how its audit came out."""
    good = not record.result.findings
    page.line((record.id, "bold"), "   ", (f"{'✓' if good else '✗'} {record.outcome}", "green" if good else "red"))
    page.line(page.typeset(record.title), indent=2, hang=2)


def _findings(page: TerminalPage, record: AuditRecord, heading: bool = True) -> None:
    """What is not as it should be."""
    if not record.result.findings:
        return
    if heading:
        _heading(page, "findings")
    for line in finding_lines(record.result.findings):
        page.line(("✗ ", "red"), line, indent=4, hang=2)


def _criterion(page: TerminalPage, item: CriterionAudit) -> None:
    """A criterion, or an assumption, with its arms, its runs as strips, and how sharp it is."""
    kind = "assumption" if item.assumption else item.id
    page.line((kind, "bold"), f"   {page.typeset(item.says)}", indent=2, hang=2)
    page.line(
        "required: ",
        (requirement(item.measure, item.interval_text), "bold"),
        quantifier_words(item.runs),
        indent=4,
        hang=2,
    )
    arms = (*item.arms, *item.controls)
    rows: list[list[str | Text]] = []
    for arm in arms:
        name, *cells = arm_cells(arm)
        rows.append([Text(name, style="" if arm.decision == "holds" else "red"), *cells[:-1], f" {cells[-1]}"])
    page.table(rows, right=(1, 2, 3), indent=4, folds=0, heads=_HEADS)
    _strips(page, item)
    for line in sharpness_words(item):
        page.line(line, indent=4, hang=2)


def _strips(page: TerminalPage, item: CriterionAudit) -> None:
    """The runs of each arm as a row of text, with the axis below."""
    names = [*(arm.arm for arm in item.arms), *(f"control {arm.arm}" for arm in item.controls)]
    columns = min(60, page.width - 8 - max(map(len, names), default=0))
    drawn = strips(item, columns) if columns >= 16 else None
    if drawn is None:
        return
    rows, axis = drawn
    table: list[list[str | Text]] = [list(pair) for pair in zip(names, rows, strict=True)]
    table.append([Text(f"{THRESHOLD} threshold", style="dim"), Text(axis, style="dim")])
    page.line((f"runs on a {item.scale} scale{relative_scale(item.unit)}:", "dim"), indent=4)
    page.table(table, indent=4)


def _change(page: TerminalPage, change: ChangeAudit) -> None:
    """A change, and how the criteria come out under it."""
    sign, style = ("✓", "green") if is_good(change) else ("✗", "red")
    page.line((f"{sign} {change.name}", style), f"   {page.typeset(change_words(change))}", indent=4, hang=2)
    page.line(response_words(change), indent=6, hang=2)


def _heading(page: TerminalPage, text: str) -> None:
    """A heading with a blank line above."""
    page.line()
    page.line((text, "underline"), indent=2, hang=2)
