"""Reports as GitHub-flavoured Markdown, for a comment on a pull request or for the summary of a job.

A line of counts, a table of the claims, and a part to unfold for each claim: every number of a claim that is not as
expected, a few lines of every other claim. GitHub refuses a comment of more than 65,536 characters and a summary of
more than 1 MiB, so the text keeps to a limit in bytes (of which there are at least as many as characters): what does
not fit is left out, the claims as expected first, and counted at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.exchange.markup import code, in_html, prose, text
from dlnrepro.report.words.brief.outcomes import label_words
from dlnrepro.report.words.chances import chance_words
from dlnrepro.report.words.digest import (
    ARM_HEADS,
    MARKS,
    ONLY_FORMULAS,
    arm_words,
    bases_of_report,
    computing_time,
    control_note,
    covers_words,
    failed_controls,
    gap_words,
    interruption,
    legend,
    only_formulas,
    passing_runs,
    signed,
    tightest,
    unjudged_words,
    verdict_counts,
    weak_controls,
    with_numbers,
)
from dlnrepro.report.words.labels import qualifications
from dlnrepro.report.words.margins import margin_words, slack_words
from dlnrepro.report.words.origins import differing_origins
from dlnrepro.report.words.others import printed
from dlnrepro.report.words.remedies import counterexamples, remedies
from dlnrepro.report.words.shares import further_runs, quantifier_words
from dlnrepro.report.words.typeset import in_terminal
from dlnrepro.report.words.words import reason_words
from dlnrepro.verdict.judge import Judged, wanted

COMMENT_BYTES = 65_536
LEAST_BYTES = 3_000
NOTE_BYTES = 200

_ARM_TABLE = (f"| {' | '.join(ARM_HEADS)} |", "|---|--:|--:|---|--:|---|")
_PRINTED_TABLE = (f"| {' | '.join(printed.PRINTED_HEADS)} |", "|---|--:|---|--:|---|")
_CLAIM_TABLE = (
    "| verdict | claim | runs passed | tightest criterion | controls failed as required | computing time | labels |\n"
    "|---|---|--:|---|--:|--:|---|\n"
)


def markdown(report: Report, limit: int = COMMENT_BYTES) -> bytes:
    """The report as Markdown in UTF-8.

    Args:
        report: what to lay out.
        limit: bytes that the text may take; at least 3,000, since every page has the counts, the legend and the origin.
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
        room.first_that_fits([_legend(report)]) or "",
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
    if reduced := sum("toy" in record.stamps for record in report.claims):
        lines += [f"**REDUCED**: {reduced} of {len(report.claims)} results come from the quick profile.", ""]
    if said := interruption(report):
        lines += [f"**{said[0].upper()}{said[1:].replace(':', '**:', 1)}.", ""]
    if chances := chance_words(report.claims):
        lines += [f"**Chance of a wrong verdict.** {' '.join(chances)}", ""]
    if bases := bases_of_report(report):
        lines += [bases, ""]
    if counted := printed.printed_counts(report.claims):
        lines += [f"**Numbers printed by others.** {counted}.", ""]
    return "\n".join(lines) + "\n"


def _legend(report: Report) -> str:
    """What the words mean, to unfold."""
    lines = [f"- **{text(word)}**: {text(meaning)}" for word, meaning in legend(report.claims)]
    if not lines:
        return ""
    return "\n".join(["<details><summary>What the words mean</summary>", "", *lines, "", "</details>", "", ""])


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
    """The verdict with its sign; of a claim that is expected to fail, or that fails to, also that."""
    if record.as_expected:
        return signed(record) + (" (as expected)" if record.verdict == "not reproduced" else "")
    return signed(record) + (" (not expected)" if record.verdict == "reproduced" else "")


def _row(record: ClaimRecord) -> str:
    """One claim as a row of the table."""
    verdict = _verdict(record) if record.as_expected else f"**{_verdict(record)}**"
    passed, runs = passing_runs(record)
    failed, controls = failed_controls(record)
    cells = [verdict, code(record.id), f"{passed}/{runs}", text(tightest(record)), f"{failed}/{controls}"]
    return f"| {' | '.join([*cells, computing_time(record), text(label_words(record.stamps))])} |\n"


def _parts(record: ClaimRecord) -> Iterable[str]:
    """What to unfold for a claim, the longest first."""
    if not record.as_expected:
        yield _part(record, _full(record))
    yield _part(record, [_compact(item) for item in record.criteria])


