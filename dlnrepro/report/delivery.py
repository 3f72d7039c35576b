"""Delivers reports: to the terminal, to standard output as JSON, and to files by their suffix."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.files import check_output, write_whole
from dlnrepro.session.faults import logged
from dlnrepro.visible import say

if TYPE_CHECKING:
    from dlnrepro.archive.audits import AuditRecord
    from dlnrepro.archive.record import Report


class Format(NamedTuple):
    """A format of a report's file: the module and the function that write it, its purpose, and if it shows audits.

    The module is imported only when a file of this format is written, so that `--help` need not wait for it.
    """

    module: str
    function: str
    says: str
    audited: bool = False

    def write(self, report: Report, audits: Mapping[str, AuditRecord]) -> bytes:
        """The content of a file in this format, with the audits of its claims if the format shows audits."""
        function = getattr(importlib.import_module(self.module), self.function)
        written: bytes = function(report, audits) if self.audited else function(report)
        return written


FORMATS = {
    ".html": Format("dlnrepro.report.page.html", "to_html", "a page for people", audited=True),
    ".json": Format("dlnrepro.archive.record", "to_json", "every number"),
    ".md": Format("dlnrepro.report.exchange.markdown", "markdown", "Markdown for GitHub"),
    ".xml": Format("dlnrepro.report.exchange.junit", "junit", "JUnit for continuous integration"),
}
"""The formats of a report's file, by the suffix of its name; the help of `-o` and the README list them."""


def check_files(files: Sequence[str], figures: Path | None = None) -> None:
    """Refuse files, and a folder of figures, that could not be written, before anything is trained.

    Raises:
        UsageError: the suffix is unknown, or the folder does not exist or cannot be written.
    """
    check_output(files, FORMATS)
    if figures is not None:
        nearest = next(place for place in (figures, *figures.absolute().parents) if place.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            raise UsageError(f"--figures {figures}: expected a folder that can be written")


def deliver(
    report: Report,
    folder: Path | None,
    files: Sequence[str],
    *,
    figures: Path | None = None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    alone: bool = False,
    root: Path | None = None,
) -> list[Unjudged]:
    """Print a report and write it to files; if a file cannot be written, the other files are still written.

    Args:
        report: the report to deliver.
        folder: the folder of the stored report, which is named below the summary.
        files: paths whose suffix names a format.
        figures: folder for the figures as files.
        as_json: print JSON instead of the terminal report.
        verbose: show every claim in full, with the history of its tests.
        quiet: show only the summary.
        alone: whether only one claim was selected; it is then shown in full.
        root: the outputs folder, whose audits a page shows; None for no audits.

    Returns:
        The files that could not be delivered, with the reasons.
    """
    from dlnrepro.archive.record import to_json

    # Printed first: the results of a long computation must not be lost because a file cannot be written.
    steps: list[tuple[str, Callable[[], None]]] = []
    if as_json:
        # In UTF-8 whatever the terminal's encoding is, as JSON demands.
        steps.append(("--json", lambda: click.echo(to_json(report), nl=False)))
    else:
        full = (verbose or alone) and not quiet
        steps.append(("the report", lambda: _print(report, folder, full=full, history=verbose)))
    steps += [(f"-o {name}", partial(_write, report, Path(name), root)) for name in files]
    if figures is not None:
        steps.append((f"--figures {figures}", partial(_draw, report, figures)))
    return [fault for what, step in steps if (fault := _fault_of(what, step)) is not None]


def _fault_of(what: str, step: Callable[[], None]) -> Unjudged | None:
    """Take one step of the delivery; return the reason why it failed, or None."""
    try:
        step()
    except UsageError as error:
        return Unjudged(2, None, str(error))
    except Exception as error:
        return Unjudged(3, None, f"{what}: expected to be written, found {logged(error)}")
    return None


def _write(report: Report, path: Path, root: Path | None) -> None:
    """Write a report to a file in the format of its suffix."""
    from dlnrepro.archive.audits import known_audit

    form = FORMATS[path.suffix]
    ids = {record.id for record in report.claims} if root is not None and form.audited else set()
    found = {name: known_audit(root, name) for name in ids if root is not None}
    write_whole(path, form.write(report, {name: audit for name, audit in found.items() if audit is not None}))


def _draw(report: Report, folder: Path) -> None:
    """Write the figures of a report."""
    from dlnrepro.report.drawing.figure_folder import write_figures

    say(f"{len(write_figures(report, folder))} figures in {folder}")


def _print(report: Report, folder: Path | None, *, full: bool, history: bool) -> None:
    """Print the report for people."""
    from dlnrepro.report.terminal.detail import record_page
    from dlnrepro.report.terminal.summary import summary
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    page = TerminalPage.of_terminal()
    for record in report.claims if full else ():
        record_page(page, record, history)
        page.line()
    summary(page, report, full)
    if folder is not None:
        page.verbatim(f"{folder}/report.json", style="dim")
    page.deliver()
