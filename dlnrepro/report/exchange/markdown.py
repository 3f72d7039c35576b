"""Reports as GitHub-flavoured Markdown, for a comment on a pull request or for the summary of a job.

A line of counts, a table of the claims, and a part to unfold for each claim: every number of a claim that is not as
expected, a few lines of the others. GitHub refuses a comment beyond 65,536 characters and a summary beyond 1 MiB, so
the text keeps to a limit in bytes (of which there are at least as many as characters): what does not fit is left out,
the claims as expected first, and counted at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.exchange.markup import code, in_html, text
from dlnrepro.report.words.digest import (
    ARM_HEADS,
    MARKS,
    allowance,
    arm_words,
    computing_time,
    departures,
    evidence_of_report,
    failed_controls,
    gap_words,
    interruption,
    passing_runs,
    signed,
    tightest,
    unjudged_words,
    verdict_counts,
)
from dlnrepro.report.words.numbers import number
from dlnrepro.report.words.origins import differing_origins
from dlnrepro.verdict.judge import Judged

COMMENT_BYTES = 65_536
LEAST_BYTES = 3_000
NOTE_BYTES = 200

_ARM_TABLE = (f"| {' | '.join(ARM_HEADS)} |", "|---|--:|--:|--:|---|")
_CLAIM_TABLE = (
    "| verdict | claim | runs passed | tightest criterion | controls failed as required | computing time | stamps |\n"
    "|---|---|--:|---|--:|--:|---|\n"
)


def markdown(report: Report, limit: int = COMMENT_BYTES) -> bytes:
    """The report as Markdown in UTF-8.

    Args:
        report: what to lay out.
        limit: bytes that the text may take; at least 3,000, for the counts and what produced them stand in every page.
    """
    head, foot = _head(report), _foot(report)
    room = _Room(limit - NOTE_BYTES - len((head + foot + _CLAIM_TABLE).encode()))
    lines = [f"- **not judged**: {text(unjudged_words(item))}\n" for item in report.unjudged]
    unjudged = [line for line in lines if room.first_that_fits([line])]
    # The claims that ask for attention take their room first, and every row of the table before what is unfolded.
    urgent = sorted(report.claims, key=lambda record: record.as_expected)
    rows = {id(record): row for record in urgent if (row := room.first_that_fits([_row(record)]))}
    table = [rows[id(record)] for record in report.claims if id(record) in rows]
    parts = [part for record in urgent if (part := room.first_that_fits(_parts(record)))]
    left_out = 2 * len(urgent) - len(table) - len(parts) + len(lines) - len(unjudged)
    note = f"_Left out, to stay below {limit:,} bytes: {left_out} rows and parts. `report.json` has all._\n\n"
    pieces = [
        head,
        *unjudged,
        "\n" if unjudged else "",
        _CLAIM_TABLE if table else "",
        *table,
        "\n" if table else "",
        *parts,
    ]
    return "".join([*pieces, note if left_out else "", foot]).encode()


class _Room:
    """The bytes that are left."""

    def __init__(self, room: int) -> None:
        self._left = room

    def first_that_fits(self, candidates: Iterable[str]) -> str | None:
        """The first of some texts that there is room for, which it then takes; None if none fits."""
        for candidate in candidates:
            if (size := len(candidate.encode())) <= self._left:
                self._left -= size
                return candidate
        return None


def _head(report: Report) -> str:
    """The counts and what they show."""
    lines = [f"### dlnrepro: {verdict_counts(report)}", ""]
    if said := interruption(report):
        lines += [f"**{said[0].upper()}{said[1:].replace(':', '**:', 1)}.", ""]
    if shown := evidence_of_report(report):
        lines += [shown, ""]
    return "\n".join(lines) + "\n"


def _foot(report: Report) -> str:
    """What produced the report."""
    provenance = report.provenance
    versions = provenance.get("versions", {})
    known = [f"{name} {versions[name]}" for name in ("dlnrepro", "torch") if name in versions]
    if commit := provenance.get("commit"):
        known.append(f"commit {str(commit)[:12]}{' with uncommitted changes' if provenance.get('dirty') else ''}")
    elif "dirty" in provenance and provenance["dirty"] is None:
        known.append("commit unknown")
    known += [f"{provenance[key]}" for key in ("started",) if key in provenance]
    known += [f"{name} {values}" for name, values in differing_origins(report)]
    return f"<sub>{in_html(', '.join([*known, f'exit code {report.exit_code}']))}</sub>\n"


def _verdict(record: ClaimRecord) -> str:
    """The verdict with its sign, and how it relates to what was expected where that is no matter of course."""
    if record.as_expected:
        return signed(record) + (" (as expected)" if record.verdict == "not reproduced" else "")
    return signed(record) + (" (not expected)" if record.verdict == "reproduced" else "")


def _row(record: ClaimRecord) -> str:
    """One claim as a row of the table."""
    verdict = _verdict(record) if record.as_expected else f"**{_verdict(record)}**"
    passed, runs = passing_runs(record)
    failed, controls = failed_controls(record)
    cells = [verdict, code(record.id), f"{passed}/{runs}", text(tightest(record)), f"{failed}/{controls}"]
    return f"| {' | '.join([*cells, computing_time(record), text(', '.join(record.stamps))])} |\n"


def _parts(record: ClaimRecord) -> Iterable[str]:
    """What to unfold for a claim, the longest first."""
    if not record.as_expected:
        yield _part(record, _full(record))
    yield _part(record, [_compact(item) for item in record.criteria])


def _part(record: ClaimRecord, lines: Sequence[str]) -> str:
    """Lines to unfold below a claim's verdict, id and title."""
    summary = f"{_verdict(record)}: <b>{in_html(record.id)}</b>, {in_html(record.title)}"
    opening = [f"<details{'' if record.as_expected else ' open'}><summary>{summary}</summary>", ""]
    plain = record.as_expected and record.verdict == "reproduced"
    because = [] if plain else [f"Because: {text(record.because)}", ""]
    because += [f"Changed: {text(line)}\n" for line in departures(record)]
    closing = ["", f"Again: {code(record.command)}", "", "</details>", "", ""]
    return "\n".join([*opening, *because, *lines, *closing]).replace("\n\n\n", "\n\n")


