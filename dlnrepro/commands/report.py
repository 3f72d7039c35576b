"""`dlnrepro report` shows a stored report again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.visible import say

if TYPE_CHECKING:
    from dlnrepro.archive.record import Report


@click.command("report", short_help="Show a stored report again, without training.")
@click.argument("name", required=False, metavar="[REPORT|CLAIM]", shell_complete=candidates.reports)
@options.delivery
@click.option("--as-recorded", is_flag=True, help="Also judge numbers that other code or other versions have computed.")
@options.outputs
def command(
    name: str | None,
    verbose: bool,
    quiet: bool,
    as_json: bool,
    files: tuple[str, ...],
    figures: Path | None,
    allow_inconclusive: bool,
    as_recorded: bool,
    outputs: Path,
) -> int:
    """Show a stored report again, without training. Its verdicts are computed again from the stored numbers.

    REPORT is the name of a folder in outputs/reports, a path, or a folder of reports, which are shown as one report.
    The default is the newest report. CLAIM is the id of a claim; this claim is then shown alone, from the newest report
    that contains it.

    If the runner or a version has changed since the numbers were computed, the numbers are not used, the claim is
    inconclusive, and the report says what has changed.
    """
    from dlnrepro.archive.record import judged_again, most_serious
    from dlnrepro.archive.staleness import edited, without_stale_numbers
    from dlnrepro.report.delivery import check_files, deliver
    from dlnrepro.report.words.labels import edited_words

    check_files(files, figures)
    judged = judged_again if as_recorded else without_stale_numbers
    stored, alone = _stored(outputs, name)
    report = judged(stored, allow_inconclusive)
    if names := edited(stored):
        say(edited_words(names))
    lost = deliver(
        report, None, files, figures=figures, as_json=as_json, verbose=verbose, quiet=quiet, alone=alone, root=outputs
    )
    for fault in lost:
        say(fault.text)
    return most_serious([report.exit_code, *(fault.code for fault in lost)])


def _stored(outputs: Path, name: str | None) -> tuple[Report, bool]:
    """The stored report that a name stands for, and whether it was reduced to the one claim that was named.

    Raises:
        UsageError: no report and no claim in a report has this name, or the report cannot be read.
    """
    from dlnrepro.archive.last_results import newest_with
    from dlnrepro.archive.record import compile_report
    from dlnrepro.archive.report_store import read_report, report_path
    from dlnrepro.claimfile.catalogue import SUFFIXES
    from dlnrepro.errors import UsageError

    if name is not None and name.endswith(SUFFIXES) and Path(name).is_file():
        known = newest_with(outputs, Path(name).stem) is not None
        last = f"`dlnrepro report {Path(name).stem}` shows its last report" if known else "no report contains its claim"
        raise UsageError(f"{name}: expected a stored report, or a claim that is in one, found a claim file; {last}")
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
