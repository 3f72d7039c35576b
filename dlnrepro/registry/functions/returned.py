"""What a function returns, as measures and series: numbers by their names, and rows of numbers.

A number becomes a measure, and a list or an array with one axis becomes a series. A function that draws for all runs
together returns tensors instead, of shape (runs,) and (runs, points).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlnrepro.runner import Result

if TYPE_CHECKING:
    import torch

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def of_one_run(found: object, runs: int) -> Result:
    """The result of a function for one seed, repeated for some runs.

    Raises:
        TypeError: it is not a dict of numbers and rows of numbers by name.
    """
    import torch

    measures: dict[str, torch.Tensor] = {}
    series: dict[str, torch.Tensor] = {}
    for name, value in _named(found).items():
        number = _number(value)
        if number is not None:
            measures[name] = torch.full((runs,), number, dtype=torch.float64, device="cpu")
        else:
            row = torch.tensor(_row(name, value), dtype=torch.float64, device="cpu")
            series[name] = row.expand(runs, -1)
    if not measures:
        raise TypeError("expected at least one number from the function, found only lists or arrays")
    return Result(measures, series)


def of_all_runs(found: object, runs: int) -> Result:
    """The result of a function that has drawn for all runs together.

    Raises:
        TypeError: it is not a dict of float64 tensors of shape (runs,) or (runs, points) by name.
    """
    import numpy as np
    import torch

    measures: dict[str, torch.Tensor] = {}
    series: dict[str, torch.Tensor] = {}
    for name, value in _named(found).items():
        tensor = torch.from_numpy(value) if isinstance(value, np.ndarray) else value
        if not isinstance(tensor, torch.Tensor):
            expected = f"a tensor with {runs} numbers, one for each run"
            raise TypeError(f"{name}: expected {expected}, found {_kind(value)}")
        if tensor.ndim not in (1, 2) or tensor.shape[0] != runs:
            expected = f"a tensor of shape ({runs},) or ({runs}, points), since there are {runs} runs"
            raise TypeError(f"{name}: expected {expected}, found the shape {tuple(tensor.shape)}")
        (measures if tensor.ndim == 1 else series)[name] = tensor
    if not measures:
        raise TypeError("expected at least one number for each run from the function, found only series")
    return Result(measures, series)


def _named(found: object) -> Mapping[str, Any]:
    """What the function has returned, which must be numbers by their names."""
    if not isinstance(found, Mapping) or not found:
        what = "an empty dict" if isinstance(found, Mapping) else _kind(found)
        raise TypeError(f"expected a dict of numbers by their names from the function, found {what}")
    for name in found:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise TypeError(f"expected names of letters, digits and '_' for the numbers, found {name!r}")
    return found


def _number(value: Any) -> float | None:
    """A number, also one in an array or a tensor without axes; None for everything else."""
    if isinstance(value, str | bytes | complex) or value is None or getattr(value, "ndim", 0) != 0:
        return None
    dtype = str(getattr(value, "dtype", ""))
    try:
        value = value.detach() if hasattr(value, "detach") else value
        return None if "complex" in dtype or isinstance(value, Sequence | Mapping) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _row(name: str, value: Any) -> list[float]:
    """A row of numbers.

    Raises:
        TypeError: it is something else.
    """
    shape = tuple(getattr(value, "shape", ()))
    if len(shape) > 1:
        raise TypeError(f"{name}: expected a number, or a list or an array with one axis, found the shape {shape}")
    if len(shape) == 1 or (isinstance(value, Sequence) and not isinstance(value, str | bytes)):
        items = value.tolist() if hasattr(value, "tolist") else list(value)
        row = [_number(item) for item in items]
        if row and None not in row:
            return [math.nan if item is None else item for item in row]
        if not row:
            raise TypeError(f"{name}: expected a number, or a list or an array of numbers, found an empty one")
        raise TypeError(f"{name}: expected only numbers in the list, found {_kind(items[row.index(None)])}")
    raise TypeError(f"{name}: expected a number, or a list or an array of numbers, found {_kind(value)}")


def _kind(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing; a number that does not exist is float('nan')"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
