"""The pictures of a report as files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from dlnrepro.archive.record import Report
from dlnrepro.errors import UsageError
from dlnrepro.files import reason, write_whole
from dlnrepro.report.drawing.canvas import Picture
from dlnrepro.report.drawing.figures import figure
from dlnrepro.report.drawing.strip_plot import strip_plot
from dlnrepro.report.words.html_ids import with_html_ids

LONGEST_NAME = 200
"""The largest number of letters in a file's name, which is ASCII; file systems allow 255 bytes, some of them less."""


def write_figures(report: Report, folder: Path) -> list[Path]:
    """Write every picture of a report as SVG, and return the files, in the report's order.

    `<claim>.figure-<n>.svg` is the claim's n-th figure, `<claim>.criterion-<id>.svg` the runs of a criterion. A name
    that is too long for a file, or that differs from another only in small and capital letters, ends in a hash.

    Raises:
        UsageError: the folder cannot be made, or a file in it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--figures {folder}: expected a folder that can be made, found: {reason(error)}") from None
    paths: list[Path] = []
    used: set[str] = set()
    for name, picture in _pictures(report):
        paths.append(folder / f"{_free(name, used)}.svg")
        write_whole(paths[-1], picture.alone().encode())
    return paths


def _free(name: str, used: set[str]) -> str:
    """The name, or a shorter name with its hash, so that no file system confuses it with a used name."""
    if len(name) > LONGEST_NAME or name.casefold() in used:
        name = f"{name[:LONGEST_NAME]}-{sha256(name.encode()).hexdigest()[:12]}"
    used.add(name.casefold())
    return name


def _pictures(report: Report) -> Iterator[tuple[str, Picture]]:
    """Every picture under its name."""
    for html_id, record in with_html_ids(report):
        for index in range(len(record.drawings)):
            yield f"{html_id}.figure-{index + 1}", figure(record, index, "p", titled=True)
        for item in record.criteria:
            yield f"{html_id}.criterion-{item.id}", strip_plot(record.meanings, item, "p", titled=True)
