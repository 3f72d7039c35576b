"""Computes one part of a cell in its own process, so that a runner cannot affect other parts.

The process is forked, so that everything is imported already. It sends its progress and, at the end, its numbers. The
text that the runner prints goes through a pipe, so that it can be marked with the arm. A runner may end its process, be
killed, change the working folder or the standard streams, or start processes: only its own process is affected.
"""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from io import StringIO
from multiprocessing.connection import wait
from typing import Any

import numpy as np

from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.channel import Inbox, Outbox, Unreadable
from dlnrepro.compute.engine import run_cell
from dlnrepro.compute.limits import largest_resident, resident
from dlnrepro.compute.trace import Trace
from dlnrepro.errors import one_line
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.runner import Progress
from dlnrepro.signals import ALL, Ended, name_of
from dlnrepro.verdict.outcome import Outcome

PAUSE = 0.1
"""Seconds between two progress messages of a process."""

GRACE = 1.0
"""A process is killed this many seconds after the end of its budget: its runner is then inside one long call."""

DESCRIPTORS = 16
"""Files that a new process must be able to open: 8 connect it with its parent, and its runner may open the rest."""

MOST_LINES, LONGEST_LINE, LONGEST_NOTE = 100, 1000, 200
"""The largest number of printed lines that are passed on, and of letters in a line and in a note."""

OTHER_NUMBERS = "the same seeds gave other numbers when the arm was computed a second time"
"""The beginning of the fault of a runner whose numbers the seeds do not determine."""

_DEATH_OF_PARENT = 1
"""The number of the request PR_SET_PDEATHSIG of Linux's prctl."""


@dataclass
class Child:
    """A process that computes one part of a cell.

    Attributes:
        cell: the part.
        fraction: the fraction of the part that is computed, in [0, 1].
        note: the runner's description of its current work.
        printed: lines that its runner has printed, not yet passed on.
        numbers: the result of the part, as soon as it is known.
    """

    cell: Cell
    process: Any
    messages: Inbox
    output: int
    deadline: float
    trace: Trace
    fraction: float = 0.0
    note: str = ""
    printed: list[str] = field(default_factory=list)
    numbers: Numbers | None = None
    _started: float = field(default_factory=time.monotonic)
    _rest: bytes = b""
    _lines: int = 0
    _sentinel_closed: bool = False
    _output_closed: bool = False

    def sources(self) -> list[Any]:
        """The sources that the parent waits for: messages, output, and the end of the process.

        A runner may close the files that report these events. A closed file would be ready at once, so it is left out.
        """
        sources: list[Any] = [] if self._sentinel_closed else [self.process.sentinel]
        sources += [] if self.messages.closed else [self.messages.fileno()]
        return sources + ([] if self._output_closed else [self.output])

    def look(self) -> bool:
        """Read the messages and the output of the process; return whether its progress has changed."""
        ended = self._has_ended()
        moved = self._read_messages()
        self._read_output()
        if self.numbers is None and ended:
            self.numbers = self._without_numbers(fault=_how(self.process.exitcode) + self.trace.place())
        elif self.numbers is None and time.monotonic() > self.deadline:
            self.numbers = self._without_numbers(spent=True)
            self._say_where()
        if self.numbers is not None:
            self.end()
        return moved

    def end(self) -> None:
        """Kill the process and all processes of its group, and wait for it."""
        with suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(OSError):
            self.process.kill()
        self.process.join()
        self.trace.close()
        self._read_output(last=True)
        self.messages.close()
        if self.output >= 0:
            os.close(self.output)
            self.output = -1
            self._output_closed = True

    def _say_where(self) -> None:
        """Say where a function of the user is when its time is up, as far as it can be found out."""
        with suppress(OSError):
            os.kill(self.process.pid, signal.SIGABRT)
            self.process.join(PAUSE)
        if place := self.trace.place():
            self.printed.append(f"the time budget was spent{place}")

    def _has_ended(self) -> bool:
        """Whether the process has ended, also if the system reports no exit code (SIGCHLD is ignored)."""
        if self.process.exitcode is not None:
            return True
        try:
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        self._sentinel_closed = self._sentinel_closed or bool(wait([self.process.sentinel], 0))
        return False

    def _read_messages(self) -> bool:
        """Read the messages; return whether the progress has changed."""
        moved = False
        try:
            for kind, *rest in self.messages.read():
                if kind == "numbers":
                    (self.numbers,) = rest
                else:
                    self.fraction, self.note = rest
                    moved = True
        except (Unreadable, TypeError, ValueError) as error:
            self.numbers = self._without_numbers(fault=f"its process sent a message that cannot be read: {error}")
        return moved

    def _read_output(self, last: bool = False) -> None:
        """Read the printed text line by line; at the last reading, an incomplete line is read too."""
        content = b""
        if self.output >= 0:
            with suppress(BlockingIOError):
                while len(content) < 1 << 20:
                    if not (some := os.read(self.output, 1 << 16)):
                        self._output_closed = True
                        break
                    content += some
        *lines, self._rest = (self._rest + content).split(b"\n")
        if last and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        if len(self._rest) > 1 << 20:
            self._rest = self._rest[:LONGEST_LINE]
        for line in lines:
            self._lines += 1
            if self._lines <= MOST_LINES:
                text = line[:LONGEST_LINE].decode("utf-8", "backslashreplace").rstrip("\r")
                self.printed.append(text + " ..." * (len(line) > LONGEST_LINE))
            elif self._lines == MOST_LINES + 1:
                self.printed.append("(further lines are left out)")

    def _without_numbers(self, fault: str | None = None, spent: bool = False) -> Numbers:
        """The result of a part without numbers: its fault, or that its budget is used up."""
        seconds = time.monotonic() - self._started
        return Numbers(Outcome(self.cell.seeds, {}, fault, spent, seconds), {})


