"""Where cells are computed: an executor takes cells and gives their numbers, with the environment of each cell.

An executor on other machines must have the two functions of `Executor`. It must compute all runs of a cell in one
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
    """An object that computes cells."""

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
        """The numbers of cells, each as soon as it is complete; cells are begun in the order given.

        Further cells that are sent to the iterator are computed before those that have not been begun; an executor may
        also ignore them, and is then asked again. Closing the iterator stops the cells that are still being computed.

        Args:
            cells: what to compute; no two have the same key.
            listener: receives the progress of the cells.
            signals: the signals that have arrived; a signal ends the computation.
            budget: seconds that each cell, or each part of a cell, may take; None for no limit.
            twice: runners whose first cell is computed twice, to check that its numbers depend on its seeds alone.

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

    * On Linux and on the processor: in forked processes (`dlnrepro.compute.processes`).
    * For several workers without fork, or on a GPU: in fresh interpreters (`dlnrepro.compute.elsewhere`).
    * For one worker without fork, or on a GPU: in this process.
    * If `fresh`: always in fresh interpreters.

    Attributes:
        workers: how many processes compute at a time.
        fresh: whether this process is a user's script or notebook, whose state must not change a number.
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
    """The default number of worker processes: one per core, or 1 on a GPU, which several processes would share."""
    return cores() if device == "cpu" else 1
