"""A stored report run again from its record alone: the same parameters and seeds, whatever the claim files say."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from dlnrepro.cell import Cell, Numbers
from dlnrepro.cells import cell_key, series_digest
from dlnrepro.check import Outcome
from dlnrepro.device import Device, device_name, device_of, require
from dlnrepro.errors import UsageError
from dlnrepro.execution import Watcher
from dlnrepro.explanation import parameter_faults
from dlnrepro.pool import compute
from dlnrepro.processes import Work
from dlnrepro.provenance import processor
from dlnrepro.record import ClaimRecord, Report, with_verdict
from dlnrepro.runner import load_runner, runner_names
from dlnrepro.signals import Signals


def recorded_cells(report: Report) -> list[list[Cell]]:
    """The cells of each claim of a report; an arm that was stopped by its budget is not among them.

    Raises:
        UsageError: a runner or the device is not there, or a runner no longer takes the recorded parameters.
    """
    device = device_of(report.provenance.get("device", "cpu"))
    require(device)
    return [
        [_cell(record, arm, device) for arm, left in record.outcomes.items() if not left.spent]
        for record in report.claims
    ]


def replay(report: Report, workers: int, watcher: Watcher, signals: Signals) -> Generator[ClaimRecord]:
    """Each claim of a report as it comes out now, as soon as all its arms have run again.

    Nothing is stored, and nothing is taken from a cache.

    Raises:
        UsageError: as `recorded_cells`, before anything is trained.
    """
    groups = recorded_cells(report)
    keys = {
        id(cell): cell_key(cell.runner, cell.params, cell.seeds, device_name(cell.device), processor())
        for group in groups
        for cell in group
    }
    # Claims may share an arm: what has the same key is run once.
    distinct = list({keys[id(cell)]: cell for group in groups for cell in group}.values())
    watcher.begins(len(groups), len(distinct))
    known: dict[str, Numbers] = {}
    with closing(compute(distinct, Work(workers), watcher, signals)) as computed:
        for record, group in zip(report.claims, groups, strict=True):
            while not known.keys() >= {keys[id(cell)] for cell in group}:
                cell, numbers = next(computed)
                known[keys[id(cell)]] = numbers
                watcher.cell_ends(cell)
            found = {cell.arm: known[keys[id(cell)]] for cell in group}
            outcomes: dict[str, Outcome] = {
                arm: found[arm].outcome if arm in found else outcome for arm, outcome in record.outcomes.items()
            }
            now = replace(
                with_verdict(record, outcomes),
                digests={arm: series_digest(its.series) for arm, its in found.items() if not its.outcome.fault},
                seconds=sum(outcome.seconds for outcome in outcomes.values()),
            )
            watcher.claim_ends(now)
            yield now


def _cell(record: ClaimRecord, arm: str, device: Device) -> Cell:
    """An arm of a record, ready to run."""
    runner = str(record.claim["runner"])
    if runner not in runner_names():
        raise UsageError(f"{record.id}: expected the runner '{runner}' of the record, found no such runner here")
    if arm not in record.params:
        raise UsageError(f"{record.id}: arm {arm}: expected its parameters in the record, found none")
    for place, text in parameter_faults(load_runner(runner).Params, record.params[arm]):
        key = ".".join(map(str, place)) or "parameters"
        raise UsageError(f"{record.id}: arm {arm}: {key}: {text} (the runner has changed since the record was made)")
    return Cell(record.id, arm, runner, record.params[arm], record.outcomes[arm].seeds, device)
