"""A stored report run again from its record alone: the same parameters and seeds, whatever the claim files say."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from dlnrepro.archive.cell_store import cell_key, series_digest
from dlnrepro.archive.comparison import same_bits
from dlnrepro.archive.record import ClaimRecord, Report, origin, with_verdict
from dlnrepro.claimfile.document import dotted
from dlnrepro.claimfile.loader import needed_memory
from dlnrepro.claimfile.messages import parameter_faults
from dlnrepro.compute.arithmetic import arithmetic, processor
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.device import Device, device_name, device_of, free_memory, require
from dlnrepro.compute.pool import compute
from dlnrepro.compute.processes import Work
from dlnrepro.errors import UsageError
from dlnrepro.registry.names import load_runner, runner_names
from dlnrepro.session.execution import Watcher
from dlnrepro.signals import Signals
from dlnrepro.verdict.check import Outcome


def recorded_cells(report: Report) -> list[list[Cell]]:
    """The cells of each claim of a report; an arm that was stopped by its budget is not among them.

    Raises:
        UsageError: a runner or the device is not there, a runner no longer takes the recorded parameters, or a cell
            would need more memory than there is.
    """
    devices = {record.id: recorded_device(report, record.id) for record in report.claims}
    for device in dict.fromkeys(devices.values()):
        require(device)
    return [
        [_cell(record, arm, devices[record.id]) for arm, left in record.outcomes.items() if not left.spent]
        for record in report.claims
    ]


def recorded_device(report: Report, claim: str) -> Device:
    """The device that a claim of a report was computed on."""
    return device_of(origin(report, claim).get("device", "cpu"))


def replay(report: Report, workers: int, watcher: Watcher, signals: Signals) -> Generator[ClaimRecord]:
    """Each claim of a report as it comes out now, as soon as all its arms have run again.

    Nothing is stored, and nothing is taken from a cache.

    Raises:
        UsageError: as `recorded_cells`, before anything is trained.
    """
    groups = recorded_cells(report)
    mode = arithmetic()
    keys = {
        id(cell): cell_key(cell.runner, cell.params, cell.seeds, device_name(cell.device), processor(), mode)
        for group in groups
        for cell in group
    }
    # Claims may share an arm: what has the same key is run once.
    distinct = list({keys[id(cell)]: cell for group in groups for cell in group}.values())
    seconds = {
        (record.id, arm): outcome.seconds for record in report.claims for arm, outcome in record.outcomes.items()
    }
    watcher.begins(
        len(groups), len(distinct), {(cell.claim, cell.arm): seconds[cell.claim, cell.arm] for cell in distinct}
    )
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
                cells={cell.arm: keys[id(cell)] for cell in group if _complete(found[cell.arm].outcome)},
                digests={arm: series_digest(its.series) for arm, its in found.items() if not its.outcome.fault},
                seconds=sum(outcome.seconds for outcome in outcomes.values()),
            )
            watcher.claim_ends(now)
            yield now


def undetermined(first: Report, second: Report) -> dict[str, list[str]]:
    """The arms whose numbers differ though everything that makes them is the same, by the id of their claim.

    Args:
        first: the record.
        second: what came out when it was run again.
    """
    made = ("versions", "processor", "device", "arithmetic")
    again = {record.id: record for record in second.claims}
    found = {}
    for one in first.claims:
        other = again.get(one.id)
        if other is None:
            continue
        then, now = origin(first, one.id), origin(second, one.id)
        if any(then.get(name) != now.get(name) for name in made):
            continue
        # A record without the digest of an arm's series says nothing of their bits.
        known = one.digests.keys() & other.digests.keys()
        shared = [arm for arm, key in one.cells.items() if arm in known and other.cells.get(arm) == key]
        if arms := [arm for arm in shared if not same_bits(one, other, arm)]:
            found[one.id] = arms
    return found


def _complete(outcome: Outcome) -> bool:
    """Whether an arm ran to its end."""
    return outcome.fault is None and not outcome.spent


def _cell(record: ClaimRecord, arm: str, device: Device) -> Cell:
    """An arm of a record, ready to run."""
    runner = str(record.claim["runner"])
    if runner not in runner_names():
        raise UsageError(f"{record.id}: expected the runner '{runner}' of the record, found no such runner here")
    if arm not in record.params:
        raise UsageError(f"{record.id}: arm {arm}: expected its parameters in the record, found none")
    wrong = [
        f"{record.id}: arm {arm}: {dotted(place) or 'parameters'}: {fault.wording} "
        "(the runner has changed since the record was made)"
        for place, fault in parameter_faults(load_runner(runner).Params, record.params[arm])
    ]
    if wrong:
        raise UsageError(*wrong)
    runs = len(record.outcomes[arm].seeds)
    needed = needed_memory(runner, load_runner(runner).Params.model_validate(record.params[arm]), runs)
    if needed > (free := free_memory(device)):
        sizes = f"{min(needed, 10**18) / 1e9:,.1f} GB for {runs} runs, found {free / 1e9:,.1f} GB free"
        raise UsageError(f"{record.id}: arm {arm}: expected a setting that fits in memory; it needs {sizes}")
    return Cell(record.id, arm, runner, record.params[arm], record.outcomes[arm].seeds, device, needed)
