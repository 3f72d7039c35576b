"""`dlnrepro replay`: a stored run, run again from its record."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands import candidates, options

if TYPE_CHECKING:
    from dlnrepro.record import ClaimRecord
    from dlnrepro.signals import Signals


@click.command("replay", short_help="Runs a stored run again from its record: same bits?")
@click.argument("run", required=False, shell_complete=candidates.reports)
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Worker processes; as many as cores if left out."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@options.outputs
@click.pass_obj
def command(signals: Signals, run: str | None, jobs: int | None, quiet: bool, outputs: Path) -> int:
    """Run a stored run again, with the parameters and seeds of its record, and compare.

    RUN is the name of a folder in outputs/reports or a path; the newest run if left out. Nothing is stored. Exit
    code 1 if a verdict has changed, 4 if something could not be run again, 0 otherwise: whether the bits are the same
    is said, and on another machine or with other versions they need not be.
    """
    from dlnrepro.comparison import compare
    from dlnrepro.device import device_name, device_of
    from dlnrepro.pool import usual_workers
    from dlnrepro.provenance import Provenance, processor, versions
    from dlnrepro.record import compile_report, judged_again
    from dlnrepro.replay import replay
    from dlnrepro.report.differences import differences_page
    from dlnrepro.report.paper import Paper
    from dlnrepro.report.progress import watcher
    from dlnrepro.signals import Ended
    from dlnrepro.store import read_report

    recorded = judged_again(read_report(outputs, run))
    device = device_of(recorded.provenance.get("device", "cpu"))
    records: list[ClaimRecord] = []
    workers = jobs or usual_workers(device)
    with (
        signals.noted(),
        suppress(Ended),
        watcher(quiet) as watching,
        closing(replay(recorded, workers, watching, signals)) as replayed,
    ):
        records.extend(replayed)
    here: Provenance = {
        **recorded.provenance,
        "versions": versions(),
        "processor": processor(),
        "device": device_name(device),
    }
    again = compile_report(records, here, signals.code, allow_inconclusive=False)
    comparison = compare(recorded, again, 0.0, 0.0)
    paper = Paper.of_terminal()
    differences_page(paper, comparison)
    paper.deliver()
    return signals.code or comparison.exit_code(numbers_count=False, subset=False)
