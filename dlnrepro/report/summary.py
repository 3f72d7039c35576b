"""The summary of a report, one line a claim, and the list of claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from rich.text import Text

from dlnrepro.claim import Claim
from dlnrepro.record import ClaimRecord, Report
from dlnrepro.report.digest import closest, controls_told, evidence, passing_runs, signed
from dlnrepro.report.numbers import duration
from dlnrepro.report.paper import Paper
from dlnrepro.store import LastVerdict

STYLES = {"reproduced": "green", "not reproduced": "red", "inconclusive": "yellow", "error": "magenta"}

NARROWEST_NAME = 12


def verdict_text(record: ClaimRecord) -> Text:
    """The verdict with its sign, in its colour; an expected failure is no alarm."""
    style = "green" if record.as_expected else STYLES[record.verdict]
    return Text(signed(record), style=style)


def summary(paper: Paper, report: Report) -> None:
    """One line a claim, then what they come to."""
    if report.claims:
        heads = ["verdict", "claim", "runs", "closest", "told", "time"]
        rows: list[list[str | Text]] = [[Text(head, style="dim") for head in heads]]
        rows += [_row(record) for record in report.claims]
        room = paper.width - sum(max(len(row[column]) for row in rows) + 1 for column in range(6) if column != 1)
        for row in rows:
            # Broken at its hyphens where it does not fit, and not in the middle of a word.
            row[1] = "\n".join(wrap(str(row[1]), max(room, NARROWEST_NAME))) if isinstance(row[1], str) else row[1]
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
    if shown := evidence(report):
        paper.line((shown, "dim"))
    if report.interrupted:
        paper.line(("interrupted: claims not listed did not finish", "yellow"))


def claim_list(claims: Sequence[Claim], last: Mapping[str, LastVerdict], width: int) -> str:
    """The claims grouped by paper: id, last verdict and what it cost, and below them the title and the tags."""
    paper = Paper(width)
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        authors = claim.source.authors
        names = f"{authors[0]} et al." if len(authors) > 2 else ", ".join(authors)
        arxiv = f", arXiv:{claim.source.arxiv}" if claim.source.arxiv else ""
        groups.setdefault(f"{claim.source.paper} ({names}, {claim.source.venue}{arxiv})", []).append(claim)
    for index, (title, members) in enumerate(groups.items()):
        if index:
            paper.line()
        paper.line(title, hang=2)
        for claim in members:
            found = last.get(claim.id)
            paper.line(f"{claim.id}   {_last(found) if found else 'not run yet'}", indent=2, hang=4)
            paper.line(claim.title, indent=6)
            paper.line((f"tags: {', '.join(claim.tags)}", "dim"), indent=6, hang=2)
    return paper.text()


def _last(last: LastVerdict) -> str:
    """The last verdict in a word, with its stamps, and what it cost."""
    stamps = f" ({', '.join(last.stamps)})" if last.stamps else ""
    return f"{last.verdict}{stamps} in {duration(last.seconds)}"


def _row(record: ClaimRecord) -> list[str | Text]:
    """One claim in one line."""
    passed, runs = passing_runs(record)
    told, controls = controls_told(record)
    row = [record.id, f"{passed}/{runs}", closest(record), f"{told}/{controls}", duration(record.seconds)]
    return [verdict_text(record), *row]
