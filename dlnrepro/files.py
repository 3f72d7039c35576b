"""Files that are written completely or not at all, and the system's reason if they cannot be written."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import stat
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from dlnrepro.errors import UsageError

MARK = ".unfinished-"
"""The beginning of the name of a file that is still being written; the writer's machine and process follow."""

ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished file counts as abandoned, if it is not known whether its writer still runs."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, even if the machine stops in the middle.

    The umask of the process decides the mode of the file.

    Raises:
        UsageError: the file cannot be written, or the path is a device or a pipe.
    """
    if _is_no_file(path):
        # A rename would replace the device by a file, for every program of the machine.
        raise UsageError(f"{path}: expected a file that can be written, found: not a regular file")
    unfinished = path.parent / f"{MARK}{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        try:
            with open(unfinished, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
    except OSError as error:
        raise UsageError(f"{path}: expected a file that can be written, found: {reason(error)}") from None


def check_output(names: Iterable[str], suffixes: Iterable[str]) -> None:
    """Refuse files of the option `-o` that could not be written, before anything is trained.

    Args:
        names: the files, as the user gave them.
        suffixes: the suffixes of the known formats.

    Raises:
        UsageError: a suffix is unknown, or a folder does not exist or cannot be written.
    """
    known = list(suffixes)
    for name in names:
        path = Path(name)
        if path.suffix not in known:
            raise UsageError(f"-o {name}: expected a file ending in {', '.join(known)}, found '{path.suffix}'")
        if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise UsageError(f"-o {name}: expected a file in a folder that can be written")


def _is_no_file(path: Path) -> bool:
    """Whether a path leads to a device, a pipe or a socket."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def clear_abandoned(folder: Path) -> None:
    """Remove unfinished files of killed processes from a folder, but no file that a process may still be writing."""
    for path in folder.glob(f"{MARK}*"):
        with suppress(OSError):
            if _writer_is_gone(path.name) or time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink()


def _writer_is_gone(name: str) -> bool:
    """Whether an unfinished file was written by a process of this machine that has ended."""
    machine, _, process = name.removeprefix(MARK).partition("-")
    number = process.partition("-")[0]
    # On Windows this call would end the process.
    if machine != _machine() or not number.isdecimal() or sys.platform == "win32":
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False


@cache
def _machine() -> str:
    """A word for the machine, or the container, within which the number of a process means that process."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]


def reason(error: OSError) -> str:
    """The system's message for an error, in lower case."""
    return (error.strerror or str(error)).lower()
