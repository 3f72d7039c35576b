"""`dlnrepro diff`: two stored runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands import candidates, options
from dlnrepro.settings.numerals import numeral
from dlnrepro.visible import show_json

if TYPE_CHECKING:
    from dlnrepro.archive.record import Report

RELATIVE, ABSOLUTE = 1e-6, 1e-12


@click.command("diff", short_help="Two stored runs side by side: verdicts, settings, numbers, times.")
@click.argument("first", metavar="RUN_A", shell_complete=candidates.reports)
@click.argument("second", metavar="[RUN_B]", default="latest", shell_complete=candidates.reports)
@click.option(
    "--atol",
    type=options.Finite(0),
    help=f"Absolute tolerance for numbers.  [default: {numeral(ABSOLUTE)}]",
    metavar="X",
)
@click.option(
    "--rtol",
    type=options.Finite(0),
    help=f"Relative tolerance for numbers.  [default: {numeral(RELATIVE)}]",
    metavar="X",
)
@click.option("--subset", is_flag=True, help="RUN_B may leave out claims of RUN_A.")
@click.option("-q", "--quiet", is_flag=True, help="Only what differs, and the sum.")
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
    """Compare two stored runs. RUN_A and RUN_B are folders in outputs/reports, paths, or `latest`.

    A folder whose *.json are all reports stands for one report of all their claims. RUN_B is the last run if it is left
    out. A relative tolerance is a share of the number in RUN_A.

    Exit code 1 if a verdict has changed, or a number beyond the tolerances where --atol or --rtol is given; 4 if
    nothing has, but something could not be compared: a claim or an arm that one of the two lacks, other seeds, an
    error.
    """
    from dataclasses import asdict

    from dlnrepro.archive.comparison import compare
    from dlnrepro.archive.record import judged_again
    from dlnrepro.report.terminal.differences import differences_page
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    one, other = (judged_again(report) for report in _reports(outputs, (first, second)))
    asked = atol is not None or rtol is not None
    # Whoever gives one tolerance asks for that alone.
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
        UsageError: with a line for each name that stands for none, or for one that cannot be read.
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
