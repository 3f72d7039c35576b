"""Where a function of the user was when its process ended without numbers, or when its time was up.

Python writes the lines that were being executed into a file in memory: if a signal ends the process, and before the
function itself ends it. The parent reads the first line of the user's file from there.
"""

from __future__ import annotations

import faulthandler
import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import IO, NoReturn

from dlnrepro.registry.functions.reference import is_function, split

_LINE = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)

_LONGEST = 1 << 16


class Trace:
    """A file in memory for the lines that a process executes; only a function of a user has one."""

    def __init__(self, runner: str) -> None:
        """Make the file; without it, the places of errors are not known.

        Args:
            runner: the name of the runner.
        """
        self._path = split(runner)[0] if is_function(runner) else ""
        self._file: IO[bytes] | None = None
        if self._path:
            with suppress(OSError, AttributeError):
                self._file = open(os.memfd_create("dlnrepro"), "w+b", buffering=0)  # noqa: SIM115  closed by `close`

    def begin(self) -> Callable[[int], NoReturn]:
        """Write down from now on where this process ends; gives the function that ends it without a word."""
        leave = os._exit
        if (file := self._file) is None:
            return leave
        own = os.getpid()
        faulthandler.enable(file, all_threads=False)

        def leaves(code: int) -> NoReturn:
            if os.getpid() == own:
                faulthandler.dump_traceback(file, all_threads=False)
            leave(code)

        os._exit = leaves  # type: ignore[assignment]
        return leave

    def place(self) -> str:
        """The innermost file and line of the user's folder, in brackets; empty if it is not known."""
        if self._file is None:
            return ""
        text = os.pread(self._file.fileno(), _LONGEST, 0).decode("utf-8", "replace")
        folder = os.path.dirname(self._path)
        for found in _LINE.finditer(text):
            if os.path.dirname(found["file"]) == folder:
                return f" ({os.path.basename(found['file'])}:{found['line']})"
        return ""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
