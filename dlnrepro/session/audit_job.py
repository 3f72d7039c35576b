"""The audit of one claim, planned: the runs of each arm on fresh seeds, and the arms that each change reaches.

Changes are tried with other seeds than the shares: by the sequential rule, beginning with one batch of each arm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dlnrepro.archive.last_results import arm_seconds
from dlnrepro.claimfile.loader import needed_memory
from dlnrepro.claimfile.parameters import resolved
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.parts import batches, with_seeds
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import UsageError
from dlnrepro.registry.inputs import contents, placed
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import calling_of
from dlnrepro.session.execution import RunOptions, StoredNumbers
from dlnrepro.verdict.audit_changes import with_criteria
from dlnrepro.verdict.outcome import LARGEST_SEED

USUAL_RUNS = 256
USUAL_SEED_BASE = 10_000

CHANGES_AFTER = 10_000
"""The first seed under changes is so much larger than the first seed of the audit."""


@dataclass(frozen=True)
class AuditJob:
    """The audit of one claim, ready to run.

    Attributes:
        runs: how many runs each arm has on fresh seeds.
        seed_base: the first of these seeds.
        arms: the first batch of each arm on fresh seeds.
        unchanged: one batch of each arm that a change reaches, without the change, on the seeds of the changes.
        changes: the name of each change -> the first batch of each arm that it reaches.
        passed: whether its runner, a function, gave the same numbers twice in its first run.
    """

    claim: Claim
    path: Path
    runs: int
    seed_base: int
    arms: tuple[Cell, ...]
    unchanged: tuple[Cell, ...]
    changes: Mapping[str, tuple[Cell, ...]]
    passed: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The first batch of each arm on fresh seeds."""
        return self.arms

    def batches(self) -> list[list[Cell]]:
        """The batches of each arm on fresh seeds."""
        seeds = range(self.seed_base, self.seed_base + self.runs)
        return [batches(cell, seeds) for cell in self.arms]


def audit_job(claim: Claim, path: Path, runs: int = USUAL_RUNS, seed_base: int = USUAL_SEED_BASE) -> AuditJob:
    """The audit of a checked claim; nothing is trained yet. If its runner draws nothing, each arm has one run.

    Raises:
        UsageError: the seeds are too large, or an arm needs more memory than is free.
    """
    if (largest := seed_base + max(CHANGES_AFTER + USUAL_RUNS, runs)) > LARGEST_SEED:
        most = LARGEST_SEED - (largest - seed_base)
        raise UsageError(f"--seed-base: expected at most {most}, found {seed_base}")
    runs = runs if calling_of(load_runner(claim.located_runner)).draws else 1
    first = {cell.arm: _at_most(cell, runs) for cell in plan(claim, Variation(seed_base=seed_base))}
    changes = {name: tuple(_changed(claim, name, first, seed_base + CHANGES_AFTER)) for name in _names(claim)}
    reached = {cell.arm for cells in changes.values() for cell in cells}
    unchanged = [_from(first[arm], seed_base + CHANGES_AFTER) for arm in claim.used_arms if arm in reached]
    return AuditJob(claim, path, runs, seed_base, tuple(first.values()), tuple(unchanged), changes)


def _names(claim: Claim) -> list[str]:
    """The names of all changes of a claim's audit."""
    return [*claim.audit.harmless, *claim.audit.flaws]


def _at_most(cell: Cell, runs: int) -> Cell:
    """A cell with no more than some of its runs."""
    return with_seeds(cell, cell.seeds[:runs])


def _from(cell: Cell, seed: int) -> Cell:
    """A cell with as many other seeds."""
    return replace(cell, seeds=tuple(range(seed, seed + len(cell.seeds))))


def _changed(claim: Claim, name: str, first: Mapping[str, Cell], seed: int) -> Iterator[Cell]:
    """The first batch of each arm that a change reaches."""
    params = load_runner(claim.located_runner).Params
    flawed = claim.audit.flaws.get(name)
    settings: Mapping[str, Any] = claim.audit.harmless[name] if flawed is None else flawed.settings
    plant = (flawed.plant or "") if flawed is not None else ""
    tested = claim if flawed is None else with_criteria(claim, flawed.breaks)
    arms = claim.tested_arms if flawed is None else [arm for item in tested.criteria for arm in item.holds_in]
    for arm in [arm for arm in claim.used_arms if arm in arms]:
        values = resolved(params, arm_values(claim, arm, settings, quick=False)).values
        if not plant and values == first[arm].params:
            continue
        runs = len(first[arm].seeds)
        valid = params.model_validate(values)
        memory = needed_memory(claim.runner, placed(valid, claim.folder), runs)
        # The name of the claim is only shown; with the name of the change a reader knows what is being computed.
        called = f"{claim.id} ({name})"
        cell = replace(_from(first[arm], seed), claim=called, params=values, memory=memory, flaw=plant)
        yield replace(cell, contents=contents(valid, claim.folder))


@dataclass(frozen=True)
class Cost:
    """What an audit would compute.

    Attributes:
        arms: the number of arms on fresh seeds.
        runs: the runs on fresh seeds that are not stored.
        changes: the name of each change -> the arms that it reaches.
        batches: how many first batches of an arm, with and without changes, are not stored.
        seconds: how long all of this would take at most, by the last times of the arms; None if they are not known.
    """

    id: str
    arms: int
    runs_each: int
    runs: int
    changes: dict[str, list[str]]
    batches: int
    seconds: float | None

    @property
    def lines(self) -> list[str]:
        """The cost in one line, and a line for each change."""
        runs = f"{self.arms} arms with {self.runs_each} runs each, {self.runs:,} of these runs are not stored"
        changes = f"{len(self.changes)} changes, for which {self.batches} batches of runs are not stored"
        time = "" if not self.seconds else f"; all this takes at most about {self.seconds:,.0f} s of computing time"
        reached = [f"  {name}: {', '.join(arms) or 'changes no arm'}" for name, arms in self.changes.items()]
        return [f"{self.id}: {runs}; {changes}{time}", *reached]


def costs(job: AuditJob, options: RunOptions) -> Cost:
    """What an audit would compute; nothing is computed."""
    stored = StoredNumbers(options)
    missing = [cell for of_arm in job.batches() for cell in of_arm if stored(cell) is None]
    changed = [cell for cells in (job.unchanged, *job.changes.values()) for cell in cells if stored(cell) is None]
    last = arm_seconds(options.root, [(job.claim.id, "")]).get((job.claim.id, ""), {})
    known = all(cell.arm in last for cell in (*missing, *changed))
    seconds = (
        sum(last[cell.arm] * len(cell.seeds) / job.claim.seeds for cell in (*missing, *changed)) if known else None
    )
    runs = sum(len(cell.seeds) for cell in missing)
    reached = {name: [cell.arm for cell in cells] for name, cells in job.changes.items()}
    return Cost(job.claim.id, len(job.arms), job.runs, runs, reached, len(changed), seconds)
