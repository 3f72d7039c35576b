"""The summary of a report, two lines for each claim, and the list of claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.archive.report_store import LastVerdict
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.digest import (
    LEGEND,
    evidence_of_report,
    failed_controls,
    interruption,
    passing_runs,
    signed,
    tightest,
    unjudged_words,
    verdict_counts,
)
from dlnrepro.report.words.numbers import duration
from dlnrepro.report.words.origins import differing_origins

STYLES = {"reproduced": "green", "not reproduced": "red", "inconclusive": "yellow", "error": "magenta"}


def verdict_text(record: ClaimRecord) -> Text:
    """The verdict with its sign, in its colour; an expected failure is no alarm."""
    style = "green" if record.as_expected else STYLES[record.verdict]
    return Text(signed(record), style=style)


def summary(page: TerminalPage, report: Report) -> None:
    """Each claim with its tightest criterion, what the words mean, and what all claims come to."""
    if report.claims:
        heads = ("verdict", "claim", "runs", "controls", "time", "")
        # A claim without numbers has no such line: a lone word would say nothing.
        below = ["" if (words := tightest(record)) == "none" else words for record in report.claims]
        rows = [_row(record) for record in report.claims]
        page.table(rows, right=(2, 3, 4), folds=1, heads=heads, below=below)
        page.line()
        for word, meaning in LEGEND:
            page.line((f"{word}: {meaning}", "dim"), hang=2)
        page.line()
    for record in report.claims:
        if record.verdict != "reproduced":
            expected = " (as expected)" if record.as_expected else ""
            page.line((record.id, STYLES[record.verdict]), f"{expected}: {record.because}", hang=2)
    for item in report.unjudged:
        page.line(("not judged", "magenta"), f": {unjudged_words(item)}", hang=2)
    stamps = sorted({stamp for record in report.claims for stamp in record.stamps})
    for name, values in differing_origins(report):
        page.line((f"made with different {name}", "yellow"), f": {values}", hang=2)
    seconds = report.provenance.get("wall_seconds")
    took = f" · wall-clock time {duration(seconds)}" if seconds is not None else ""
    stamped = f" · stamped {', '.join(stamps)}" if stamps else ""
    page.line(f"{verdict_counts(report)}{took}{stamped}", hang=2)
    if shown := evidence_of_report(report):
        page.line((shown, "dim"))
    if said := interruption(report):
        page.line((said, "yellow"))


def claim_list(claims: Sequence[Claim], last: Mapping[str, LastVerdict], page: TerminalPage | None = None) -> str:
    """The claims of each paper, by its first author: id, last verdict and cost, title and tags.

    The page is as wide as the terminal if none is given.
    """
    page = page or TerminalPage.of_terminal()
    for index, members in enumerate(by_paper(claims)):
        if index:
            page.line()
        page.line(members[0].source.heading, hang=2)
        for claim in members:
            found = last.get(claim.id)
            page.line(f"{claim.id}   {_last(found) if found else 'not run yet'}", indent=2, hang=4)
            page.line(claim.title, indent=6)
            if claim.tags:
                page.line((f"tags: {', '.join(claim.tags)}", "dim"), indent=6, hang=2)
    return page.text()


def _last(last: LastVerdict) -> str:
    """The last verdict in a word, with its stamps, and what it cost."""
    stamps = f" ({', '.join(last.stamps)})" if last.stamps else ""
    return f"{last.verdict}{stamps} in {duration(last.seconds)}"


def _row(record: ClaimRecord) -> list[str | Text]:
    """One claim in one line."""
    passed, runs = passing_runs(record)
    failed, controls = failed_controls(record)
    cached = "cached" if "cached" in record.stamps else ""
    return [
        verdict_text(record),
        record.id,
        f"{passed}/{runs}",
        f"{failed}/{controls}",
        duration(record.seconds),
        cached,
    ]