def begin(cell: Cell, budget: float | None, twice: bool) -> Child:
    """Start a process that computes a part.

    Args:
        cell: the part.
        budget: seconds that it may take, or None.
        twice: whether the part is computed a second time, to check that its numbers depend on the seeds alone.

    Raises:
        OSError: the system cannot start a process, or cannot make a pipe to it.
    """
    pipes: list[int] = []
    trace = Trace(cell.runner)
    try:
        _need_descriptors()
        pipes += os.pipe()
        pipes += os.pipe()
        process = multiprocessing.get_context("fork").Process(
            target=_work, args=(cell, budget, twice, pipes[1], pipes[3], os.getpid(), trace)
        )
        process.start()
    except OSError:
        trace.close()
        for end in pipes:
            os.close(end)
        raise
    receiving, sending, reading, writing = pipes
    os.close(sending)
    os.close(writing)
    os.set_blocking(reading, False)
    # Both the parent and the child set the group: whichever comes first, the group is there before it is killed.
    with suppress(OSError):
        os.setpgid(process.pid, process.pid)  # type: ignore[arg-type]  # a started process has a pid
    limit = float("inf") if budget is None else time.monotonic() + budget + GRACE
    return Child(cell, process, Inbox(receiving), reading, limit, trace)


def _need_descriptors() -> None:
    """Check that a process, its parent and its runner can open as many files as they need.

    Raises:
        OSError: too few files can be opened.
    """
    held: list[int] = []
    try:
        while len(held) < DESCRIPTORS:
            held.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in held:
            os.close(descriptor)


def numbers_of(cell: Cell, budget: float | None, progress: Progress, twice: bool) -> Numbers:
    """The numbers of a cell, in this process; computed a second time and compared, if `twice`."""
    left = clock(budget)
    numbers = run_cell(cell, progress, left)
    if not twice or numbers.outcome.fault or numbers.outcome.spent:
        return numbers
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # the first computation has printed this
        again = run_cell(cell, progress, left)
    if again.outcome.spent or _same(numbers, again):
        return numbers
    fault = again.outcome.fault or f"{OTHER_NUMBERS}; expected every draw from {_source(cell)}"
    return Numbers(Outcome(cell.seeds, {}, fault, seconds=numbers.outcome.seconds), {})


