"""One claim in full: what it says, where it comes from, and each test with its numbers."""

from __future__ import annotations

import statistics
from pathlib import Path

from rich.text import Text

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.archive.report_store import LastVerdict
from dlnrepro.claimfile.catalogue import command_name
from dlnrepro.claimfile.reach import setters
from dlnrepro.claimfile.schema import Claim
from dlnrepro.report.terminal.sparklines import text_figure
from dlnrepro.report.terminal.summary import verdict_text
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.digest import ARM_HEADS, MARKS, allowance, arm_words, departures, gap_words
from dlnrepro.report.words.numbers import duration, number
from dlnrepro.settings.numerals import setting
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged

WIDE = 100
"""Columns from which there is room for longer words."""


def record_page(page: TerminalPage, record: ClaimRecord) -> None:
    """A claim with its verdict and all numbers."""
    claim = Claim.model_validate(record.claim)
    _opening(page, claim, verdict_text(record))
    page.line(record.because, indent=2, hang=2)
    if changed := departures(record):
        _heading(page, "parameters that this run changed")
    for text in changed:
        page.line(text, indent=4, hang=2)
    if record.assumptions:
        _heading(page, "assumptions, measured on every run")
    for item in record.assumptions:
        _assumption(page, item)
    _heading(page, "criteria, each with its negative controls, which must fail")
    reasons = {criterion.id: criterion.why or criterion.because for criterion in claim.criteria}
    for index, item in enumerate(record.criteria):
        if index:
            page.line()
        _numbers(page, item, reasons[item.id])
    if record.drawings and record.drawings[0].lines:
        _heading(page, f"{record.drawings[0].title} (median over runs)")
        text_figure(page, record.drawings[0])
    _heading(page, "again")
    page.verbatim(record.command, indent=4)


def claim_page(page: TerminalPage, claim: Claim, path: Path, last: LastVerdict | None) -> None:
    """A claim from its file alone: the same page without numbers, and its settings."""
    _opening(page, claim, None)
    if claim.assumptions:
        _heading(page, "assumptions, measured on every run")
    for assumption in claim.assumptions:
        page.line(assumption.says, indent=4, hang=2)
        wanted = f"{assumption.measure} {assumption.interval.text}"
        page.line((wanted, "bold"), f"   holds in {', '.join(assumption.holds_in)}", indent=6, hang=2)
    _heading(page, "criteria, each with its negative controls, which must fail")
    for criterion in claim.criteria:
        page.line((criterion.id, "bold"), f"   {criterion.says}", indent=4, hang=2)
        wanted = f"{criterion.measure} {criterion.interval.text}"
        page.line(
            (wanted, "bold"),
            f"   holds in {', '.join(criterion.holds_in)}{allowance(criterion.misses)}",
            indent=6,
            hang=2,
        )
        controls = ", ".join(criterion.fails_in) if criterion.fails_in else f"no arm: {criterion.because}"
        page.line(f"must fail in {controls}", indent=6, hang=2)
        if criterion.why:
            page.line((f"threshold: {' '.join(criterion.why.split())}", "dim"), indent=6, hang=2)
    _heading(page, f"settings of the runner {claim.runner}")
    rows: list[list[str | Text]] = [[key, setting(value)] for key, value in claim.setup.items()]
    by_arms = setters(claim)
    own = [
        f"set by {len(by_arms[key])} of {len(claim.arms)} arms themselves: {', '.join(by_arms[key])}"
        if key in by_arms
        else ""
        for key in claim.setup
    ]
    page.table(rows, indent=4, folds=1, below=own)
    _heading(page, f"arms, {claim.seeds} runs each")
    for arm, changes in claim.arms.items():
        text = ", ".join(f"{key} = {setting(value)}" for key, value in changes.items()) or "the settings as they are"
        page.line((arm, "bold"), f"   {text}", indent=4, hang=2)
    _heading(page, "run it")
    cost = f"   last time: {last.verdict} in {duration(last.seconds)}" if last else "   not run yet"
    page.verbatim(f"dlnrepro run {command_name(path)}{cost}", indent=4)
    page.verbatim(str(path), indent=4)


def _opening(page: TerminalPage, claim: Claim, verdict: Text | None) -> None:
    """The title, verdict, statement and source."""
    page.line((claim.id, "bold"), "   ", *([(verdict.plain, str(verdict.style))] if verdict is not None else []))
    page.line(claim.title, indent=2, hang=2)
    page.line()
    page.line(" ".join(claim.statement.split()), indent=2)
    page.line()
    source = claim.source
    page.line((source.reference, "dim"), indent=2)
    if source.note:
        page.line((" ".join(source.note.split()), "dim"), indent=2)


def _heading(page: TerminalPage, text: str) -> None:
    """A heading with a blank line above."""
    page.line()
    page.line((text, "underline"), indent=2)


def _assumption(page: TerminalPage, item: Judged) -> None:
    """An assumption: its sentence, and its numbers over all arms in a line; arm by arm only where it is not met."""
    if not item.holds:
        _numbers(page, item, None)
        return
    values = [value for check in item.holds_in for value in check.values if value is not None]
    arms = f" in {len(item.holds_in)} arms" if len(item.holds_in) > 1 else ""
    share = min(check.share_lower_bound for check in item.holds_in)
    spread = f"median {number(statistics.median(values))}, {number(min(values))} … {number(max(values))}"
    page.line(("✓ ", "green"), item.says, indent=4, hang=2)
    wanted = (f"{item.measure} {item.interval_text}", "bold")
    page.line(wanted, f"   {len(values)}/{len(values)} runs{arms} (share ≥ {share:.2f}), {spread}", indent=6, hang=2)


def _numbers(page: TerminalPage, item: Judged, reason: str | None) -> None:
    """A criterion, or an assumption that is not met: its sentence, threshold, and a row for each arm and control."""
    sign, style = MARKS[item.mark], {"pass": "green", "fail": "red", "undecided": "yellow"}[item.mark]
    page.line((f"{sign} {item.id}", style), f"   {item.says}", indent=4, hang=2)
    page.line((f"{item.measure} {item.interval_text}", "bold"), allowance(item.misses), indent=6)
    rows = [_row(check, False, page.width) for check in item.holds_in]
    rows += [_row(check, True, page.width) for check in item.fails_in]
    page.table(rows, right=(1, 2, 3), indent=6, folds=0, heads=(*ARM_HEADS[:-1], f" {ARM_HEADS[-1]}"))
    if gap := gap_words(item):
        page.line((gap, "dim"), indent=6)
    if reason:
        page.line((f"threshold: {' '.join(reason.split())}", "dim"), indent=6, hang=2)


def _row(check: Check, control: bool, width: int) -> list[str | Text]:
    """One arm in its words, fewer where there is little room; what is not as it should be stands out."""
    name, inside, share, median, spread = arm_words(check, control)
    style = ("" if check.tells else "yellow") if control else "" if check.holds else "red" if check.broken else "yellow"
    share = share if width >= WIDE else share.removesuffix(" as required")
    return [Text(name, style=style), inside, share, median, f" {spread}"]
