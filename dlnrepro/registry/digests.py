"""Digests of files, each computed only once as long as the file does not change."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

What = TypeVar("What")

LARGEST = 64 * 2**20
"""Files up to this many bytes are read; of a larger file only the size and the time of its last change count."""

_SETTLED = 2_000_000_000
"""Nanoseconds after which a file with the same times has the same content, since file systems round times."""


class Remembered(Generic[What]):
    """The values of a function of the content of files, each remembered until the file changes.

    Args:
        make: called with the content of a file, and its path.
    """

    def __init__(self, make: Callable[[bytes, str], What]) -> None:
        self._make = make
        self._found: dict[str, tuple[tuple[int, ...], int, str, What]] = {}

    def __call__(self, path: str) -> tuple[str, What]:
        """The SHA-256 of a file, and the value of the function for it.

        Raises:
            OSError: the file cannot be read.
        """
        now = os.stat(path)
        stamp = (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino)
        known = self._found.get(path)
        if known is not None and known[0] == stamp and known[1] - max(stamp[:2]) > _SETTLED:
            return known[2], known[3]
        read_at = time.time_ns()
        with open(path, "rb") as file:
            content = file.read()
        digest = hashlib.sha256(content).hexdigest()
        made = known[3] if known is not None and known[2] == digest else self._make(content, path)
        self._found[path] = (stamp, read_at, digest, made)
        return digest, made


def _nothing(content: bytes, path: str) -> None:
    """Nothing, for files of which only the digest counts."""


_digests = Remembered(_nothing)


def file_digest(path: str) -> str:
    """The SHA-256 of a file; for a very large file its size and times, and for an unreadable file a fixed word."""
    try:
        found = os.stat(path)
        if found.st_size > LARGEST:
            return f"{found.st_size} bytes of {found.st_mtime_ns}"
        return _digests(path)[0]
    except OSError:
        return "unreadable"


def files_below(folder: str) -> Iterator[str]:
    """The files of a folder and its subfolders, sorted, without hidden files, compiled files and stored results."""
    for above, folders, names in os.walk(folder):
        # Files that this program writes when it runs in this folder are results, never sources.
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name != "__pycache__" and not _outputs(f"{above}/{name}")
        )
        for name in sorted(names):
            if name[0] != "." and not name.endswith((".pyc", ".pyo")):
                path = os.path.join(above, name)
                if os.path.isfile(path):
                    yield path


def _outputs(folder: str) -> bool:
    """Whether this program keeps its results in a folder."""
    return os.path.isdir(os.path.join(folder, "cells")) and os.path.isdir(os.path.join(folder, "reports"))
