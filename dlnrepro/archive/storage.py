"""The contents of the outputs folder, their sizes, and which numbers can no longer be used.

Only files of this program are ever removed: files and folders with its names. Links are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dlnrepro.archive.cell_store import is_usable
from dlnrepro.errors import UsageError
from dlnrepro.files import reason

_CELL = re.compile(r"[0-9a-f]{64}\.npz")
_REPORT = re.compile(r"\d{8}T\d{6}(\.\d{6})?Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class Stored:
    """Something that is stored: a file or a folder of files, and its size in bytes."""

    path: Path
    size: int


@dataclass(frozen=True)
class Storage:
    """The contents of an outputs folder.

    Attributes:
        usable: cells that can be used again by the present code and versions.
        useless: cells of other code or other versions, and damaged files.
        reports: every stored report.
    """

    usable: list[Stored]
    useless: list[Stored]
    reports: list[Stored]


def storage(root: Path) -> Storage:
    """The contents of an outputs folder; nothing is changed.

    Raises:
        UsageError: the folder exists and cannot be read.
    """
    try:
        cells = [Stored(path, path.stat().st_size) for path in _cells(root)]
        reports = [Stored(path, sum(inner.stat().st_size for inner in _files(path))) for path in _reports(root)]
    except OSError as error:
        raise UsageError(f"--outputs {root}: expected a folder that can be read, found: {reason(error)}") from None
    usable = {cell.path for cell in cells if is_usable(cell.path)}
    return Storage(
        [cell for cell in cells if cell.path in usable], [cell for cell in cells if cell.path not in usable], reports
    )


def remove(things: Iterable[Stored]) -> int:
    """Remove stored things, and return how many bytes this has freed.

    Raises:
        UsageError: something cannot be removed; the things before it in the list have been removed.
    """
    freed = 0
    for thing in things:
        try:
            if thing.path.is_dir():
                for path in _files(thing.path):
                    path.unlink()
                thing.path.rmdir()
            else:
                thing.path.unlink()
        except OSError as error:
            raise UsageError(
                f"{thing.path}: expected a file or folder that can be removed, found: {reason(error)}"
            ) from None
        freed += thing.size
    return freed


def _cells(root: Path) -> Iterator[Path]:
    """The files of cells, by their names, without links."""
    for path in _inside(root / "cells"):
        if _CELL.fullmatch(path.name) and path.is_file():
            yield path


def _reports(root: Path) -> Iterator[Path]:
    """The folders of reports, by their names, that hold nothing but files."""
    for path in _inside(root / "reports"):
        if _REPORT.fullmatch(path.name) and path.is_dir() and all(inner.is_file() for inner in _inside(path)):
            yield path


def _files(folder: Path) -> list[Path]:
    """The files of a report's folder."""
    return [path for path in folder.iterdir() if path.is_symlink() or path.is_file()]


def _inside(folder: Path) -> list[Path]:
    """The entries of a folder, sorted, without links; nothing if the folder is a link or does not exist."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.is_symlink())
