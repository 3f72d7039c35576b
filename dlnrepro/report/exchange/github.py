"""What GitHub shows of a report: annotations, and the summary of the job.

Inside a GitHub job (GITHUB_ACTIONS=true) every claim that is not as expected becomes one annotation, at the line of
its file that the verdict is about; so does everything that could not be judged. The Markdown report is added to the
job's summary. Elsewhere nothing happens. Annotations are lines of text that the job's runner reads from both output
streams; they go to standard error, so that standard output holds the report alone, also as JSON.

GitHub shows ten annotations of one kind per step and drops the rest silently; so the tenth names all that remain.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.claimfile.document import Document, Place, parse, read_text
from dlnrepro.errors import Fault, Unjudged
from dlnrepro.report.exchange.markdown import LEAST_BYTES, markdown
from dlnrepro.report.words.digest import interruption, outcome, unjudged_words
from dlnrepro.report.words.remedies import counterexamples, remedies
from dlnrepro.visible import escaped, say

MOST_ANNOTATIONS = 10
SUMMARY_BYTES = 1024 * 1024

Level = Literal["error", "warning"]


def announce(report: Report) -> None:
    """Annotate the job and add to its summary, inside a GitHub job."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for line in report_annotations(report):
        click.echo(line, err=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        _add_to_summary(Path(summary), report)


def report_annotations(report: Report) -> list[str]:
    """One line for each claim that is not as expected and for whatever was not judged.

    Each is an error; an inconclusive claim, and the signal that ended the program, are warnings.
    """
    lines: list[str] = []
    for level in ("error", "warning"):
        odd = [record for record in report.claims if not record.as_expected and _level(record) == level]
        found = [(record.id, _annotation(record)) for record in odd]
        if level == "error":
            found = [(item.path or "dlnrepro", _unjudged(item)) for item in report.unjudged] + found
        elif said := interruption(report):
            found.insert(0, ("dlnrepro", annotation("warning", said, title="dlnrepro")))
        shown = found if len(found) <= MOST_ANNOTATIONS else found[: MOST_ANNOTATIONS - 1]
        lines += [line for _, line in shown]
        if rest := [name for name, _ in found[len(shown) :]]:
            lines.append(annotation(level, f"{len(rest)} more: {', '.join(rest)}", title="dlnrepro"))
    return lines


def annotation(
    level: Level, message: str, *, title: str = "", file: str = "", line: int | None = None, column: int | None = None
) -> str:
    """The line of text that makes an annotation."""
    given = {"file": file, "line": line, "col": column, "title": title}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in given.items() if value)
    return f"::{level}{' ' * bool(properties)}{properties}::{_data(message)}"


def _data(text: str) -> str:
    """Text that ends no command: percent signs and ends of lines are what GitHub reads."""
    return escaped(text.replace("##[", "# #[").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    """Text that also ends no property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _level(record: ClaimRecord) -> Level:
    """An inconclusive claim is a warning; everything else that is not as expected is an error."""
    return "warning" if record.verdict == "inconclusive" else "error"


def _unjudged(item: Unjudged) -> str:
    """The annotation of what was not judged, at its place in a file where it names one."""
    name = _known(item.path or "")
    if not name or item.line is None:
        return annotation("error", unjudged_words(item), title="dlnrepro: not judged", file=name)
    return annotation("error", item.text, title="dlnrepro: not judged", file=name, line=item.line, column=item.column)


def _annotation(record: ClaimRecord) -> str:
    """The annotation of a claim."""
    path, line = _place(record)
    shown = [f"{found.says} {found.command}" for found in counterexamples(record)]
    message = ". ".join([record.because, *shown, *remedies(record)])
    return annotation(_level(record), message, title=f"{record.id}: {outcome(record)}", file=path, line=line)


def _place(record: ClaimRecord) -> tuple[str, int | None]:
    """The claim's file as GitHub knows it, and the line that the verdict is about; nothing for a file elsewhere."""
    if not (name := _known(record.path)):
        return "", None
    content = read_text(Path(record.path))
    return name, 1 if isinstance(content, Fault) else _line(record, parse(content))


def _known(path: str) -> str:
    """The file as GitHub knows it, from the top of the repository; nothing for a file elsewhere, or for none."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    try:
        known = Path(path).resolve()
        if not known.is_file() or (workspace and not known.is_relative_to(Path(workspace).resolve())):
            return ""
        return str(known.relative_to(Path(workspace).resolve())) if workspace else path
    except (OSError, ValueError):
        # A record from elsewhere may name what no file system takes.
        return ""


def _line(record: ClaimRecord, document: Document) -> int:
    """The line of the file that the verdict is about, or the first one."""
    place = _subject(record, document.value)
    return document.places.get(place, (1, 1))[0]


def _subject(record: ClaimRecord, value: object) -> Place:
    """The key of the file that the verdict is about: an arm at fault, an assumption, a criterion, the expectation."""
    if record.verdict == "reproduced":
        return ("expect",)
    if faulty := [arm for arm, outcome in record.outcomes.items() if outcome.fault]:
        return ("arms", faulty[0])
    unmet = [index for index, item in enumerate(record.assumptions) if not item.holds]
    if unmet:
        return ("assumptions", unmet[0])
    open_ones = [item for item in record.criteria if not item.holds or not item.controls_fail]
    if not open_ones or not isinstance(value, dict):
        return ()
    wanted = min(open_ones, key=lambda item: not item.broken).id
    return next((("criteria", index) for index, id in enumerate(_ids(value.get("criteria"))) if id == wanted), ())


def _ids(criteria: object) -> Sequence[object]:
    """The ids of the criteria as the file has them now; the file may have changed since the report was made."""
    return (
        [item.get("id") if isinstance(item, dict) else None for item in criteria] if isinstance(criteria, list) else []
    )


def _add_to_summary(path: Path, report: Report) -> None:
    """Add the report to the job's summary, as far as there is room; a fault is named and changes nothing else."""
    try:
        room = SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
        if room < LEAST_BYTES:
            say(f"{path}: the job's summary is full, and this report is not in it")
            return
        with path.open("ab") as file:
            file.write(markdown(report, room))
    except OSError as error:
        say(f"{path}: the job's summary could not be written: {(error.strerror or str(error)).lower()}")
