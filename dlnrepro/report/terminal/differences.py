"""Two reports compared, as text: one line per claim, and below it whatever differs."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from dlnrepro.archive.comparison import ClaimComparison, Comparison, Difference
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.numbers import number
from dlnrepro.settings.numerals import numeral

SHOWN = 5
"""How many differing measures of a claim are named; the rest of them are counted."""

NOTABLE = 1.5
"""A claim is called slower or faster if its computing time differs by at least this factor; less is noise."""

LEAST_SECONDS = 0.5


def differences_page(page: TerminalPage, comparison: Comparison, quiet: bool = False) -> None:
    """The comparison of two reports; if quiet, only what differs by more than the tolerances, and the last line."""
    counts = Counter(claim.id for claim in comparison.claims)
    names = [claim.id if counts[claim.id] == 1 else claim.label for claim in comparison.claims]
    named = zip(names, comparison.claims, strict=True)
    shown = [(name, claim) for name, claim in named if not (quiet and claim.alike)]
    if rows := [_row(name, claim) for name, claim in shown]:
        page.table(rows, folds=3)
    for name, claim in shown:
        _details(page, name, claim)
    for ids, which in ((comparison.only_first, "first"), (comparison.only_second, "second")):
        if ids and not (quiet and which == "first"):
            page.line((f"only in the {which} report: ", "yellow"), ", ".join(ids), hang=2)
    if comparison.origins and (shown or not quiet):
        page.line("made with (first and second report): ", "; ".join(comparison.origins), hang=2)
    if shown or not quiet:
        page.line()
    page.line(_totals(comparison))


def _row(name: str, claim: ClaimComparison) -> list[str | Text]:
    """One claim in one line."""
    before, after = claim.verdicts
    sign = Text("=", style="green") if before == after else Text("✗", style="red")
    verdict = Text(before) if before == after else Text(f"{before} → {after}", style="red")
    return [sign, name, verdict, ", ".join(part for part in (_numbers(claim), _pace(claim)) if part)]


def _numbers(claim: ClaimComparison) -> str:
    """How the numbers compare, in a few words."""
    if claim.missing and not claim.compared:
        return "not comparable"
    rest = ", not comparable in full" if claim.missing else ""
    if claim.identical:
        return f"{claim.compared} numbers, bitwise identical"
    if not claim.differences:
        return f"{claim.compared} numbers, equal within the tolerances{rest}"
    return f"{sum(item.runs for item in claim.differences)} of {claim.compared} numbers differ{rest}"


def _pace(claim: ClaimComparison) -> str:
    """Faster or slower, where that is more than noise."""
    before, after = claim.seconds
    if claim.missing or min(before, after) < LEAST_SECONDS:
        return ""
    ratio = after / before
    if ratio >= NOTABLE:
        return f"{ratio:.1f} times slower"
    return f"{1 / ratio:.1f} times faster" if ratio <= 1 / NOTABLE else ""


def _details(page: TerminalPage, name: str, claim: ClaimComparison) -> None:
    """What differs in a claim, if anything."""
    if not (claim.missing or claim.settings or claim.differences):
        return
    page.line((name, "bold"))
    for text in (*claim.missing, *claim.settings):
        page.line(text, indent=2, hang=2)
    worst = sorted(claim.differences, key=_size, reverse=True)
    for item in worst[:SHOWN]:
        values = f"{_exact(item.first)} → {_exact(item.second)}"
        runs = "1 run differs" if item.runs == 1 else f"{item.runs} runs differ, this one most"
        page.line(f"{item.arm}, {item.measure}: {values} ({runs})", indent=2, hang=2)
    if len(worst) > SHOWN:
        page.line(f"and {len(worst) - SHOWN} more measures", indent=2)


def _size(item: Difference) -> float:
    """How far apart two numbers are, relative to the first; infinite if one is none."""
    if item.first is None or item.second is None:
        return float("inf")
    return abs(item.first - item.second) / (abs(item.first) or 1.0)


def _exact(value: float | None) -> str:
    """A number in enough digits for a small difference to show."""
    return number(value) if value is None else numeral(value, 12)


def _totals(comparison: Comparison) -> str:
    """How many claims were compared, and how they differ."""
    changed = sum(claim.verdicts[0] != claim.verdicts[1] for claim in comparison.claims)
    identical = sum(claim.identical for claim in comparison.claims)
    lacking = sum(bool(claim.missing) for claim in comparison.claims)
    parts = [
        f"{len(comparison.claims)} claim{'s' * (len(comparison.claims) != 1)} compared",
        f"{changed} verdict{'s' * (changed != 1)} changed" if changed else "no verdict changed",
        f"{identical} bitwise identical" if comparison.claims else "",
    ]
    return ", ".join([*filter(None, parts)] + ([f"{lacking} not comparable in full"] if lacking else []))
