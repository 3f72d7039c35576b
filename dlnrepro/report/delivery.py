"""Reports to where they are wanted: the terminal, standard output as JSON, and files by their suffix."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from dlnrepro.archive.record import Report, to_json
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.files import write_whole
from dlnrepro.report.exchange.junit import junit
from dlnrepro.report.exchange.markdown import markdown
from dlnrepro.report.terminal.detail import record_page
from dlnrepro.report.terminal.paper import Paper
from dlnrepro.report.terminal.summary import summary
from dlnrepro.session.faults import logged
from dlnrepro.visible import say


def _html(report: Report) -> bytes:
    """The report as a page; what draws it is loaded only when a page is asked for."""
    from dlnrepro.report.page.html import to_html

    return to_html(report)


FORMATS = {".html": _html, ".json": to_json, ".md": markdown, ".xml": junit}


def check_files(files: Sequence[str], figures: Path | None = None) -> None:
    """Refuse files, and a folder of figures, that could not be written, before anything is trained.

    Raises:
        UsageError: an unknown suffix, or a folder that is not there or cannot be written.
    """
    for name in files:
        path = Path(name)
        if path.suffix not in FORMATS:
            raise UsageError(f"-o {name}: expected a file ending in {', '.join(FORMATS)}, found '{path.suffix}'")
        if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise UsageError(f"-o {name}: expected a file in a folder that can be written")
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
) -> list[Unjudged]:
    """Print a report and write it to files, each of them whatever becomes of the others.

    Args:
        report: what to deliver.
        folder: where it is stored, to be named below the summary.
        files: paths whose suffix names a format.
        figures: folder for the figures as files.
        as_json: print JSON instead of the terminal report.
        verbose: every claim in full, not only those that are not as expected.
        quiet: the summary alone.

    Returns:
        What could not be delivered, and why.
    """
    # Printed first: what a long run found must not be lost because a file cannot be written.
    steps: list[tuple[str, Callable[[], None]]] = []
    if as_json:
        # In UTF-8 whatever the terminal's encoding is, as JSON demands.
        steps.append(("--json", lambda: click.echo(to_json(report), nl=False)))
    else:
        steps.append(("the report", lambda: _print(report, folder, verbose=verbose, quiet=quiet)))
    steps += [(f"-o {name}", partial(_write, report, Path(name))) for name in files]
    if figures is not None:
        steps.append((f"--figures {figures}", partial(_draw, report, figures)))
    return [fault for what, step in steps if (fault := _fault_of(what, step)) is not None]


def _fault_of(what: str, step: Callable[[], None]) -> Unjudged | None:
    """Take one step of the delivery; what kept it from being taken, or None."""
    try:
        step()
    except UsageError as error:
        return Unjudged(2, None, str(error))
    except Exception as error:
        return Unjudged(3, None, f"{what}: expected to be written, found {logged(error)}")
    return None


def _write(report: Report, path: Path) -> None:
    """Write a report to a file in the format of its suffix."""
    write_whole(path, FORMATS[path.suffix](report))


def _draw(report: Report, folder: Path) -> None:
    """Write the figures of a report."""
    from dlnrepro.report.drawing.album import write_album

    say(f"{len(write_album(report, folder))} figures in {folder}")


def _print(report: Report, folder: Path | None, *, verbose: bool, quiet: bool) -> None:
    """Print the report for people."""
    paper = Paper.of_terminal()
    if not quiet:
        for record in report.claims:
            if verbose:
                record_page(paper, record)
                paper.line()
    summary(paper, report)
    if folder is not None:
        paper.verbatim(f"{folder}/report.json", style="dim")
    paper.deliver()
