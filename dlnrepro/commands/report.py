"""`dlnrepro report`: a stored run, shown again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands import candidates, options
from dlnrepro.visible import say

if TYPE_CHECKING:
    from dlnrepro.archive.record import Report


@click.command("report", short_help="Shows a stored run again; trains nothing.")
@click.argument("run", required=False, metavar="[RUN|CLAIM]", shell_complete=candidates.reports)
@options.delivery
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

    RUN is the name of a folder in outputs/reports, a path, or a folder of reports, which are shown as one; the newest
    run if left out. CLAIM is the id of a claim:
    then the newest report that holds it is shown, with this claim alone. Numbers that would no longer
    come out the same, because the runner or a version has changed, are not used; the report says what changed.
    """
    from dlnrepro.archive.record import judged_again, most_serious
    from dlnrepro.archive.staleness import without_stale_numbers
    from dlnrepro.report.delivery import check_files, deliver

    check_files(files, figures)
    judged = judged_again if as_recorded else without_stale_numbers
    stored, alone = _stored(outputs, run)
    report = judged(stored, allow_inconclusive)
    lost = deliver(report, None, files, figures=figures, as_json=as_json, verbose=verbose, quiet=quiet, alone=alone)
    for fault in lost:
        say(fault.text)
    return most_serious([report.exit_code, *(fault.code for fault in lost)])


def _stored(outputs: Path, name: str | None) -> tuple[Report, bool]:
    """The stored report that a name stands for, and whether it was cut down to the one claim that was named.

    Raises:
        UsageError: there is neither a report nor a claim in one of this name, or the report cannot be read.
    """
    from dlnrepro.archive.record import compile_report
    from dlnrepro.archive.report_store import newest_with, read_report, report_path
    from dlnrepro.errors import UsageError

    try:
        report_path(outputs, name, "a stored report, or a claim that is in one")
    except UsageError:
        if name is None or (path := newest_with(outputs, name)) is None:
            raise
        report = read_report(outputs, str(path))
        claims = [record for record in report.claims if record.id == name]
        alone = compile_report(claims, report.provenance, None, allow_inconclusive=False)
        labels = {record.label for record in claims}
        origins = {label: made for label, made in report.origins.items() if label in labels}
        return replace(alone, origins=origins), True
    return read_report(outputs, name), False
