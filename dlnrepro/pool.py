"""Cells over worker processes, one thread each, with the same bits as one after another in this process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from dlnrepro.cell import Cell, Numbers
from dlnrepro.check import Outcome
from dlnrepro.device import Device
from dlnrepro.engine import run_cell
from dlnrepro.errors import BudgetSpent
from dlnrepro.parts import cut, join

Moves = Callable[[Cell, float, str], None]
"""Told that a cell has come a fraction in [0, 1] of its way, with a note."""

PAUSE = 0.1
"""Seconds between two signs of life of a worker."""

PARENT_PAUSE = 0.5
"""Seconds between two looks of a worker at whether its parent is still there."""


def usual_workers(device: Device) -> int:
    """How many worker processes there are if nobody says: one for each core, or one where all would share a GPU."""
    return cores() if device == "cpu" else 1


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def compute(cells: Sequence[Cell], workers: int, budget: float | None, moves: Moves) -> Generator[tuple[Cell, Numbers]]:
    """The numbers of cells, each as soon as it is there.

    Closing the iterator stops what still runs.

    Args:
        cells: what to compute; those first are begun first.
        workers: how many processes; with one, or one small cell, all is done in this process.
        budget: seconds that each cell, or each part of one, may take; None for no bound.
        moves: told how the cells get on.
    """
    wholes = [_Whole(cell, cut(cell, len(cells), workers)) for cell in cells]
    pieces = [(whole, place) for whole in wholes for place in range(len(whole.parts))]
    if workers == 1 or len(pieces) <= 1:
        for cell in cells:
            yield cell, run_cell(cell, lambda fraction, note, cell=cell: moves(cell, fraction, note), _clock(budget))  # type: ignore[misc]
        return
    # Forked workers start at once, with everything imported; other systems, and what uses a GPU, start from nothing.
    forks = sys.platform == "linux" and all(cell.device == "cpu" for cell in cells)
    context: Any = multiprocessing.get_context("fork" if forks else "spawn")
    stop, signs = context.Event(), context.SimpleQueue()
    executor = ProcessPoolExecutor(min(workers, len(pieces)), context, _begin, (stop, signs))
    futures = {
        executor.submit(_work, index, whole.parts[place], budget): (whole, place)
        for index, (whole, place) in enumerate(pieces)
    }
    try:
        waiting: set[Future[Numbers]] = set(futures)
        while waiting:
            done, waiting = wait(waiting, timeout=PAUSE, return_when=FIRST_COMPLETED)
            while not signs.empty():
                index, fraction, note = signs.get()
                whole, place = pieces[index]
                moves(whole.cell, whole.moved(place, fraction), note)
            for future in done:
                whole, place = futures[future]
                whole.found[place] = _numbers(future, whole.parts[place])
                if len(whole.found) == len(whole.parts):
                    yield whole.cell, join(whole.cell, [whole.found[index] for index in range(len(whole.parts))])
    finally:
        stop.set()
        executor.shutdown(wait=True, cancel_futures=True)


@dataclass
class _Whole:
    """A cell, its parts, and what is known of them."""

    cell: Cell
    parts: list[Cell]
    found: dict[int, Numbers] = field(default_factory=dict)
    fractions: dict[int, float] = field(default_factory=dict)

    def moved(self, place: int, fraction: float) -> float:
        """How far the cell is, now that a part has come this far."""
        self.fractions[place] = fraction
        runs = sum(len(self.parts[part].seeds) * done for part, done in self.fractions.items())
        return runs / len(self.cell.seeds)


def _clock(budget: float | None) -> Callable[[], float]:
    """The seconds left of a budget that begins now."""
    if budget is None:
        return lambda: float("inf")
    deadline = time.monotonic() + budget
    return lambda: deadline - time.monotonic()


_WORKER: dict[str, Any] = {}
"""What a worker process was begun with: filled once in each worker, and empty in the process of the user."""


def _begin(stop: Any, signs: Any) -> None:
    """Prepare a worker: an interrupt is for the parent to handle, who tells the workers to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _WORKER.update(stop=stop, signs=signs, said=0.0)


def _end_with(parent: int) -> None:
    """End this process once its parent is gone: one that was killed could not tell its workers to stop."""
    while os.getppid() == parent:
        time.sleep(PARENT_PAUSE)
    os._exit(1)


def _work(index: int, cell: Cell, budget: float | None) -> Numbers:
    """The numbers of one cell, in a worker."""

    def progress(fraction: float, note: str) -> None:
        if _WORKER["stop"].is_set():
            raise BudgetSpent
        if (now := time.monotonic()) - _WORKER["said"] >= PAUSE:
            _WORKER["said"] = now
            _WORKER["signs"].put((index, fraction, note))

    return run_cell(cell, progress, _clock(budget))


def _numbers(future: Future[Numbers], cell: Cell) -> Numbers:
    """What a worker gave, or the fault that it died."""
    try:
        return future.result()
    except BrokenProcessPool:
        fault = "a worker process died, perhaps for want of memory; -j 1 runs without workers"
        return Numbers(Outcome(cell.seeds, {}, fault), {})
