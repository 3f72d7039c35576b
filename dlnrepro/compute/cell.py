"""A cell: one arm of a claim and its seeds, ready to be computed, and the numbers that come of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dlnrepro.compute.arithmetic import Environment
from dlnrepro.compute.device import Device
from dlnrepro.verdict.outcome import Outcome

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

    @cached_property
    def key(self) -> str:
        """The hash of what is asked for: two arms with one key, also of different claims, have the same numbers."""
        asked = {"runner": self.runner, "params": self.params, "seeds": self.seeds, "device": self.device}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def __hash__(self) -> int:
        """A hash by the key, because parameters are a mapping, which has none."""
        return hash(self.key)


@dataclass(frozen=True)
class Numbers:
    """The numbers of one cell: an outcome for the verdict, the series, and what computed them.

    Attributes:
        outcome: measures, or the fault that kept them from being.
        series: name -> array of shape (runs, points).
        computed_on: what computed the numbers; None where the cell did not run to its end.
    """

    outcome: Outcome
    series: Mapping[str, np.ndarray]
    computed_on: Environment | None = None
