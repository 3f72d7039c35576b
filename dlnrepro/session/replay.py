"""A stored report is computed again from its record alone, with its parameters and seeds, not from claim files."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from dlnrepro.archive.cell_store import key_on, series_digest
from dlnrepro.archive.comparison import same_bits
from dlnrepro.archive.record import ClaimRecord, Report, with_verdict
from dlnrepro.claimfile.document import dotted
from dlnrepro.claimfile.loader import needed_memory
from dlnrepro.claimfile.parameters import parameter_faults
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.device import Device, free_memory, require
from dlnrepro.compute.executor import Executor
from dlnrepro.compute.parts import batches, with_seeds
from dlnrepro.errors import UsageError
from dlnrepro.registry.functions.reference import located
from dlnrepro.registry.inputs import contents, placed
from dlnrepro.registry.names import is_known, load_runner
from dlnrepro.session.schedule import Watcher, scheduled
from dlnrepro.signals import Signals


def recorded_cells(report: Report) -> list[list[Cell]]:
    """The cells of each claim of a report; an arm that was stopped by its budget is left out.

    Raises:
        UsageError: a runner or the device is missing, a runner no longer accepts the recorded parameters, or a cell
            needs more memory than is free; with one line per claim.
    """
    for device in sorted({record.variation.device for record in report.claims}):
        require(device)
    groups: list[list[Cell]] = []
    faults: list[str] = []
    for record in report.claims:
        arms = [arm for arm, left in record.outcomes.items() if not left.spent]
        try:
            groups.append([cell for arm in arms for cell in _cells(record, arm, record.variation.device)])
        except UsageError as error:
            faults.append(str(error))
    if faults:
        raise UsageError(*faults)
    return groups


def replay(report: Report, executor: Executor, watcher: Watcher, signals: Signals) -> Generator[ClaimRecord]:
    """Each claim of a report with its new numbers, as soon as all its arms have been computed.

    Nothing is stored, and no stored numbers are used.

    Raises:
        UsageError: as `recorded_cells`, before anything is trained.
    """
    groups = recorded_cells(report)
    seconds = {
        cell.key: record.outcomes[cell.arm].seconds * len(cell.seeds) / len(record.outcomes[cell.arm].seeds)
        for record, cells in zip(report.claims, groups, strict=True)
        for cell in cells
    }
    replayed = scheduled(groups, lambda cells: executor.compute(cells, watcher, signals), watcher, seconds)
    with closing(replayed):
        for place, numbers in replayed:
            found = _with_numbers(report.claims[place], groups[place], numbers)
            watcher.claim_ends(found)
            yield found


def _with_numbers(record: ClaimRecord, cells: Sequence[Cell], numbers: Mapping[str, Numbers]) -> ClaimRecord:
    """A record with the new numbers of its cells; an arm that was not computed again keeps its outcome."""
    outcomes = {arm: numbers[arm].outcome if arm in numbers else outcome for arm, outcome in record.outcomes.items()}
    computed_on = {arm: found.computed_on for arm, found in numbers.items() if found.computed_on is not None}
    whole = [replace(cell, seeds=outcomes[cell.arm].seeds) for cell in cells if cell.arm in computed_on]
    return replace(
        with_verdict(record, outcomes),
        cells={cell.arm: key_on(cell, computed_on[cell.arm]) for cell in whole},
        computed_on=computed_on,
        digests={arm: series_digest(numbers[arm].series) for arm in computed_on},
        seconds=sum(outcome.seconds for outcome in outcomes.values()),
    )


def undetermined(first: Report, second: Report) -> dict[str, list[str]]:
    """Label of each result -> the arms whose numbers differ although everything that determines them is the same.

    Args:
        first: the record.
        second: the results of the second computation.
    """
    again = {record.identity: record for record in second.claims}
    arms = {}
    for recorded in first.claims:
        replayed = again.get(recorded.identity)
        if replayed is None:
            continue
        # Without the digest of an arm's series, a record does not show whether the series are identical.
        known = recorded.digests.keys() & replayed.digests.keys()
        shared = [arm for arm in recorded.cells if arm in known and _made_alike(recorded, replayed, arm)]
        if differing := [arm for arm in shared if not same_bits(recorded, replayed, arm)]:
            arms[recorded.label] = differing
    return arms


def _made_alike(first: ClaimRecord, second: ClaimRecord, arm: str) -> bool:
    """Whether everything that determines the numbers of an arm is the same in two records."""
    return first.cells.get(arm) == second.cells.get(arm) and first.computed_on.get(arm) == second.computed_on.get(arm)


def _cells(record: ClaimRecord, arm: str, device: Device) -> list[Cell]:
    """The runs of an arm of a record, ready to run: all of them together, or in the batches in which they were made."""
    named = str(record.claim["runner"])
    runner = located(named, Path(record.path).parent)
    if not is_known(runner):
        raise UsageError(f"{record.id}: expected the runner '{named}' of the record, found no such runner here")
    if arm not in record.params:
        raise UsageError(f"{record.id}: arm {arm}: expected its parameters in the record, found none")
    if wrong := parameter_faults(load_runner(runner).Params, record.params[arm]):
        place, fault = wrong[0]
        more = f"and {len(wrong) - 1} more; " if len(wrong) > 1 else ""
        why = f"({more}the runner has changed since the record was made)"
        raise UsageError(f"{record.id}: arm {arm}: {dotted(place) or 'parameters'}: {fault.wording} {why}")
    seeds, params = record.outcomes[arm].seeds, load_runner(runner).Params.model_validate(record.params[arm])
    first = seeds[: record.variation.batch(Claim.model_validate(record.claim))]
    files, folder = record.files.get(arm, {}), str(Path(record.path).parent.absolute())
    if files and contents(params, folder) != files:
        raise UsageError(f"{record.id}: arm {arm}: expected the files of the record, found that they have changed")
    needed = needed_memory(runner, placed(params, folder), len(seeds))
    cell = Cell(record.id, arm, runner, record.params[arm], seeds, device, needed, folder=folder, contents=files)
    free = free_memory(device)
    if not seeds or (device == "cpu" and cell.memory <= free):
        return [cell]  # on the processor, a run does not depend on the runs beside it
    parts = batches(with_seeds(cell, first), seeds)
    if (largest := max(parts, key=lambda part: part.memory)).memory > free:
        sizes = f"{min(largest.memory, 10**18) / 1e9:,.1f} GB for {len(largest.seeds)} runs, found {free / 1e9:,.1f} GB"
        raise UsageError(f"{record.id}: arm {arm}: expected a setting that fits in memory; it needs {sizes} free")
    return parts
