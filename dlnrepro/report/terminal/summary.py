"""The summary of a report, a few lines for each claim."""

from __future__ import annotations

from rich.text import Text

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.terminal.verdict_text import STYLES, verdict_text
from dlnrepro.report.words.brief.outcomes import COVERED, label_words
from dlnrepro.report.words.chances import chance_words
from dlnrepro.report.words.digest import (
    SIGNS,
    bases_of_report,
    covers_of,
    failed_controls,
    interruption,
    is_tested,
    legend,
    outcome,
    passing_runs,
    tightest,
    unjudged_words,
    verdict_counts,
)
from dlnrepro.report.words.labels import qualifications
from dlnrepro.report.words.numbers import duration
from dlnrepro.report.words.origins import differing_origins
from dlnrepro.report.words.others.printed import printed_counts, printed_differences
from dlnrepro.report.words.remedies import counterexamples, remedies
from dlnrepro.visible import in_a_line

LABELS = "how results differ from a complete new run of the claim files"
HEADS = ("\nverdict", "\nclaim", "runs\npassed", "controls\nfailed", "computing\ntime", "")


def summary(page: TerminalPage, report: Report, full: bool = False) -> None:
    """Each claim with its tightest criterion, what the words mean, and how all claims came out.

    Args:
        page: what it is laid out on.
        report: the claims.
        full: whether the claims stand above in full; then the legend explains the words of that part too, and the
            reason of a single claim's verdict is not repeated.
    """
    reduced = sum("toy" in record.stamps for record in report.claims)
    if reduced and not full:
        page.line(
            ("REDUCED: ", "yellow"), f"{reduced} of {len(report.claims)} results come from the quick profile", hang=2
        )
    if any(map(is_tested, report.claims)) or (report.claims and not full):
        below = [_below(record) for record in report.claims]
        page.table([_row(record) for record in report.claims], right=(2, 3, 4), folds=1, heads=HEADS, below=below)
        page.line()
        for word, meaning in legend(report.claims, full):
            page.line((f"{word}: {meaning}", "dim"), hang=2)
        page.line()
    read = full and len(report.claims) == 1  # the only claim stands above in full, and its reason there
    for record in report.claims:
        if not read and (record.verdict != "reproduced" or not record.as_expected):
            _reason(page, record)
    for item in report.unjudged:
        page.line(("not judged", "magenta"), f": {unjudged_words(item)}", hang=2)
    for name, values in differing_origins(report):
        page.line((f"made with different {name}", "yellow"), f": {values}", hang=2)
    page.line(_counts(report), hang=2)
    _printed(page, report, read)
    stamps = sorted({stamp for record in report.claims for stamp in record.stamps})
    if stamps:
        page.line(f"labels ({LABELS}): {label_words(stamps)}", hang=2)
    if chances := chance_words(report.claims):
        page.line((f"chance of a wrong verdict: {' '.join(chances)}", "dim"), hang=2)
    if said := bases_of_report(report):
        page.line((said, "dim"))
    if ended := interruption(report):
        page.line((ended, "yellow"))


def _row(record: ClaimRecord) -> list[str | Text]:
    """One claim in one line."""
    passed, runs = passing_runs(record)
    failed, controls = failed_controls(record)
    cached = "cached" if "cached" in record.stamps else ""
    return [
        _verdict_cell(record),
        record.id,
        f"{passed}/{runs}",
        f"{failed}/{controls}",
        duration(record.seconds),
        cached,
    ]


def _verdict_cell(record: ClaimRecord) -> Text:
    """The verdict with its sign, and below it how much of the source's statement it is about."""
    text = Text(f"{SIGNS[record.verdict]} {record.verdict}", style=verdict_text(record).style)
    if (covers := covers_of(record)) is None:
        return text
    return text.append(f"\n  {COVERED[covers] if record.verdict == 'reproduced' else f'({covers})'}")


def _below(record: ClaimRecord) -> str:
    """What qualifies the verdict, and the tightest criterion; a claim without numbers has none."""
    lines = [f"{word}: {says}" for word, says in qualifications(record)]
    # Without numbers there is no tightest criterion: a lone word would say nothing.
    lines += [] if (words := tightest(record)) == "none" else [f"tightest criterion: {words}"]
    return "\n".join(map(in_a_line, lines))


def _reason(page: TerminalPage, record: ClaimRecord) -> None:
    """Why a claim is not reproduced, or not as expected; of an expected failure also what is wrong in the source."""
    if record.verdict == "reproduced":
        page.line((record.id, "red"), f" is {outcome(record)}, though the claim file expects that it is not.", hang=2)
        return
    expected = f" ({outcome(record)}, as expected)" if record.as_expected else ""
    page.line((record.id, STYLES[record.verdict]), f"{expected}: {record.because}", hang=2)
    if not record.as_expected:
        for found in counterexamples(record):
            page.line(found.says, indent=2, hang=2)
            page.verbatim(found.command, indent=4)
        for said in remedies(record):
            page.line(said, indent=2, hang=2)
    if record.as_expected and (because := record.claim.get("because")):
        page.line(f"Why this is expected: {page.typeset(in_a_line(str(because)))}", indent=2, hang=2)


def _printed(page: TerminalPage, report: Report, read: bool) -> None:
    """How many numbers that others have printed agree with ours, and those that differ, unless they stand above."""
    if counted := printed_counts(report.claims):
        page.line(counted, hang=2)
    for record in () if read else report.claims:
        for said in printed_differences(record):
            page.line((record.id, "yellow"), f": {said}", indent=2, hang=2)


def _counts(report: Report) -> str:
    """How many claims came out in each way, and the time that it took."""
    computing = f"; computing time {duration(sum(record.seconds for record in report.claims))}" * bool(report.claims)
    wall = report.provenance.get("wall_seconds")
    return f"{verdict_counts(report)}{computing}" + (
        f"; the whole invocation took {duration(wall)}" if wall is not None else ""
    )
