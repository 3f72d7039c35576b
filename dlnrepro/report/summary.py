"""The summary of a report, one line a claim, and the list of claims."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.text import Text

from dlnrepro.check import Check, share_lower_bound
from dlnrepro.claim import Claim
from dlnrepro.interval import Interval, interval
from dlnrepro.record import ClaimRecord, Report
from dlnrepro.report.numbers import duration, number
from dlnrepro.report.paper import Paper
from dlnrepro.store import LastVerdict
from dlnrepro.verdict import Judged

STYLES = {"reproduced": "green", "not reproduced": "red", "inconclusive": "yellow", "error": "magenta"}
SIGNS = {"reproduced": "✓", "not reproduced": "✗", "inconclusive": "?", "error": "!"}


def verdict_text(record: ClaimRecord) -> Text:
    """The verdict with its sign, in its colour; an expected failure is no alarm."""
    style = "green" if record.as_expected else STYLES[record.verdict]
    return Text(f"{SIGNS[record.verdict]} {record.verdict}", style=style)


def summary(paper: Paper, report: Report) -> None:
    """One line a claim, then what they come to."""
    if report.claims:
        heads = ["verdict", "claim", "runs", "closest", "told", "time"]
        rows: list[list[str | Text]] = [[Text(head, style="dim") for head in heads]]
        rows += [_row(record) for record in report.claims]
        paper.table(rows, right=(2, 4, 5), folds=1)
    for record in report.claims:
        if record.verdict != "reproduced":
            expected = " (as expected)" if record.as_expected else ""
            paper.line((record.id, STYLES[record.verdict]), f"{expected}: {record.because}", indent=2, hang=2)
    paper.line()
    stamps = sorted({stamp for record in report.claims for stamp in record.stamps})
    counts = ", ".join(f"{count} {word}" for word, count in report.counts.items() if count) or "no claim finished"
    seconds = report.provenance.get("wall_seconds", 0.0)
    paper.line(counts, f" in {duration(seconds)}", f" · stamped {', '.join(stamps)}" if stamps else "")
    runs = max((len(check.seeds) for record in report.claims for check in _checks(record)), default=0)
    if runs and report.counts["reproduced"]:
        bound = share_lower_bound(runs, runs)
        paper.line(
            (
                f"{runs} of {runs} runs show that at least {bound:.2f} of all runs pass (95 % confidence), no more.",
                "dim",
            )
        )
    if report.interrupted:
        paper.line(("interrupted: claims not listed did not finish", "yellow"))


def claim_list(claims: Sequence[Claim], last: Mapping[str, LastVerdict], width: int) -> str:
    """The claims grouped by paper: id, title, last verdict."""
    paper = Paper(width)
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        authors = claim.source.authors
        names = f"{authors[0]} et al." if len(authors) > 2 else ", ".join(authors)
        arxiv = f", arXiv:{claim.source.arxiv}" if claim.source.arxiv else ""
        groups.setdefault(f"{claim.source.paper} ({names}, {claim.source.venue}{arxiv})", []).append(claim)
    longest = max(len(claim.id) for claim in claims)
    for index, (title, members) in enumerate(groups.items()):
        if index:
            paper.line()
        paper.line(title, hang=2)
        rows: list[list[str | Text]] = []
        for claim in members:
            found = last.get(claim.id)
            rows.append([claim.id.ljust(longest), claim.title, _last(found) if found else "not run yet"])
        paper.table(rows, indent=2, folds=1)
    return paper.text()


def _last(last: LastVerdict) -> str:
    """The last verdict in a word, with its stamps."""
    return last.verdict + (f" ({', '.join(last.stamps)})" if last.stamps else "")


def _row(record: ClaimRecord) -> list[str | Text]:
    """One claim in one line."""
    passed, runs = _passing_runs(record)
    controls = [control for item in record.criteria for control in item.fails_in]
    told = f"{sum(control.tells for control in controls)}/{len(controls)}"
    tightest = max(record.criteria, key=_use, default=None)
    closest = "none"
    if tightest is not None and tightest.worst is not None:
        closest = f"{number(tightest.worst)} {_wanted(tightest)}"
    return [verdict_text(record), record.id, f"{passed}/{runs}", closest, told, duration(record.seconds)]


def _passing_runs(record: ClaimRecord) -> tuple[int, int]:
    """How many runs of the arms that must hold pass everything that is asked of them, of how many."""
    passing: dict[str, list[bool]] = {}
    for item in (*record.assumptions, *record.criteria):
        bounds = _interval(item)
        for check in item.holds_in:
            runs = passing.setdefault(check.arm, [True] * len(check.seeds))
            for index, value in enumerate(check.values):
                runs[index] &= value is not None and bounds.contains(value)
    return sum(map(sum, passing.values())), sum(map(len, passing.values()))


def _wanted(item: Judged) -> str:
    """The interval in the fewest words."""
    return f"in {item.interval_text.replace(' ', '')}" if item.interval_text[0] not in "<>≤≥" else item.interval_text


def _interval(item: Judged) -> Interval:
    """The interval of a judged criterion."""
    return interval(**item.interval)


def _use(item: Judged) -> float:
    """How much of its tolerance the worst run uses up: 0 none, 1 all, above 1 too much."""
    bounds = _interval(item)
    if item.worst is None:
        return -1.0
    if math.isfinite(bounds.low) and math.isfinite(bounds.high):
        half = (bounds.high - bounds.low) / 2
        return abs(item.worst - (bounds.low + half)) / half if half else float(item.worst != bounds.low)
    bound = bounds.high if math.isfinite(bounds.high) else bounds.low
    if bound == 0 or item.worst * bound <= 0:
        return 0.0 if bounds.contains(item.worst) else math.inf
    ratio = item.worst / bound
    return ratio if math.isfinite(bounds.high) == (bound > 0) else 1 / ratio


def _checks(record: ClaimRecord) -> list[Check]:
    """Every check of a claim that must hold."""
    return [check for item in record.criteria for check in item.holds_in]