def _part(record: ClaimRecord, lines: Sequence[str]) -> str:
    """Lines to unfold below a claim's verdict, id and title."""
    summary = f"{_verdict(record)}: <b>{in_html(record.id)}</b>, {in_html(in_terminal(record.title))}"
    opening = [f"<details{'' if record.as_expected else ' open'}><summary>{summary}</summary>", ""]
    notes = [f"**{word}**: {text(says)}\n" for word, says in qualifications(record)]
    if not (record.as_expected and record.verdict == "reproduced"):
        notes.append(f"Because: {text(record.because)}\n")
    notes += [f"Covers: {prose(covers)}\n"] if (covers := covers_words(record)) else []
    points = [text(said) for said in (*weak_controls(record), *further_runs(record))]
    points += [f"{code(arm)}: {prose(str(says))}" for arm, says in (record.claim.get("controls") or {}).items()]
    points += [f"{text(found.says)} {code(found.command)}" for found in counterexamples(record)]
    points += map(prose, remedies(record))
    points += map(text, filter(None, (printed.printed_counts([record]), printed.why_not_compared(record))))
    points += map(text, printed.printed_differences(record))
    notes += ["\n".join(f"- {point}" for point in points) + "\n"] if points else []
    if record.as_expected and record.verdict == "not reproduced":
        notes.append(f"Why this is expected: {prose(str(record.claim.get('because')))}\n")
    closing = ["", f"To repeat this: {code(record.command)}", "", "</details>", "", ""]
    return "\n".join([*opening, *notes, *lines, *closing]).replace("\n\n\n", "\n\n")


def _full(record: ClaimRecord) -> list[str]:
    """All numbers of a claim."""
    reasons = {item.get("id"): _reason(item) for item in record.claim.get("criteria", ())}
    faults = [f"- arm {code(arm)}: {text(found.fault)}" for arm, found in record.outcomes.items() if found.fault]
    lines = faults if len(faults) > 1 else []  # the first one is the reason, which stands above
    for item in with_numbers(record, record.assumptions):
        lines += _numbers(item, "assumption ", record.meanings, None)
    for item in with_numbers(record, record.criteria):
        lines += _numbers(item, "", record.meanings, reasons.get(item.id))
        lines += _printed(record, item.id)
    return lines


def _printed(record: ClaimRecord, criterion: str) -> list[str]:
    """The numbers that others have printed for a criterion, with ours."""
    if not (items := printed.of_criterion(record, criterion)):
        return []
    rows = [_arm(printed.row(item), not printed.differs(item)) for item in items]
    return ["", *_PRINTED_TABLE, *rows, "", *(f"- {_capital(prose(said))}" for said in printed.sources(items))]


def _reason(criterion: Mapping[str, Any]) -> str | None:
    """Where the threshold of a criterion comes from, or why it has no control."""
    if criterion.get("why"):
        return reason_words(str(criterion["why"]))
    return f"no control: {criterion['because']}" if criterion.get("because") else None


def _numbers(item: Judged, kind: str, meanings: Mapping[str, str], reason: str | None) -> list[str]:
    """A criterion or an assumption with the definition of its measure and a table of its arms and controls."""
    meaning = meanings.get(item.measure)
    lines = [
        "",
        f"**{MARKS[item.mark]} {kind}{text(item.id)}**: {prose(item.says)}",
        "",
        f"Required: {code(wanted(item))}{quantifier_words(item.runs)}",
        "",
        *([f"{code(item.measure)}: {prose(meaning)}", ""] if meaning else []),
        *_ARM_TABLE,
    ]
    lines += [_arm(arm_words(check), check.holds) for check in (*item.holds_in, *item.fails_in)]
    for check in item.fails_in:
        lines += ["", f"Control {code(check.arm)}: {text(note)}"] if (note := control_note(check)) else []
    for said in filter(None, (ONLY_FORMULAS if only_formulas(item) else None, gap_words(item), slack_words(item))):
        lines += ["", f"{_capital(text(said))}."]
    if reason:
        lines += ["", prose(_capital(reason))]
    return lines


def _capital(sentence: str) -> str:
    """A sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def _arm(words: Sequence[str], good: bool) -> str:
    """An arm as a row of its table; what is not as it should be stands out."""
    name, *rest = map(text, words)
    return f"| {' | '.join([name if good else f'**{name}**', *rest])} |"


def _compact(item: Judged) -> str:
    """A criterion in a line."""
    failed = f"{sum(control.holds for control in item.fails_in)} of {len(item.fails_in)} controls failed as required"
    worst = "no run has a number" if item.worst is None else f"worst run {margin_words(item)}"
    says = f"{code(item.id)}: {prose(item.says.strip().rstrip('.'))}."
    required = f"Required: {code(wanted(item))}{quantifier_words(item.runs)}"
    return f"- {MARKS[item.mark]} {says} {required}; {text(worst)}; {failed}."
