"""Data that somebody gives for a network: inputs, and targets or labels, from an `.npz` or a `.csv` file.

* `.npz`: the array `x` of shape (samples, inputs), and `y` of shape (samples,) or (samples, outputs).
* `.csv`: one sample per line, with commas between the numbers. If the first line has names, the columns `y`, `y1`,
  `y2`, ... are the targets, and all others are inputs. Without names, the last column is the target.

A single target whose values are all whole numbers is a label too: -1 and 1, or 0, 1, 2, ...
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from dlnrepro.dynamics.checkpoints.entries import refusal, unreadable
from dlnrepro.dynamics.checkpoints.numpy_file import read_npz
from dlnrepro.dynamics.checkpoints.weight_files import read_content
from dlnrepro.dynamics.tensors.arrays import Array

SUFFIXES = (".npz", ".csv")
"""The suffixes of files of data."""


@dataclass(frozen=True, eq=False)
class Data:
    """Samples.

    Attributes:
        inputs: x, of shape (samples, inputs).
        targets: y, of shape (samples, outputs).
        classes: the labels, of shape (samples,), if there is one target and its values are whole numbers; else None.
    """

    inputs: Array
    targets: Array
    classes: np.ndarray | None

    @property
    def is_binary(self) -> bool:
        """Whether the labels are -1 and 1."""
        return self.classes is not None and set(self.classes.tolist()) <= {-1, 1}


def read_data(path: str) -> Data:
    """The data in a file.

    Raises:
        UsageError: the file cannot be read, or has no inputs and targets of finite numbers.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise refusal(path, f"a file of data ({', '.join(SUFFIXES)})", f"the suffix '{suffix}'")
    content = read_content(path)
    inputs, targets = _of_npz(path, content) if suffix == ".npz" else _of_csv(path, content)
    if not len(inputs):
        raise refusal(path, "at least one sample", "none")
    if not (np.isfinite(inputs).all() and np.isfinite(targets).all()):
        raise refusal(path, "finite numbers", "NaN or an infinite number")
    whole = targets.shape[1] == 1 and bool((targets == np.round(targets)).all()) and np.abs(targets).max() < 2**31
    return Data(inputs, targets, targets[:, 0].astype(np.int64) if whole else None)


def _of_npz(path: str, content: bytes) -> tuple[Array, Array]:
    """The inputs and the targets of an `.npz` file."""
    arrays = {entry.name: entry.values for entry in read_npz(path, content, whole_numbers=True)}
    x, y = arrays.get("x"), arrays.get("y")
    if x is None or y is None or x.ndim != 2:
        raise refusal(path, "numbers x (samples, inputs) and y (samples, ...)", f"{', '.join(arrays) or 'no array'}")
    if len(x) != len(y):
        raise refusal(path, f"as many samples in y as the {len(x)} in x", str(len(y)))
    return x, y if y.ndim == 2 else y[:, None]


def _of_csv(path: str, content: bytes) -> tuple[Array, Array]:
    """The inputs and the targets of a `.csv` file."""
    try:
        reader = csv.reader(StringIO(content.decode("utf-8-sig")))
        lines = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except (csv.Error, UnicodeDecodeError) as error:
        raise unreadable(path, "lines of numbers with commas", str(error)) from None
    rows = [row for _, row in lines]
    if not rows or len(rows[0]) < 2:
        raise refusal(path, "at least two columns, for inputs and a target", f"{len(rows[0]) if rows else 'none'}")
    named = any(_number(cell) is None for cell in rows[0])
    names = [cell.strip() for cell in rows[0]] if named else [""] * (len(rows[0]) - 1) + ["y"]
    numbers = [_row(path, line, row, len(names)) for line, row in lines[named:]]
    values = np.array(numbers, dtype=np.float64).reshape(-1, len(names))
    is_target = np.array([re.fullmatch(r"y[0-9]*", name) is not None for name in names])
    if not is_target.any() or is_target.all():
        raise refusal(path, "a column y, and at least one other column", ", ".join(names))
    return values[:, ~is_target], values[:, is_target]


def _row(path: str, line: int, row: list[str], columns: int) -> list[float]:
    """The finite numbers of one line."""
    numbers = [_number(cell) for cell in row]
    column = 1
    for cell, number in zip(row, numbers, strict=True):
        if number is None or not math.isfinite(number):
            expected = f"{columns} numbers" if number is None else "finite numbers"
            raise refusal(f"{path}:{line}:{column}", expected, f"'{cell.strip()[:40]}'")
        column += len(cell) + 1
    if len(row) != columns:
        raise refusal(f"{path}:{line}:1", f"{columns} numbers", f"{len(row)}")
    return [number for number in numbers if number is not None]


def _number(cell: str) -> float | None:
    """The number in a cell, or None."""
    try:
        return float(cell)
    except ValueError:
        return None
