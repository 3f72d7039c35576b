"""Signals that end the program: Ctrl-C, and the signals of a CI system, of `timeout`, or of a closed terminal.

While claims are computed and their report is written, a signal is only noted. The loop sees it within 0.1 seconds,
stops the computation, and all claims that were already judged are printed and stored. Further signals have no effect.
At any other time a signal raises the exception `Ended`, which ends the program at once.

A signal that was ignored when the program started (`nohup`, a background job of a script) stays ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

ALL = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end the program, as far as this system has them."""


class Ended(BaseException):
    """A signal has asked the program to end.

    Attributes:
        code: the exit code, which is 128 plus the number of the signal: 130 for SIGINT, 143 for SIGTERM.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"ended by {name_of(code)}")
        self.code = code


def name_of(code: int) -> str:
    """The name of the signal that an exit code stands for, such as SIGTERM for 143."""
    try:
        return signal.Signals(code - 128).name
    except ValueError:
        return f"signal {code - 128}"


class Signals:
    """A context that handles signals; in a thread other than the main thread it does nothing.

    Args:
        handled: the signals to handle.
    """

    def __init__(self, handled: Sequence[int] = ALL) -> None:
        self._handled = handled
        self._before: dict[int, Any] = {}
        self._noting = False
        self.code: int | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in self._handled:
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            # None stands for a handler that was not set from Python and cannot be set from there.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Only note signals: `code` is the exit code of the first signal, and None before it."""
        before, self._noting = self._noting, True
        try:
            yield
        finally:
            self._noting = before

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise `Ended` at the next signal, even where signals are only noted; this is for work in this process."""
        before, self._noting = self._noting, False
        try:
            if before and self.code is not None:
                raise Ended(self.code)
            yield
        finally:
            self._noting = before

    def _arrived(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  the system's signature
        """Note the first signal, and raise it where it is not only noted."""
        if self.code is None:
            self.code = 128 + number
        if not self._noting:
            raise Ended(self.code)
