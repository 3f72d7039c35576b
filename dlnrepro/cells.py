"""The numbers of single arms on disk: outputs/cells/<key>.npz holds the measures and series of one cell.

The key is the hash of everything that could change a number, so what is found under it may be used again.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlnrepro.atomic import write_whole
from dlnrepro.check import Outcome
from dlnrepro.provenance import source_hash, versions

if TYPE_CHECKING:
    import numpy as np

    from dlnrepro.cell import Cell, Numbers


def cell_key(runner: str, params: Mapping[str, Any], seeds: tuple[int, ...], device: str, processor: str) -> str:
    """The hash of everything that could change the numbers of a runner.

    Args:
        runner: its name; its source is read here.
        params: all of them.
        seeds: one per run.
        device: the name of what computes, of `device_name`.
        processor: its name, for some numbers are computed there wherever tensors live.
    """
    description = {
        "runner": runner,
        "source": source_hash(runner),
        "params": params,
        "seeds": seeds,
        "dtype": "float64",
        "device": device,
        "processor": processor,
        "threads": 1,
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def write_cell(root: Path, key: str, numbers: Numbers) -> None:
    """Store the measures and series of a cell under its key.

    Raises:
        UsageError: the file cannot be written.
    """
    import numpy as np

    arrays = {f"measure.{name}": np.array(values) for name, values in numbers.outcome.measures.items()}
    arrays |= {f"series.{name}": values for name, values in numbers.series.items()}
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, seconds=np.array(numbers.outcome.seconds), **arrays)
    write_whole(_path(root, key), buffer.getvalue())


def read_cell(root: Path, key: str, cell: Cell) -> Numbers | None:
    """The stored numbers of a cell; None if there are none, or if the file is damaged or another's."""
    import numpy as np

    from dlnrepro.cell import Numbers

    try:
        content = BytesIO(_path(root, key).read_bytes())
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


def series_digest(series: Mapping[str, np.ndarray]) -> str:
    """The SHA-256 of all series of a cell, by name: equal bits give equal digests, and NaN equals NaN."""
    import numpy as np

    digest = hashlib.sha256()
    for name in sorted(series):
        rows = np.where(np.isnan(series[name]), np.nan, series[name])
        digest.update(f"{name}{rows.shape}".encode())
        digest.update(np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()


def _path(root: Path, key: str) -> Path:
    """Where the numbers of a key are kept."""
    return root / "cells" / f"{key}.npz"
