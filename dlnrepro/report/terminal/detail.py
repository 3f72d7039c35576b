"""One claim in full: what it says, where it comes from, and each test with its numbers."""

from __future__ import annotations

import statistics
from pathlib import Path

from rich.text import Text

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.archive.report_store import LastVerdict
from dlnrepro.claimfile.catalogue import called
from dlnrepro.claimfile.schema import Claim
from dlnrepro.report.terminal.paper import Paper
from dlnrepro.report.terminal.sketch import sketch
from dlnrepro.report.terminal.summary import verdict_text
from dlnrepro.report.words.digest import ARM_HEADS, MARKS, allowance, arm_words, departures, gap_words
from dlnrepro.report.words.numbers import duration, number
from dlnrepro.settings.numerals import setting
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged

WIDE = 100
"""Columns from which there is room for longer words."""


def record_page(paper: Paper, record: ClaimRecord) -> None:
    """A claim with its verdict and all numbers."""
    claim = Claim.model_validate(record.claim)
    _opening(paper, claim, verdict_text(record))
    paper.line(record.because, indent=2, hang=2)
    if changed := departures(record):
        _heading(paper, "parameters that this run changed")
    for text in changed:
        paper.line(text, indent=4, hang=2)
    if record.assumptions:
        _heading(paper, "assumptions, measured on every run")
    for item in record.assumptions:
        _assumption(paper, item)
    _heading(paper, "criteria, each with its negative controls, which must fail")
    reasons = {criterion.id: criterion.why or criterion.because for criterion in claim.criteria}
    for index, item in enumerate(record.criteria):
        if index:
            paper.line()
        _numbers(paper, item, reasons[item.id])
    if record.drawings and record.drawings[0].lines:
        _heading(paper, f"{record.drawings[0].title} (median over runs)")
        sketch(paper, record.drawings[0])
    _heading(paper, "again")
    paper.verbatim(record.command, indent=4)


def claim_page(paper: Paper, claim: Claim, path: Path, last: LastVerdict | None) -> None:
    """A claim from its file alone: the same page without numbers, and its settings."""
    _opening(paper, claim, None)
    if claim.assumptions:
        _heading(paper, "assumptions, measured on every run")
    for assumption in claim.assumptions:
        paper.line(assumption.says, indent=4, hang=2)
        wanted = f"{assumption.measure} {assumption.interval.text}"
        paper.line((wanted, "bold"), f"   holds in {', '.join(assumption.holds_in)}", indent=6, hang=2)
    _heading(paper, "criteria, each with its negative controls, which must fail")
    for criterion in claim.criteria:
        paper.line((criterion.id, "bold"), f"   {criterion.says}", indent=4, hang=2)
        wanted = f"{criterion.measure} {criterion.interval.text}"
        paper.line(
            (wanted, "bold"),
            f"   holds in {', '.join(criterion.holds_in)}{allowance(criterion.misses)}",
            indent=6,
            hang=2,
        )
        controls = ", ".join(criterion.fails_in) if criterion.fails_in else f"no arm: {criterion.because}"
        paper.line(f"must fail in {controls}", indent=6, hang=2)
        if criterion.why:
            paper.line((f"threshold: {' '.join(criterion.why.split())}", "dim"), indent=6, hang=2)
    _heading(paper, f"settings of the runner {claim.runner}")
    rows: list[list[str | Text]] = [[key, setting(value)] for key, value in claim.setup.items()]
    paper.table(rows, indent=4, folds=1)
    _heading(paper, f"arms, {claim.seeds} runs each")
    for arm, changes in claim.arms.items():
        text = ", ".join(f"{key} = {setting(value)}" for key, value in changes.items()) or "the settings as they are"
        paper.line((arm, "bold"), f"   {text}", indent=4, hang=2)
    _heading(paper, "run it")
    cost = f"   last time: {last.verdict} in {duration(last.seconds)}" if last else "   not run yet"
    paper.verbatim(f"dlnrepro run {called(path)}{cost}", indent=4)
    paper.verbatim(str(path), indent=4)


def _opening(paper: Paper, claim: Claim, verdict: Text | None) -> None:
    """The title, verdict, statement and source."""
    paper.line((claim.id, "bold"), "   ", *([(verdict.plain, str(verdict.style))] if verdict is not None else []))
    paper.line(claim.title, indent=2, hang=2)
    paper.line()
    paper.line(" ".join(claim.statement.split()), indent=2)
    paper.line()
    source = claim.source
    paper.line((source.reference, "dim"), indent=2)
    if source.note:
        paper.line((" ".join(source.note.split()), "dim"), indent=2)


def _heading(paper: Paper, text: str) -> None:
    """A heading with a blank line above."""
    paper.line()
    paper.line((text, "underline"), indent=2)


def _assumption(paper: Paper, item: Judged) -> None:
    """An assumption: its sentence, and its numbers over all arms in a line; arm by arm only where it is not met."""
    if not item.holds:
        _numbers(paper, item, None)
        return
    values = [value for check in item.holds_in for value in check.values if value is not None]
    arms = f" in {len(item.holds_in)} arms" if len(item.holds_in) > 1 else ""
    share = min(check.share_lower_bound for check in item.holds_in)
    spread = f"median {number(statistics.median(values))}, {number(min(values))} … {number(max(values))}"
    paper.line(("✓ ", "green"), item.says, indent=4, hang=2)
    wanted = (f"{item.measure} {item.interval_text}", "bold")
    paper.line(wanted, f"   {len(values)}/{len(values)} runs{arms} (share ≥ {share:.2f}), {spread}", indent=6, hang=2)


def _numbers(paper: Paper, item: Judged, reason: str | None) -> None:
    """A criterion, or an assumption that is not met: its sentence, threshold, and a row for each arm and control."""
    sign, style = MARKS[item.mark], {"pass": "green", "fail": "red", "undecided": "yellow"}[item.mark]
    paper.line((f"{sign} {item.id}", style), f"   {item.says}", indent=4, hang=2)
    paper.line((f"{item.measure} {item.interval_text}", "bold"), allowance(item.misses), indent=6)
    rows = [_row(check, False, paper.width) for check in item.holds_in]
    rows += [_row(check, True, paper.width) for check in item.fails_in]
    paper.table(rows, right=(1, 2, 3), indent=6, folds=0, heads=(*ARM_HEADS[:-1], f" {ARM_HEADS[-1]}"))
    if gap := gap_words(item):
        paper.line((gap, "dim"), indent=6)
    if reason:
        paper.line((f"threshold: {' '.join(reason.split())}", "dim"), indent=6, hang=2)


def _row(check: Check, control: bool, width: int) -> list[str | Text]:
    """One arm in its words, fewer where there is little room; what is not as it should be stands out."""
    name, inside, share, median, spread = arm_words(check, control)
    style = ("" if check.tells else "yellow") if control else "" if check.holds else "red" if check.broken else "yellow"
    share = share if width >= WIDE else share.removesuffix(" as required")
    return [Text(name, style=style), inside, share, median, f" {spread}"]