def _source(cell: Cell) -> str:
    """What a runner has to draw from, and what it must not do."""
    if is_function(cell.runner):
        source = "its seed, as by numpy.random.default_rng(seed), and none from the generators of a whole process"
    else:
        source = "the generators that the runner is given"
    return f"{source}, and nothing that is kept from one call to the next"


def progress_of(fraction: Any, note: Any) -> tuple[float, str]:
    """The progress that a runner reports, as a number in [0, 1] and a short text; a plug-in may report anything."""
    try:
        number, text = float(fraction), str(note)
    except Exception:
        return 0.0, ""
    return (min(1.0, max(0.0, number)) if math.isfinite(number) else 0.0), text[:LONGEST_NOTE]


def clock(budget: float | None) -> Any:
    """A function that gives the seconds left of a budget that begins now."""
    if budget is None:
        return lambda: float("inf")
    deadline = time.monotonic() + budget
    return lambda: deadline - time.monotonic()


def _same(first: Numbers, second: Numbers) -> bool:
    """Whether two computations are bitwise identical."""
    one, other = (
        {**{name: np.array(values) for name, values in found.outcome.measures.items()}, **found.series}
        for found in (first, second)
    )
    return one.keys() == other.keys() and all(
        values.shape == other[name].shape and np.array_equal(values, other[name], equal_nan=True)
        for name, values in one.items()
    )


def _work(cell: Cell, budget: float | None, twice: bool, channel: int, output: int, parent: int, trace: Trace) -> None:
    """Compute, send the numbers, and end the process without the program's exit handlers."""
    _detach(output, parent)
    leave = trace.begin()
    messages, own, said = Outbox(channel), os.getpid(), time.monotonic()

    def progress(fraction: float, note: str) -> None:
        nonlocal said
        if (now := time.monotonic()) - said >= PAUSE:
            said = now
            # If the parent reads no longer, or the runner has closed the channel, the parent notices that itself.
            with suppress(OSError):
                messages.send("moves", *progress_of(fraction, note))

    before = resident()
    try:
        numbers = numbers_of(cell, budget, progress, twice)
        numbers = replace(numbers, memory=max(0, largest_resident() - before))
    except Ended as ended:  # no signal is handled here: the runner has raised it
        numbers = Numbers(Outcome(cell.seeds, {}, one_line(ended)), {})
    if os.getpid() == own:  # a process that the runner has forked also gets here
        # A runner may have replaced the stream by an object that raises any exception.
        with suppress(Exception):
            sys.stdout.flush()
        try:
            messages.send("numbers", numbers)
        except OSError:
            leave(1)
    leave(0)


def _detach(output: int, parent: int) -> None:
    """Give the process its own group, make it end with its parent, and send its output through the pipe."""
    with suppress(OSError):
        os.setpgid(0, 0)
    die_with_parent(parent)
    _have_forks_die_too()
    for number in ALL:
        # The parent handles Ctrl-C; every other signal that usually ends a process ends this one.
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for stream in (1, 2):
        os.dup2(output, stream)
    stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stderr = stdout


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Ask the kernel to signal this process when its parent ends, because a parent may be killed without notice."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, number)
    if os.getppid() != parent:
        os._exit(1)


def _have_forks_die_too() -> None:
    """Make the processes that this process forks end with it: if it is killed, it cannot end them itself.

    For the kernel the parent is the thread that forks, so this covers only forks of the main thread.
    """
    forking = 0

    def before() -> None:
        nonlocal forking
        forking = os.getpid() if threading.current_thread() is threading.main_thread() else 0

    def in_child() -> None:
        if forking:
            die_with_parent(forking)

    os.register_at_fork(before=before, after_in_child=in_child)


def _how(code: int | None) -> str:
    """How a process without numbers ended."""
    if code is None:
        return "its process ended before the runner returned; the system gives no exit code"
    if code >= 0:
        return f"its process ended with exit code {code} before the runner returned"
    hint = ", perhaps because the memory was full" if code == -signal.SIGKILL else ""
    return f"its process was ended by {name_of(128 - code)}{hint}"
