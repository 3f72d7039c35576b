"""Computes cells one after another in this process, or in forked processes; the numbers are bitwise identical.

Each process uses one thread. A part of a cell in a forked process (`dlnrepro.compute.child`) can be stopped, and a
runner that ends its process affects nothing else. Without fork, or if no process can be started, this process computes
everything.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import TextIOBase
from multiprocessing.connection import wait
from types import FrameType
from typing import Any, Protocol

from dlnrepro.compute.arithmetic import processor, versions
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.child import GRACE, PAUSE, Child, begin, numbers_of, progress_of
from dlnrepro.compute.limits import free_memory
from dlnrepro.compute.orphans import adopted
from dlnrepro.compute.parts import Whole, in_parts
from dlnrepro.errors import BudgetSpent, one_line
from dlnrepro.signals import Ended, Signals
from dlnrepro.verdict.outcome import Outcome

Computed = Generator[tuple[Cell, Numbers], Sequence[Cell] | None]
"""The numbers of cells; cells that are sent to the iterator are computed before those that have not been begun."""


class Listener(Protocol):
    """Receives the progress of cells."""

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Report the fraction of a cell that is computed, in [0, 1]."""

    def waits(self) -> None:
        """Report that cells are being computed; called several times per second, so that a clock can be shown."""

    def says(self, text: str) -> None:
        """Show a line to the user: text that a runner printed, with its arm, or what this system cannot do."""


@dataclass(frozen=True)
class Work:
    """How cells are computed.

    Attributes:
        workers: how many processes compute at a time.
        budget: seconds that each cell, or each part of a cell, may take; None for no limit.
        twice: runners whose first cell is computed twice, to check that its numbers depend on its seeds alone.
    """

    workers: int = 1
    budget: float | None = None
    twice: frozenset[str] = frozenset()


def forks(cells: Sequence[Cell]) -> bool:
    """Whether cells can be computed in forked processes: on Linux, and not with a GPU, whose state cannot be forked."""
    return sys.platform == "linux" and all(cell.device == "cpu" for cell in cells)


def here(cells: Sequence[Cell], work: Work, listener: Listener, signals: Signals) -> Computed:
    """The numbers of cells, one after another in this process."""
    checked: set[str] = set()
    listener = _WithItsStreams(listener)
    waiting = deque(cells)
    while waiting:
        cell = waiting.popleft()
        twice = cell.runner in work.twice and cell.runner not in checked
        checked.add(cell.runner)
        printed = _Printed(cell, listener)
        try:
            with signals.raised(), _alarm(work.budget), redirect_stdout(printed), redirect_stderr(printed):
                numbers = numbers_of(cell, work.budget, _progress(cell, listener), twice)
        except BudgetSpent:
            numbers = Numbers(Outcome(cell.seeds, {}, spent=True), {})
        except Ended as ended:
            if signals.code is None:  # the runner has raised it, and no signal has arrived
                numbers = Numbers(Outcome(cell.seeds, {}, one_line(ended)), {})
            else:
                raise
        waiting.extendleft(reversed((yield cell, numbers) or ()))


def in_processes(
    cells: Sequence[Cell], work: Work, listener: Listener, signals: Signals, memory: float | None = None
) -> Computed:
    """The numbers of cells, with each part in a forked process; only as many at a time as fit into the free memory.

    `memory` is the number of free bytes; if it is None, it is measured.
    """
    room = free_memory() if memory is None else memory
    processor(), versions()  # read once here, so that no forked process reads them again
    with _children_waited_for(), adopted() as end_orphans:
        yield from _in_processes(cells, work, listener, signals, room, end_orphans)


