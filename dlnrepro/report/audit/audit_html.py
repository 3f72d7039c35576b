"""Audits as one page that needs nothing else: no network, no script, light or dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from dlnrepro.archive.audits import AuditRecord
from dlnrepro.report.drawing.colours import COLOURS, DARK_COLOURS
from dlnrepro.report.drawing.strip_plot import strip_plot
from dlnrepro.report.page.html import environment
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
from dlnrepro.verdict.audited import ArmAudit, CriterionAudit
from dlnrepro.verdict.bounds import intervals
from dlnrepro.verdict.check import Check, check
from dlnrepro.verdict.judge import Judged
from dlnrepro.verdict.outcome import Outcome

_HEADINGS = {"harmless": "Harmless changes", "flaw": "Flaws, which the named criteria must notice"}


@dataclass(frozen=True)
class ShownCriterion:
    """A criterion with its plot, its arms as cells of a table, and sentences about it."""

    item: CriterionAudit
    plot: Markup
    arms: list[tuple[bool, str, tuple[str, ...]]]
    words: list[str]


@dataclass(frozen=True)
class ShownChange:
    """A change, and how the criteria come out under it, in words."""

    name: str
    good: bool
    what: str
    response: str


@dataclass(frozen=True)
class Part:
    """All that the page says of one audit."""

    record: AuditRecord
    good: bool
    cells: tuple[str, ...]
    covers: str | None
    findings: list[str]
    wrong: list[str]
    criteria: list[ShownCriterion]
    changes: list[tuple[str, list[ShownChange]]]


def audits_html(records: Sequence[AuditRecord]) -> bytes:
    """Audits as an HTML page in UTF-8; the same audits give the same bytes."""
    page = (
        _environment()
        .get_template("audits.html")
        .render(
            parts=[_part(record) for record in records],
            counts=counts(records),
            heads=TABLE_HEADS,
            arm_heads=ARM_HEADS,
            QUESTION=QUESTION,
            TABLE_LEGEND=TABLE_LEGEND,
            colours=COLOURS,
            dark_colours=DARK_COLOURS,
        )
    )
    return page.encode()


@cache
def _environment() -> Environment:
    """The templates of this package, which use the looks of the page of a report."""
    folders = [Path(__file__).with_name("templates"), Path(__file__).parent.parent / "page" / "templates"]
    return environment().overlay(loader=FileSystemLoader(folders))


def _part(record: AuditRecord) -> Part:
    """One audit laid out, its plots drawn."""
    criteria = [
        ShownCriterion(
            item,
            Markup(strip_plot(record.meanings, judged(item), f"{record.id}.plot.{index}").inline()),
            [(arm.control, arm.decision, arm_cells(arm)) for arm in (*item.arms, *item.controls)],
            sharpness_words(item),
        )
        for index, item in enumerate(record.result.criteria)
    ]
    return Part(
        record=record,
        good=not record.result.findings,
        cells=table_cells(record),
        covers=covers_text(record),
        findings=finding_lines(record.result.findings),
        wrong=wrong_words(record),
        criteria=criteria,
        changes=list(_changes(record)),
    )


def _changes(record: AuditRecord) -> Iterator[tuple[str, list[ShownChange]]]:
    """The harmless changes and the flaws, each group with its heading."""
    for kind, heading in _HEADINGS.items():
        members = [change for change in record.result.changes if change.kind == kind]
        shown = [ShownChange(item.name, is_good(item), change_words(item), response_words(item)) for item in members]
        if shown:
            yield heading, shown


def judged(item: CriterionAudit) -> Judged:
    """A criterion of an audit as a strip plot takes it."""
    arms, controls = (tuple(_check(item, arm) for arm in group) for group in (item.arms, item.controls))
    return Judged(
        id=item.id,
        says=item.says,
        measure=item.measure,
        interval=item.interval,
        interval_text=item.interval_text,
        runs=item.runs,
        holds=all(found.holds for found in arms),
        broken=any(found.broken for found in arms),
        controls_fail=all(found.holds for found in controls),
        gap=item.gap,
        worst=item.worst,
        holds_in=arms,
        fails_in=controls,
    )


def _check(item: CriterionAudit, arm: ArmAudit) -> Check:
    """One arm of an audit; its runs without a number are undecided."""
    values = (*arm.values, *[None] * arm.undecided)
    outcome = Outcome(tuple(range(len(values))), {item.measure: values})
    thresholds = {key: (*found, *[None] * arm.undecided) for key, found in arm.thresholds.items()}
    return check(
        arm.arm,
        outcome,
        item.measure,
        intervals(item.interval, thresholds, len(values)),
        runs=item.runs,
        control=arm.control,
        last=True,
        thresholds=thresholds,
    )
