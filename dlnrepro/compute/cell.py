"""A cell: one arm of a claim and its seeds, ready to be computed; and the numbers of a cell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
        memory: the largest number of bytes that all its runs need together, as the runner estimates it; 0 if unknown.
        flaw: the name of the runner's flaw that is planted, or an empty text.
        one_by_one: its runs are computed one after another, so that any number of them needs the same memory.
        folder: the folder from which files that the parameters name are found; empty for the current folder.
        contents: path of each such file, relative to the folder -> digest of its content.
    """

    claim: str
    arm: str
    runner: str
    params: Mapping[str, Any]
    seeds: tuple[int, ...]
    device: Device = "cpu"
    memory: int = 0
    flaw: str = ""
    one_by_one: bool = False
    folder: str = ""
    contents: Mapping[str, str] = field(default_factory=dict)

    def memory_of(self, runs: int) -> int:
        """The bytes that some of its runs need together."""
        return self.memory if self.one_by_one else self.memory * runs // len(self.seeds)

    @cached_property
    def key(self) -> str:
        """The hash of everything that was asked for; cells with the same key have the same numbers."""
        asked = {"runner": self.runner, "params": self.params, "seeds": self.seeds, "device": self.device}
        asked |= {"flaw": self.flaw} if self.flaw else {}
        asked |= {"contents": dict(self.contents)} if self.contents else {}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def __hash__(self) -> int:
        """The hash of the key, because the mapping of parameters cannot be hashed."""
        return hash(self.key)


@dataclass(frozen=True)
class Numbers:
    """The numbers of one cell: an outcome for the verdict, the series, and what computed them.

    Attributes:
        outcome: the measures, or the fault because of which there are none.
        series: name -> array of shape (runs, points).
        computed_on: the environment that computed the numbers; None if the cell was not completed.
        memory: the bytes by which the process that computed them has grown; 0 if this was not measured.
    """

    outcome: Outcome
    series: Mapping[str, np.ndarray]
    computed_on: Environment | None = None
    memory: int = 0
