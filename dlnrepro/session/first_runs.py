"""The first run of a function that is a runner, before its long runs: what it returns, and whether it can be trusted.

One run is computed twice in a process of its own. This shows the names of the numbers that the function returns, which
no declaration gives; whether the seed alone determines these numbers; and how much memory the run needs. If the numbers
of the first arm are stored, they show the names, and nothing is computed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from dlnrepro.claimfile.loader import result_faults
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.parts import with_seeds
from dlnrepro.errors import ClaimError, Fault, Unjudged
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.runner import Declared, Series
from dlnrepro.session.execution import RunOptions, StoredNumbers
from dlnrepro.signals import Signals
from dlnrepro.visible import storable

SILENT = 3.0
"""Seconds after which a first run that still goes on is announced."""


class _Planned(Protocol):
    """A job whose claim may have a function as its runner."""

    @property
    def claim(self) -> Claim: ...
    @property
    def path(self) -> Path: ...
    @property
    def cells(self) -> tuple[Cell, ...]: ...


class _Speaker(Protocol):
    """Shows a line to the user."""

    def says(self, text: str) -> None: ...


Planned = TypeVar("Planned", bound=_Planned)


@dataclass(frozen=True)
class FirstRun:
    """What the first run of a function has shown.

    Attributes:
        passed: whether two computations with one seed gave the same numbers.
        fault: why no arm of its claim can be computed, or None.
        memory: the bytes that the run has needed; 0 if this was not measured.
    """

    passed: bool = False
    fault: str | None = None
    memory: int = 0


@dataclass(frozen=True)
class FirstRuns:
    """What the first runs of some jobs have shown, by the index of the job.

    Attributes:
        found: the first run of each function.
        faults: the errors of each claim whose names do not fit what its function returns.
    """

    found: Mapping[int, FirstRun] = field(default_factory=dict)
    faults: Mapping[int, list[Fault]] = field(default_factory=dict)

    def unjudged(self, jobs: int) -> list[Unjudged]:
        """One entry for each claim with errors, for the report.

        Raises:
            ClaimError: no job is left without errors.
        """
        if self.faults and len(self.faults) == jobs:
            raise ClaimError([fault for found in self.faults.values() for fault in found])
        firsts = [found[0] for found in self.faults.values()]
        return [
            Unjudged(2, storable(first.path), storable(first.message), first.line, first.column) for first in firsts
        ]


def first_runs(jobs: Sequence[Planned], options: RunOptions, speaker: _Speaker, signals: Signals) -> FirstRuns:
    """The first runs of all jobs whose runner is a function.

    Raises:
        Ended: a signal has arrived.
    """
    stored = StoredNumbers(options)
    found: dict[int, FirstRun] = {}
    faults: dict[int, list[Fault]] = {}
    for place, job in enumerate(jobs):
        if not job.cells or not is_function(job.claim.runner):
            continue
        numbers = stored(job.cells[0])
        if numbers is None:
            # Imported only where a function is run, because this module imports torch.
            from dlnrepro.compute.child import OTHER_NUMBERS

            numbers = _computed(job, options, speaker, signals)
            fault = numbers.outcome.fault
            other = fault if fault is not None and fault.startswith(OTHER_NUMBERS) else None
            found[place] = FirstRun(bool(numbers.outcome.measures), other, numbers.memory)
        if numbers.outcome.measures and (wrong := result_faults(job.claim, job.path, _returned(numbers))):
            faults[place] = wrong
    return FirstRuns(found, faults)


def _computed(job: _Planned, options: RunOptions, speaker: _Speaker, signals: Signals) -> Numbers:
    """The numbers of the first run of a job, which is computed twice."""
    first = with_seeds(job.cells[0], job.cells[0].seeds[:1])
    listener = _Listener(job.claim.id, speaker)
    with closing(options.executor.compute([first], listener, signals, options.budget, {first.runner})) as computed:
        return next(computed)[1]


def _returned(numbers: Numbers) -> Declared:
    """The names of some numbers; series with as many points have one axis."""
    series = {name: Series(f"of {rows.shape[1]} points", name) for name, rows in numbers.series.items()}
    return Declared(dict.fromkeys(numbers.outcome.measures, ""), series)


class _Listener:
    """Announces a first run that takes long; what the function prints is shown when its arm is computed."""

    def __init__(self, claim: str, speaker: _Speaker) -> None:
        self._claim, self._speaker = claim, speaker
        self._announced_at = time.monotonic() + SILENT

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Show nothing."""

    def waits(self) -> None:
        """Announce the run, if it has begun some seconds ago."""
        if time.monotonic() > self._announced_at:
            self._announced_at = float("inf")
            why = "to see what the function returns, and that the seed determines it"
            self._speaker.says(f"{self._claim}: the first run is computed twice, {why}")

    def says(self, text: str) -> None:
        """Show nothing."""
