"""Recorded quantities: of all runs as tensors, and of one run as arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Records:
    """The quantities that were recorded along all runs.

    Attributes:
        axis: the name of the quantity that orders the points, such as `step` or `time`; it is one of the values.
        values: name -> float64 tensor of shape (runs, points), (runs, points, n) or (runs, points, n, m). One of shape
            (points,) is the same in all runs.
    """

    axis: str
    values: Mapping[str, Tensor]


@dataclass(frozen=True)
class RunRecords:
    """The quantities that were recorded along one run, and the numbers that do not change along it.

    Attributes:
        axis: the values of the axis, of shape (points,).
        quantities: name -> array of shape (points,), (points, n) or (points, n, m).
        constants: name -> array of shape (), (n,) or (n, m). A name may also be that of a quantity; then it is the
            quantity in a formula that has a value at each point, and the constant in one that has a single value.
    """

    axis: Array
    quantities: Mapping[str, Array]
    constants: Mapping[str, Array]

    @property
    def fixed(self) -> RunRecords:
        """The same records for a formula with a single value, in which a name of two meanings is the constant."""
        own = {name: value for name, value in self.quantities.items() if name not in self.constants}
        return replace(self, quantities=own)


def by_run(records: Records, constants: Mapping[str, Any], names: Collection[str], runs: int) -> list[RunRecords]:
    """The records of each run.

    Args:
        records: of all runs.
        constants: name -> a number, or a tuple of numbers, that all runs have in common; or a tensor of shape (),
            (runs,), (runs, n) or (runs, n, m).
        names: the quantities and constants that are needed.
        runs: the number of runs.

    Raises:
        KeyError: a quantity was not recorded.
    """
    recorded = {name: _array(records.values[name]) for name in {records.axis, *names} & {*records.values}}
    if records.axis not in recorded:
        raise KeyError(f"the axis '{records.axis}' of the records was not recorded")
    fixed = {name: _array(constants[name]) for name in names if name in constants}
    if missing := [name for name in names if name not in recorded and name not in fixed]:
        raise KeyError(f"'{missing[0]}' was neither recorded nor given as a constant")
    listed = {name for name in fixed if isinstance(constants[name], list | tuple)}
    found = []
    for run in range(runs):
        rows = {name: value if value.ndim == 1 else value[run] for name, value in recorded.items()}
        own = {name: value if name in listed or value.ndim == 0 else value[run] for name, value in fixed.items()}
        found.append(RunRecords(rows[records.axis], rows, own))
    return found


def _array(value: Any) -> Array:
    """A value as a contiguous array, since numpy may round differently in an array with gaps."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.ascontiguousarray(value, dtype=np.float64) if np.ndim(value) else np.array(value, dtype=np.float64)
