"""Ends processes that a runner has started and that outlive it, also if they have left its process group.

While parts are computed, this process adopts processes that lose their parent (on Linux, as a subreaper). It then finds
them among its children and can end them. On other systems nothing is adopted.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SET_SUBREAPER, _GET_SUBREAPER = 36, 37
"""The numbers of the requests PR_SET_CHILD_SUBREAPER and PR_GET_CHILD_SUBREAPER of Linux's prctl."""

_ROUNDS = 100
"""The largest number of searches for orphans: when an orphan is killed, its children are adopted in turn."""


@contextmanager
def adopted() -> Iterator[Callable[[], None]]:
    """Adopt orphans inside the `with` block; gives a function that ends them.

    The function ends all children that were not there before, except the children in this process's own group. This
    process has started these itself, because every runner has another group.
    """
    before = children()
    was = _subreaper()
    _set_subreaper(True)
    try:
        yield lambda: _end_all_but(before)
    finally:
        _set_subreaper(bool(was))


def children() -> set[int]:
    """The processes whose parent this process is, also ended processes; empty if the system does not list them."""
    found: set[int] = set()
    for task in _folders(Path("/proc/self/task")):
        with suppress(OSError, ValueError):
            found |= {int(word) for word in (task / "children").read_text(encoding="ascii").split()}
    return found


def _folders(folder: Path) -> list[Path]:
    """The entries of a folder; none if it is not there."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _end_all_but(spared: Collection[int]) -> None:
    """Kill the children of this process except some, and wait for them; then do the same with their own children."""
    for _ in range(_ROUNDS):
        orphans = {child for child in children() - set(spared) if _group(child) != os.getpgrp()}
        if not orphans:
            return
        for orphan in orphans:
            with suppress(OSError):
                os.kill(orphan, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(orphan, 0)


def _group(process: int) -> int | None:
    """The group of a process, or None if the process no longer exists."""
    try:
        return os.getpgid(process)
    except OSError:
        return None


def _subreaper() -> int:
    """Whether this process adopts orphans already."""
    answer = ctypes.c_int(0)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_GET_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return answer.value


def _set_subreaper(adopts: bool) -> None:
    """Adopt orphans, or do not."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_SUBREAPER, int(adopts), 0, 0, 0)
