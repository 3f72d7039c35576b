"""`dlnrepro replay` computes a stored report again from its record."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.visible import say

if TYPE_CHECKING:
    from dlnrepro.archive.record import ClaimRecord
    from dlnrepro.signals import Signals


UNDETERMINED = (
    "the numbers differ, although the code, the settings, the seeds and all versions are those of the record; "
    "so the seeds do not determine the numbers of this runner"
)


@click.command("replay", short_help="Compute a stored report again, and compare the numbers.")
@click.argument("report", required=False, metavar="[REPORT]", shell_complete=candidates.reports)
@options.workers
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@options.outputs
@click.pass_obj
def command(signals: Signals, report: str | None, workers: int | None, quiet: bool, outputs: Path) -> int:
    """Compute a stored report again, with the parameters and seeds of its record, and compare the two.

    REPORT is the name of a folder in outputs/reports, a path, or a folder of reports, which are read as one report.
    The default is the newest report. The output says whether the results are bitwise identical; on another machine or
    with other versions they may differ. Nothing is stored.

    The exit code is 1 if a verdict has changed. It is also 1 if numbers differ although the code, the settings, the
    seeds and all versions are the same. It is 4 if something could not be computed again, and 0 otherwise.
    """
    from dlnrepro.archive.comparison import CHANGED, compare
    from dlnrepro.archive.provenance import Provenance
    from dlnrepro.archive.record import compile_report, judged_again
    from dlnrepro.archive.report_store import read_report
    from dlnrepro.archive.staleness import edited
    from dlnrepro.compute.executor import LocalProcesses, usual_workers
    from dlnrepro.report.terminal.differences import differences_page
    from dlnrepro.report.terminal.progress import watcher
    from dlnrepro.report.terminal.terminal_page import TerminalPage
    from dlnrepro.report.words.labels import edited_words
    from dlnrepro.session.replay import replay, undetermined
    from dlnrepro.signals import Ended

    recorded = judged_again(read_report(outputs, report))
    if names := edited(recorded):
        say(edited_words(names))
    devices = {record.variation.device for record in recorded.claims}
    executor = LocalProcesses(workers or usual_workers("cuda" if "cuda" in devices else "cpu"))
    records: list[ClaimRecord] = []
    with (
        signals.noted(),
        suppress(Ended),
        watcher(quiet) as watching,
        closing(replay(recorded, executor, watching, signals)) as replayed,
    ):
        records.extend(replayed)
    here = {device: executor.environments(device)[0] for device in devices}
    made: dict[str, Provenance] = {
        record.label: {
            "versions": dict(here[record.variation.device].versions),
            "processor": here[record.variation.device].processor,
            "device": here[record.variation.device].device,
            "arithmetic": here[record.variation.device].arithmetic,
        }
        for record in records
    }
    again = replace(compile_report(records, recorded.provenance, signals.code, allow_inconclusive=False), origins=made)
    comparison = compare(recorded, again, 0.0, 0.0)
    page = TerminalPage.of_terminal()
    differences_page(page, comparison)
    drawn = undetermined(recorded, again)
    for name, arms in drawn.items():
        where = f"{name}: arm{'s' * (len(arms) > 1)} {', '.join(arms)}: "
        page.line((where, "red"), UNDETERMINED, hang=2)
    page.deliver()
    code = comparison.exit_code(numbers_count=False, subset=False)
    return signals.code or (CHANGED if drawn else code)
