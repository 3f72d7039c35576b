"""`dlnrepro report`: a stored run, shown again."""

from __future__ import annotations

from pathlib import Path

import click

from dlnrepro.commands import candidates, options
from dlnrepro.visible import say


@click.command("report", short_help="Shows a stored run again; trains nothing.")
@click.argument("run", required=False, shell_complete=candidates.reports)
@click.option("-v", "--verbose", is_flag=True, help="Every criterion and control of every claim.")
@click.option("-q", "--quiet", is_flag=True, help="Only the summary.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for a program.")
@click.option(
    "-o",
    "--output",
    "files",
    multiple=True,
    metavar="FILE",
    help="Also write FILE (.html, .json, .md, .xml); repeatable.",
)
@options.figures
@click.option("--allow-inconclusive", is_flag=True, help="An inconclusive claim does not change the exit code.")
@click.option("--as-recorded", is_flag=True, help="Judge numbers even if code or versions have changed since.")
@options.outputs
def command(
    run: str | None,
    verbose: bool,
    quiet: bool,
    as_json: bool,
    files: tuple[str, ...],
    figures: Path | None,
    allow_inconclusive: bool,
    as_recorded: bool,
    outputs: Path,
) -> int:
    """Show a stored run again, with its verdicts computed again from the stored numbers.

    RUN is the name of a folder in outputs/reports or a path; the newest run if left out. Numbers that would no longer
    come out the same, because the runner or a version has changed, are not used; the report says what changed.
    """
    from dlnrepro.record import judged_again, most_serious
    from dlnrepro.report.delivery import check_files, deliver
    from dlnrepro.staleness import without_stale_numbers
    from dlnrepro.store import read_report

    check_files(files, figures)
    judged = judged_again if as_recorded else without_stale_numbers
    report = judged(read_report(outputs, run), allow_inconclusive)
    lost = deliver(report, None, files, figures=figures, as_json=as_json, verbose=verbose, quiet=quiet)
    for fault in lost:
        say(fault.text)
    return most_serious([report.exit_code, *(fault.code for fault in lost)])
