"""Faults of this program itself: one line for the user, and the traceback in a file that can be sent to its authors."""

from __future__ import annotations

import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from dlnrepro.errors import one_line


def logged(error: BaseException, folder: Path | None = None) -> str:
    """Write the traceback of an error to a file, and give the line that names the error and the file.

    Args:
        error: what has escaped.
        folder: the folder for results, where there is one; its subfolder `faults` takes the file. Where that cannot be
            written, the folder for temporary files does.
    """
    text = "".join(traceback.format_exception(error))
    name = f"dlnrepro-fault-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.log"
    places = [folder / "faults"] if folder is not None and folder.is_dir() else []
    line = f"a fault of the program itself: {one_line(error)}"
    for place in [*places, Path(tempfile.gettempdir())]:
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return f"{line}; its traceback is in {place / name}"
    return f"{line}; its traceback could not be written to any file"