def _in_processes(
    cells: Sequence[Cell],
    work: Work,
    listener: Listener,
    signals: Signals,
    room: float,
    end_orphans: Callable[[], None],
) -> Computed:
    """`in_processes` with a function that ends the processes that runners have started and not ended."""
    wholes = in_parts(cells, work.workers)
    waiting = deque((whole, place) for whole in wholes for place in range(len(whole.parts)))
    first = {whole.cell.runner: whole for whole in reversed(wholes)}
    running: list[tuple[Whole, int, Child]] = []
    workers = work.workers
    try:
        while waiting or running:
            while waiting and len(running) < workers and _fits(waiting[0], running, room):
                whole, place = waiting[0]
                twice = whole.cell.runner in work.twice and whole is first[whole.cell.runner] and place == 0
                try:
                    running.append((whole, place, begin(whole.parts[place], work.budget, twice)))
                except OSError as error:
                    workers = len(running)
                    reason = (error.strerror or str(error)).lower()
                    listener.says(_fewer(workers, reason))
                    break
                waiting.popleft()
            if not running:
                yield from _rest_here(wholes, work, listener, signals)
                return
            wait([source for _, _, child in running for source in child.sources()], PAUSE)
            listener.waits()
            if signals.code is not None:
                raise Ended(signals.code)
            for whole, place, child in running:
                moved = child.look()
                _pass_on(whole.cell, child, listener)
                if moved:
                    listener.moves(whole.cell, whole.moved(place, child.fraction), child.note)
            for whole, place, child in [entry for entry in running if entry[2].numbers is not None]:
                running.remove((whole, place, child))
                assert child.numbers is not None
                whole.found[place] = child.numbers
                if not running:
                    end_orphans()
                if whole.complete and (more := (yield whole.cell, whole.joined())):
                    added = in_parts(more, work.workers)
                    wholes += added
                    waiting.extendleft(reversed([(new, part) for new in added for part in range(len(new.parts))]))
    finally:
        for _, _, child in running:
            child.end()
        end_orphans()


@contextmanager
def _children_waited_for() -> Iterator[None]:
    """Ask the system to keep the exit codes of children; the parent of this process may have asked for the opposite."""
    possible = threading.current_thread() is threading.main_thread()
    if not possible or signal.getsignal(signal.SIGCHLD) != signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def _rest_here(wholes: Sequence[Whole], work: Work, listener: Listener, signals: Signals) -> Computed:
    """The numbers of the incomplete cells, computed in this process because no other process can be started."""
    left = [whole.cell for whole in wholes if not whole.complete]
    yield from here(left, work, listener, signals)


def _fewer(workers: int, reason: str) -> str:
    """The message for a system that starts no further process."""
    if workers:
        return f"-j: only {workers} processes compute at a time, because no further process can be started: {reason}"
    return f"-j: this process computes everything, because no other process can be started: {reason}"


def _fits(piece: tuple[Whole, int], running: Sequence[tuple[Whole, int, Child]], room: float) -> bool:
    """Whether a part fits into the memory together with the running parts; a single part is always begun."""
    whole, place = piece
    return not running or whole.need(place) + sum(other.need(at) for other, at, _ in running) <= room


def _pass_on(cell: Cell, child: Child, listener: Listener) -> None:
    """Pass on what a runner printed, marked with its arm."""
    for line in child.printed:
        listener.says(f"{cell.claim}, {cell.arm}: {line}")
    child.printed.clear()


def _progress(cell: Cell, listener: Listener) -> Any:
    """The progress callback of a cell in this process."""
    return lambda fraction, note: listener.moves(cell, *progress_of(fraction, note))


class _WithItsStreams:
    """A listener that writes into the streams of the process, also while those of a runner are redirected to it."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self._stdout, self._stderr = listener, sys.stdout, sys.stderr

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Pass on the fraction of a cell that is computed."""
        with redirect_stdout(self._stdout), redirect_stderr(self._stderr):
            self._listener.moves(cell, fraction, note)

    def waits(self) -> None:
        """Pass on that cells are being computed."""
        with redirect_stdout(self._stdout), redirect_stderr(self._stderr):
            self._listener.waits()

    def says(self, text: str) -> None:
        """Pass on a line."""
        with redirect_stdout(self._stdout), redirect_stderr(self._stderr):
            self._listener.says(text)


class _Printed(TextIOBase):
    """A stream that passes on what a runner prints in this process, line by line and marked with its arm."""

    def __init__(self, cell: Cell, listener: Listener) -> None:
        self._cell, self._listener, self._rest = cell, listener, ""

    def write(self, text: str, /) -> int:
        """Pass on the lines that are complete."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._listener.says(f"{self._cell.claim}, {self._cell.arm}: {line}")
        return len(text)


@contextmanager
def _alarm(budget: float | None) -> Iterator[None]:
    """Stop a runner that is inside one long call at the end of its budget, if the system has an alarm clock."""
    possible = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if budget is None or not possible or signal.getsignal(signal.SIGALRM) != signal.SIG_DFL:
        with nullcontext():
            yield
        return

    def rings(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the system's signature
        raise BudgetSpent

    signal.signal(signal.SIGALRM, rings)
    signal.setitimer(signal.ITIMER_REAL, budget + GRACE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
