"""A cell: one arm of a claim and its seeds, ready to be computed, and the numbers that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlnrepro.compute.device import Device
from dlnrepro.verdict.check import Outcome

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Cell:
    """One arm of a claim, ready to run: its names, and everything that produces its numbers.

    Attributes:
        memory: bytes that all its runs hold at their peak, by the runner's own estimate; 0 where it is not known.
    """

    claim: str
    arm: str
    runner: str
    params: Mapping[str, Any]
    seeds: tuple[int, ...]
    device: Device = "cpu"
    memory: int = 0


@dataclass(frozen=True)
class Numbers:
    """The numbers of one cell: an outcome for the verdict, and the series beside it.

    Attributes:
        outcome: measures, or the fault that kept them from being.
        series: name -> array of shape (runs, points).
    """

    outcome: Outcome
    series: Mapping[str, np.ndarray]
