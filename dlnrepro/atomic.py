"""Files that are there whole or not at all, and what the system says if they cannot be."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from dlnrepro.errors import UsageError

MARK = ".unfinished-"
"""How the name of a file begins that is still being written."""

ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished file is taken for one that a killed process left behind."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, even if the machine stops on the way.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=MARK, delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"{path}: expected a file that can be written, found: {reason(error)}") from None


def clear_abandoned(folder: Path) -> None:
    """Remove what killed processes left unfinished in a folder, but nothing that another may still be writing."""
    for path in folder.glob(f"{MARK}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink()


def reason(error: OSError) -> str:
    """What the system says of an error, in small letters."""
    return (error.strerror or str(error)).lower()
