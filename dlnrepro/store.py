"""Cells and reports on disk, each written whole or not at all.

outputs/cells/<key>.npz                    measures and series of one arm
outputs/reports/<UTC>-<hash8>/report.json  one run of the program
outputs/latest                             a link to the newest report's folder
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dlnrepro.check import Outcome
from dlnrepro.errors import UsageError
from dlnrepro.provenance import source_hash, versions
from dlnrepro.record import Report, from_json, to_json

if TYPE_CHECKING:
    from dlnrepro.engine import Cell, Numbers


def prepare(root: Path) -> None:
    """Make the output folders, and refuse a root that cannot be written before anything is trained.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    try:
        for folder in (root / "cells", root / "reports"):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        raise UsageError(f"--outputs {root}: expected a folder that can be written, found: {_reason(error)}") from None


def cell_key(cell: Cell) -> str:
    """The hash of everything that could change a cell's numbers."""
    description = {
        "runner": cell.runner,
        "source": source_hash(cell.runner),
        "params": cell.params,
        "seeds": cell.seeds,
        "dtype": "float64",
        "device": "cpu",
        "threads": 1,
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def write_cell(root: Path, key: str, numbers: Numbers) -> None:
    """Store the measures and series of a cell under its key."""
    import numpy as np

    arrays = {f"measure.{name}": np.array(values) for name, values in numbers.outcome.measures.items()}
    arrays |= {f"series.{name}": values for name, values in numbers.series.items()}
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, seconds=np.array(numbers.outcome.seconds), **arrays)
    write_whole(_cell_path(root, key), buffer.getvalue())


def read_cell(root: Path, key: str, cell: Cell) -> Numbers | None:
    """The stored numbers of a cell; None if there are none, or if the file is damaged or another's."""
    import numpy as np

    from dlnrepro.engine import Numbers

    try:
        content = BytesIO(_cell_path(root, key).read_bytes())
        with np.load(content, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        seconds = float(arrays.pop("seconds"))
        measures = {name.removeprefix("measure."): array for name, array in arrays.items() if name[0] == "m"}
        series = {name.removeprefix("series."): array for name, array in arrays.items() if name[0] == "s"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if not measures or any(array.shape != (len(cell.seeds),) for array in measures.values()):
        return None
    values = {name: [float(value) for value in array] for name, array in measures.items()}
    return Numbers(Outcome(cell.seeds, values, seconds=seconds), series)


def _cell_path(root: Path, key: str) -> Path:
    """Where the numbers of a key are kept."""
    return root / "cells" / f"{key}.npz"


def write_report(root: Path, report: Report, started: datetime) -> Path:
    """Store a report in a folder of its own, point `latest` at it, and return the folder."""
    text = to_json(report)
    name = f"{started:%Y%m%dT%H%M%SZ}-{hashlib.sha256(text).hexdigest()[:8]}"
    folder = root / "reports" / name
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "report.json", text)
    link = root / "latest"
    fresh = root / f".latest-{os.getpid()}"
    # A file system without links still has every report; only the shortcut is missing.
    with suppress(OSError):
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("reports") / name)
        fresh.replace(link)
    return folder


def read_report(root: Path, name: str | None) -> Report:
    """A stored report: the newest one, one named by its folder, or one at a path.

    Raises:
        UsageError: there is none, or what is there is no report.
    """
    if name is None:
        newest = next(_newest_first(root), None)
        if newest is None:
            raise UsageError(f"{root}: expected a stored report, found none; 'dlnrepro run' makes one")
        path = newest
    else:
        candidates = [Path(name), Path(name) / "report.json", root / "reports" / name / "report.json"]
        if (found := next((path for path in candidates if path.is_file()), None)) is None:
            raise UsageError(f"{name}: expected a stored report, found none at {' or '.join(map(str, candidates))}")
        path = found
    try:
        return from_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(f"{path}: expected a report, found a fault in {place}: {first['msg'].lower()}") from None
    except OSError as error:
        raise UsageError(f"{path}: expected a readable report, found: {_reason(error)}") from None


@dataclass(frozen=True)
class LastVerdict:
    """How a claim came out the last time, and what it cost."""

    verdict: str
    stamps: tuple[str, ...]
    as_expected: bool
    seconds: float


def last_verdicts(root: Path, limit: int = 20) -> dict[str, LastVerdict]:
    """The newest verdict of each claim, by id, among the last stored reports; unreadable reports are passed over."""
    found: dict[str, LastVerdict] = {}
    for _, path in zip(range(limit), _newest_first(root), strict=False):
        with suppress(OSError, ValueError, KeyError, TypeError):
            for record in json.loads(path.read_bytes())["claims"]:
                last = LastVerdict(record["verdict"], tuple(record["stamps"]), record["as_expected"], record["seconds"])
                found.setdefault(record["id"], last)
    return found


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
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
        raise UsageError(f"{path}: expected a file that can be written, found: {_reason(error)}") from None


def _newest_first(root: Path) -> Iterator[Path]:
    """The stored reports, the newest first."""
    folder = root / "reports"
    names = sorted(os.listdir(folder), reverse=True) if folder.is_dir() else []
    return (path for name in names if (path := folder / name / "report.json").is_file())


def _reason(error: OSError) -> str:
    """What the system says of an error, in small letters."""
    return (error.strerror or str(error)).lower()
