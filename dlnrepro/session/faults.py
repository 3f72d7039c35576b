"""Errors of this program itself: one line for the user, and a file with the traceback for the authors."""

from __future__ import annotations

import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from dlnrepro.errors import one_line


def logged(error: BaseException, folder: Path | None = None) -> str:
    """Write the traceback of an error to a file, and return a line that names the error and the file.

    Args:
        error: the error that was not handled.
        folder: the outputs folder, if there is one. The file is written to its subfolder `faults`, or, if that is not
            possible, to the folder for temporary files.
    """
    text = "".join(traceback.format_exception(error))
    name = f"dlnrepro-fault-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.log"
    places = [folder / "faults"] if folder is not None and folder.is_dir() else []
    line = f"an error of the program itself: {one_line(error)}"
    for place in [*places, Path(tempfile.gettempdir())]:
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return f"{line}; the traceback is in {place / name}"
    return f"{line}; the traceback could not be written to any file"
