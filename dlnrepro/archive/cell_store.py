"""The numbers of single arms on disk: outputs/cells/<key>.npz holds the measures and series of one cell.

The key is the hash of everything that could change a number, so the numbers under this key may be used again. The file
also contains the key, the runner, the parameters and the seeds. It ends with the SHA-256 of everything before it, in
the comment of the archive, which other programs ignore. So a misplaced file, or one that has changed since it was
written, is not used.
"""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlnrepro.compute.arithmetic import Environment, versions
from dlnrepro.files import write_whole
from dlnrepro.registry.functions.reference import label
from dlnrepro.registry.sources import source_hash
from dlnrepro.verdict.outcome import Outcome

if TYPE_CHECKING:
    import numpy as np

    from dlnrepro.compute.cell import Cell, Numbers


_DIGITS = 64
"""The number of characters of a SHA-256."""

_END = b"PK\x05\x06"
"""The beginning of the last part of an archive: 22 bytes, the last two of which are the length of the comment."""


def cell_key(
    runner: str,
    params: Mapping[str, Any],
    seeds: tuple[int, ...],
    environment: Environment,
    source: str | None = None,
    flaw: str = "",
    contents: Mapping[str, str] | None = None,
) -> str:
    """The hash of everything that could change the numbers of a runner.

    Args:
        runner: the name of the runner.
        params: all parameters of the runner.
        seeds: one seed per run.
        environment: the environment that computed the numbers, or would compute them.
        source: the hash of the runner's sources, as `source_hash` gives it; if None, it is computed here.
        flaw: the flaw of the runner that is planted, or an empty text.
        contents: path of each file that the parameters name -> digest of its content.
    """
    description = {
        "runner": label(runner),
        "source": source_hash(runner) if source is None else source,
        "params": params,
        "seeds": seeds,
        "dtype": "float64",
        "device": environment.device,
        "processor": environment.processor,
        "arithmetic": environment.arithmetic,
        "threads": 1,
        "versions": dict(environment.versions),
    }
    description |= {"flaw": flaw} if flaw else {}
    description |= {"contents": dict(contents)} if contents else {}
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def key_on(cell: Cell, environment: Environment) -> str:
    """The key of the numbers of a cell that an environment computes."""
    return cell_key(cell.runner, cell.params, cell.seeds, environment, flaw=cell.flaw, contents=cell.contents)


def write_cell(root: Path, key: str, cell: Cell, numbers: Numbers) -> None:
    """Store the measures and series of a completed cell, under the key that `key_on` gives.

    Raises:
        UsageError: the file cannot be written.
    """
    import numpy as np

    arrays = {f"measure.{name}": np.array(values) for name, values in numbers.outcome.measures.items()}
    arrays |= {f"series.{name}": values for name, values in numbers.series.items()}
    buffer = BytesIO()
    about = np.array(json.dumps(_about(key, cell) | {"computed_on": asdict(_environment_of(numbers))}, sort_keys=True))
    seconds = np.array(numbers.outcome.seconds)
    np.savez_compressed(buffer, allow_pickle=False, about=about, seconds=seconds, **arrays)
    write_whole(_path(root, key), _sealed(buffer.getvalue()))


def read_cell(root: Path, key: str, cell: Cell) -> Numbers | None:
    """The stored numbers of a cell; None if there are none, or if the file is damaged or does not fit this cell."""
    try:
        content = _content(_path(root, key))
        if not _unchanged(content):
            return None
        # After any error or warning of the reader of archives, the cell is computed again.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _numbers(content, key, cell)
    except Exception:
        return None


def is_usable(path: Path) -> bool:
    """Whether an undamaged file holds a cell that this code and these versions would use again."""
    import numpy as np

    try:
        content = _content(path)
        if not _unchanged(content):
            return False
        with np.load(BytesIO(content), allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
        made = about["source"], about["computed_on"]["versions"]
        return bool(about["key"] == path.stem and made == (source_hash(about["runner"]), versions()))
    except Exception:
        return False


def _numbers(content: bytes, key: str, cell: Cell) -> Numbers | None:
    """The numbers in a cell's file, or None if they belong to another cell or are not numbers of its runs."""
    import numpy as np

    from dlnrepro.compute.cell import Numbers

    with np.load(BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    about, seconds = json.loads(str(arrays.pop("about"))), float(arrays.pop("seconds"))
    computed_on = Environment(**about.pop("computed_on"))
    parts: dict[str, dict[str, np.ndarray]] = {"measure": {}, "series": {}}
    for name, array in arrays.items():
        kind, _, rest = name.partition(".")
        parts[kind][rest] = array
    measures, series = parts["measure"], parts["series"]
    runs = len(cell.seeds)
    fits = all(array.shape == (runs,) for array in measures.values()) and all(
        array.ndim == 2 and array.shape[0] == runs for array in series.values()
    )
    plain = all(array.dtype == np.float64 for array in arrays.values()) and math.isfinite(seconds)
    if about != _about(key, cell) or not measures or not fits or not plain:
        return None
    values = {name: [float(value) for value in array] for name, array in measures.items()}
    return Numbers(Outcome(cell.seeds, values, seconds=seconds), series, computed_on)


def _about(key: str, cell: Cell) -> dict[str, Any]:
    """The description in a cell's file: the key, and the parts of the cell that people can read, in JSON's types."""
    about = {"key": key, "runner": cell.runner, "params": dict(cell.params), "seeds": list(cell.seeds)}
    found: dict[str, Any] = json.loads(json.dumps({**about, "source": source_hash(cell.runner)}))
    return found


def _environment_of(numbers: Numbers) -> Environment:
    """The environment that computed some numbers; numbers without an environment cannot be stored."""
    assert numbers.computed_on is not None, "only the numbers of a cell that ran to its end are stored"
    return numbers.computed_on


def _sealed(archive: bytes) -> bytes:
    """An archive with its own SHA-256 as its comment."""
    start = archive.rindex(_END)
    assert start + 22 == len(archive)
    content = archive[:-2] + _DIGITS.to_bytes(2, "little")
    return content + hashlib.sha256(content).hexdigest().encode()


def _content(path: Path) -> bytes:
    """The bytes of a file; a pipe or a device is not read, because reading it could go on forever."""
    return path.read_bytes() if path.is_file() else b""


def _unchanged(content: bytes) -> bool:
    """Whether a file ends with the SHA-256 of everything before it."""
    return hashlib.sha256(content[:-_DIGITS]).hexdigest().encode() == content[-_DIGITS:]


def series_digest(series: Mapping[str, np.ndarray]) -> str:
    """The SHA-256 of all series of a cell, by name; it is equal for bitwise identical series, NaN included."""
    import numpy as np

    digest = hashlib.sha256()
    for name in sorted(series):
        rows = np.where(np.isnan(series[name]), np.nan, series[name])
        digest.update(f"{name}{rows.shape}".encode())
        digest.update(np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()


def _path(root: Path, key: str) -> Path:
    """The file for the numbers of a key."""
    return root / "cells" / f"{key}.npz"
