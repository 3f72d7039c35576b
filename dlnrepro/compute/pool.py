"""Where cells are computed, by what the system offers and by whose process this is.

* In forked processes, on Linux, for the processor (`dlnrepro.compute.processes`).
* In fresh interpreters (`dlnrepro.compute.elsewhere`), where this process is a caller's own, and for several workers
  where there is no fork or a GPU is used.
* In this process, for one worker there.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlnrepro.compute.cell import Cell
from dlnrepro.compute.device import Device
from dlnrepro.compute.elsewhere import elsewhere
from dlnrepro.compute.limits import cores
from dlnrepro.compute.processes import Computed, Listener, Work, forks, here, in_processes
from dlnrepro.signals import Signals


def usual_workers(device: Device) -> int:
    """How many worker processes there are if nobody says: one for each core, or one where all would share a GPU."""
    return cores() if device == "cpu" else 1


def compute(cells: Sequence[Cell], work: Work, listener: Listener, signals: Signals, fresh: bool = False) -> Computed:
    """The numbers of cells, each as soon as it is there, those first begun first.

    Closing the iterator stops what still runs.

    Args:
        cells: what to compute.
        work: how many processes, and for how long.
        listener: hears how the cells get on.
        signals: those that have arrived; one of them ends the computation.
        fresh: whether this process is a caller's own, whose state must not reach a number.

    Raises:
        Ended: a signal has arrived.
    """
    if fresh:
        return elsewhere(cells, work, listener, signals)
    if forks(cells):
        return in_processes(cells, work, listener, signals)
    return (elsewhere if work.workers > 1 else here)(cells, work, listener, signals)