def _full(record: ClaimRecord) -> list[str]:
    """All numbers of a claim."""
    reasons = {item.get("id"): item.get("why") or item.get("because") for item in record.claim.get("criteria", ())}
    faults = [f"- arm {code(arm)}: {text(found.fault)}" for arm, found in record.outcomes.items() if found.fault]
    lines = faults if len(faults) > 1 else []  # the first one is the reason, which stands above
    for item in record.assumptions:
        lines += _numbers(item, "assumption ", None)
    for item in record.criteria:
        lines += _numbers(item, "", reasons.get(item.id))
    return lines


def _numbers(item: Judged, kind: str, reason: str | None) -> list[str]:
    """A criterion or an assumption with a table of its arms and controls."""
    wanted = code(f"{item.measure} {item.interval_text}")
    lines = [
        "",
        f"**{MARKS[item.mark]} {kind}{text(item.id)}**: {text(item.says)}: {wanted}{allowance(item.misses)}",
        "",
        *_ARM_TABLE,
    ]
    lines += [_arm(arm_words(check, False), check.holds) for check in item.holds_in]
    lines += [_arm(arm_words(check, True), check.tells) for check in item.fails_in]
    if gap := gap_words(item):
        lines += ["", f"The {gap.removeprefix('the ')}."]
    if reason:
        lines += ["", f"Threshold: {text(reason)}"]
    return lines


def _arm(words: Sequence[str], good: bool) -> str:
    """An arm as a row of its table; what is not as it should be stands out."""
    name, *rest = map(text, words)
    return f"| {' | '.join([name if good else f'**{name}**', *rest])} |"


def _compact(item: Judged) -> str:
    """A criterion in a line."""
    failed = f"controls failed as required {sum(control.tells for control in item.fails_in)}/{len(item.fails_in)}"
    wanted = code(f"{item.measure} {item.interval_text}")
    return (
        f"- {MARKS[item.mark]} {code(item.id)}: {text(item.says)}: {wanted}, worst run {number(item.worst)}, {failed}"
    )
