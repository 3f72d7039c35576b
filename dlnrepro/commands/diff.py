"""`dlnrepro diff` compares two stored reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.settings.numerals import numeral
from dlnrepro.visible import show_json

if TYPE_CHECKING:
    from dlnrepro.archive.record import Report

RELATIVE, ABSOLUTE = 1e-6, 1e-12


@click.command("diff", short_help="Compare two stored reports.")
@click.argument("first", metavar="REPORT_A", shell_complete=candidates.reports)
@click.argument("second", metavar="[REPORT_B]", default="latest", shell_complete=candidates.reports)
@click.option(
    "--atol",
    type=options.Finite(0),
    help=f"Absolute tolerance for numbers.  [default: {numeral(ABSOLUTE)}]",
    metavar="ATOL",
)
@click.option(
    "--rtol",
    type=options.Finite(0),
    help=f"Relative tolerance for numbers.  [default: {numeral(RELATIVE)}]",
    metavar="RTOL",
)
@click.option("--subset", is_flag=True, help="Claims that are only in REPORT_A do not count.")
@click.option("-q", "--quiet", is_flag=True, help="Show only differences and the summary line.")
@options.as_json
@options.outputs
def command(
    first: str,
    second: str,
    atol: float | None,
    rtol: float | None,
    subset: bool,
    quiet: bool,
    as_json: bool,
    outputs: Path,
) -> int:
    """Compare the verdicts, settings, numbers and times of two stored reports.

    REPORT_A and REPORT_B are names of folders in outputs/reports, paths, or `latest`. The default of REPORT_B is
    `latest`, the newest report. A folder whose *.json files are all reports is read as one report of all their claims.

    Two numbers a (in REPORT_A) and b (in REPORT_B) differ if |a - b| is above ATOL + RTOL |a|. If only one of --atol
    and --rtol is given, the other tolerance is 0.

    The exit code is 1 if a verdict has changed. It is also 1 if a number differs and --atol or --rtol is given. It is 4
    if there is no such change, but something could not be compared: one report lacks a claim, an arm or runs of an
    arm, or an arm has an error.
    """
    from dataclasses import asdict

    from dlnrepro.archive.comparison import compare
    from dlnrepro.archive.record import judged_again
    from dlnrepro.report.terminal.differences import differences_page
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    one, other = (judged_again(report) for report in _reports(outputs, (first, second)))
    asked = atol is not None or rtol is not None
    # If the user gives one tolerance, the other one is 0.
    absolute = (0.0 if asked else ABSOLUTE) if atol is None else atol
    relative = (0.0 if asked else RELATIVE) if rtol is None else rtol
    comparison = compare(one, other, absolute, relative)
    code = comparison.exit_code(asked, subset)
    if as_json:
        show_json({"exit_code": code, **asdict(comparison)})
        return code
    page = TerminalPage.of_terminal()
    differences_page(page, comparison, quiet)
    page.deliver()
    return code


def _reports(outputs: Path, names: Sequence[str]) -> list[Report]:
    """The stored reports of some names.

    Raises:
        UsageError: with a line for each name that is not a stored report, or whose report cannot be read.
    """
    from dlnrepro.archive.report_store import read_report
    from dlnrepro.errors import UsageError

    reports: list[Report] = []
    wrong: list[str] = []
    for name in names:
        try:
            reports.append(read_report(outputs, name))
        except UsageError as error:
            wrong.extend(error.args)
    if wrong:
        raise UsageError(*dict.fromkeys(wrong))
    return reports
