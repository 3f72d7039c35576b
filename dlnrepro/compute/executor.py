"""Where cells are computed: an executor takes cells and gives their numbers, with what computed them.

An executor on other machines has the same two functions as those here. It must compute all runs of a cell in one
environment, because the key of stored numbers is made from the environment that they carry.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from dlnrepro.compute.arithmetic import Environment, environment
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.device import Device
from dlnrepro.compute.elsewhere import elsewhere, environment_there
from dlnrepro.compute.limits import cores
from dlnrepro.compute.processes import Computed, Listener, Work, forks, here, in_processes
from dlnrepro.signals import Signals


class Executor(Protocol):
    """What computes cells."""

    def environments(self, device: Device) -> Sequence[Environment]:
        """The environments in which this executor computes on a device, at least one.

        Stored numbers of any of them may be used in place of computing a cell.
        """

    def compute(
        self,
        cells: Sequence[Cell],
        listener: Listener,
        signals: Signals,
        budget: float | None = None,
        twice: Collection[str] = (),
    ) -> Computed:
        """The numbers of cells, each as soon as it is there, those first begun first.

        Closing the iterator stops what still runs.

        Args:
            cells: what to compute; no two have the same key.
            listener: hears how the cells get on.
            signals: those that have arrived; one of them ends the computation.
            budget: seconds that each cell, or each part of one, may take; None for no bound.
            twice: runners whose first cell is computed twice, to see that its numbers come from its seeds alone.

        Raises:
            Ended: a signal has arrived.
        """


@dataclass(frozen=True)
class ThisProcess:
    """Computes cells in this process, one after another."""

    def environments(self, device: Device) -> Sequence[Environment]:
        """The environment of this process."""
        return [environment(device)]

    def compute(
        self,
        cells: Sequence[Cell],
        listener: Listener,
        signals: Signals,
        budget: float | None = None,
        twice: Collection[str] = (),
    ) -> Computed:
        """As an executor computes."""
        return here(cells, Work(1, budget, frozenset(twice)), listener, signals)


@dataclass(frozen=True)
class LocalProcesses:
    """Computes cells in processes of this machine.

    * In forked processes, on Linux, for the processor (`dlnrepro.compute.processes`).
    * In fresh interpreters (`dlnrepro.compute.elsewhere`), where this process is a caller's own, and for several
      workers where there is no fork or a GPU is used.
    * In this process, for one worker there.

    Attributes:
        workers: how many processes compute at a time.
        fresh: whether this process is a caller's own, whose state must not reach a number.
    """

    workers: int = 1
    fresh: bool = False

    def environments(self, device: Device) -> Sequence[Environment]:
        """The one environment of these processes."""
        return [environment_there(device) if self.fresh else environment(device)]

    def compute(
        self,
        cells: Sequence[Cell],
        listener: Listener,
        signals: Signals,
        budget: float | None = None,
        twice: Collection[str] = (),
    ) -> Computed:
        """As an executor computes."""
        work = Work(self.workers, budget, frozenset(twice))
        if self.fresh or (self.workers > 1 and not forks(cells)):
            return elsewhere(cells, work, listener, signals)
        return (in_processes if forks(cells) else here)(cells, work, listener, signals)


def usual_workers(device: Device) -> int:
    """How many worker processes there are if nobody says: one for each core, or one where all would share a GPU."""
    return cores() if device == "cpu" else 1
