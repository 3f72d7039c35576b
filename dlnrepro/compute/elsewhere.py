"""Computes cells in fresh interpreters, whose state no caller has changed: for scripts, notebooks, and without fork.

A notebook may have used torch with several threads, in another mode of its math library, or with other defaults, and a
process that has run threads cannot be forked safely. So a fresh interpreter is started with the same search path for
modules, and only this program and its runners are imported there; the caller's script is not.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing.connection import Connection, wait
from typing import Any

import dlnrepro.runners
from dlnrepro.compute.arithmetic import UNKNOWN, Environment, arithmetic, environment, library_variables
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.channel import Inbox, Outbox, Unreadable
from dlnrepro.compute.child import PAUSE, die_with_parent
from dlnrepro.compute.device import Device
from dlnrepro.compute.processes import Computed, Listener, Work, forks, here, in_processes
from dlnrepro.signals import Ended, Signals, name_of
from dlnrepro.verdict.outcome import Outcome

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""The variables that set the threads of libraries: matrices are small, and sums must be added in one order."""

PATIENCE = 2.0
"""Seconds that an interpreter has to end the processes that it has started."""

_BEGIN = "import sys; sys.path[:] = {path!r}; from dlnrepro.compute.elsewhere import serve; serve({channel}, {parent})"


def possible() -> bool:
    """Whether a fresh interpreter can be started: its path is known, and the system can pass a channel to it."""
    return os.name == "posix" and bool(sys.executable)


def arithmetic_there() -> str:
    """The modes of the math libraries in a fresh interpreter.

    If this process still has the modes that it began with, they are the same. Otherwise an interpreter is asked.
    """
    own = arithmetic()
    changes = tuple(library_variables())
    if not possible() or (not changes and ("MKL AUTO" in own or f"MKL {UNKNOWN}" in own)):
        return own
    return _asked(changes) or own


def environment_there(device: Device) -> Environment:
    """The environment of a fresh interpreter, on a device of this machine."""
    return replace(environment(device), arithmetic=arithmetic_there())


@cache
def _asked(changes: tuple[str, ...]) -> str | None:  # noqa: ARG001  the answer depends on them
    """The modes that a fresh interpreter reports for its math libraries, or None if no interpreter can be started."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from dlnrepro.compute import arithmetic as a; print(a.arithmetic())"
    )
    try:
        asked = subprocess.run(
            [sys.executable, "-c", code], env=_environment(os.environ), capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def elsewhere(cells: Sequence[Cell], work: Work, listener: Listener, signals: Signals) -> Computed:
    """The numbers of cells, computed in fresh interpreters: one interpreter that forks, or one per worker.

    If none can be started, this process computes everything, and the user is informed.

    Raises:
        Ended: a signal has arrived.
    """
    count = min(1 if forks(cells) else work.workers, len(cells))
    running: list[_Interpreter] = []
    try:
        try:
            if count and not possible():
                raise OSError("this system cannot start a Python of its own")
            running.extend(_begin(list(cells[index::count]), work) for index in range(count))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            listener.says(
                f"this process computes everything, and its state may differ from that of a new process: {reason}"
            )
            yield from here(cells, replace(work, workers=1), listener, signals)
            return
        while running:
            wait([interpreter.messages.fileno() for interpreter in running], PAUSE)
            listener.waits()
            if signals.code is not None:
                raise Ended(signals.code)
            for interpreter in list(running):
                # Cells that are sent here are ignored: the interpreters have been given all their cells.
                for ended in interpreter.heard(listener):  # noqa: UP028  a list cannot receive what is sent
                    yield ended
                if interpreter.done:
                    running.remove(interpreter)
                    interpreter.end()
    finally:
        for interpreter in running:
            interpreter.end()


@dataclass(eq=False)
class _Interpreter:
    """A fresh interpreter and the cells that it computes."""

    cells: list[Cell]
    process: subprocess.Popen[bytes]
    messages: Inbox
    done: bool = False
    left: dict[int, Cell] = field(default_factory=dict)

    def heard(self, listener: Listener) -> list[tuple[Cell, Numbers]]:
        """Read its messages; return its complete cells, and once it is done, a fault for every other cell."""
        found: list[tuple[Cell, Numbers]] = []
        try:
            for kind, *rest in self.messages.read():
                if kind == "numbers":
                    index, numbers = rest
                    found.append((self.left.pop(index), numbers))
                elif kind == "moves":
                    index, fraction, note = rest
                    listener.moves(self.cells[index], fraction, note)
                elif kind == "says":
                    listener.says(*rest)
                else:
                    self.done = True
        except (Unreadable, TypeError, ValueError, LookupError):
            self.done = True
        self.done = self.done or self.messages.closed
        if self.done:
            found += [(cell, Numbers(Outcome(cell.seeds, {}, self._fault()), {})) for cell in self.left.values()]
            self.left.clear()
        return found

    def end(self) -> None:
        """End the interpreter, which ends its own processes; kill it if it takes longer than `PATIENCE`."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        with suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.messages.close()

    def _fault(self) -> str:
        """Why cells have no numbers: how the interpreter ended."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(1.0)
            how = f"exit code {code}" if code >= 0 else name_of(128 - code)
            return f"the process that computed ended with {how} before this arm was complete"
        return "the process that computed has closed its channel before this arm was complete"


def _begin(cells: list[Cell], work: Work) -> _Interpreter:
    """Start an interpreter and send it what to compute."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        code = _BEGIN.format(path=sys.path, channel=theirs.fileno(), parent=os.getpid())
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=[theirs.fileno()],
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        # If the interpreter ends at once, `heard` notices it.
        with suppress(OSError), Connection(os.dup(ours.fileno())) as opening:
            opening.send((list(dlnrepro.runners.__path__), cells, work))
        return _Interpreter(cells, process, Inbox(ours.detach()), left=dict(enumerate(cells)))


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The environment of a fresh interpreter: the caller's, with one thread for each library."""
    return {**ours, **dict.fromkeys(ONE_THREAD, "1")}


def serve(channel: int, parent: int) -> None:
    """The work of the interpreter: receive cells, compute them, and send their numbers."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Connection(os.dup(channel)) as opening:
        folders, cells, work = opening.recv()
    dlnrepro.runners.__path__ = folders
    messages = Outbox(channel)
    # A runner may write into descriptors that are not its own; these bytes must not reach the caller.
    os.register_at_fork(after_in_child=messages.close)
    with Signals((signal.SIGTERM,)) as signals, signals.noted():
        if forks(cells):
            die_with_parent(parent, signal.SIGTERM)
        listener = _Sender(messages, {cell: index for index, cell in enumerate(cells)})
        compute: Any = in_processes if forks(cells) else here
        with suppress(Ended):
            for cell, numbers in compute(cells, work, listener, signals):
                messages.send("numbers", listener.places[cell], numbers)
            messages.send("done")


@dataclass(frozen=True)
class _Sender:
    """A listener that sends every report to the process that waits for the numbers."""

    messages: Outbox
    places: dict[Cell, int]

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Send the fraction of a cell that is computed."""
        self.messages.send("moves", self.places[cell], fraction, note)

    def waits(self) -> None:
        """Send nothing: the process that waits for the numbers measures the time itself."""

    def says(self, text: str) -> None:
        """Send a line for the user."""
        self.messages.send("says", text)
