"""Small cases of every runner, on which whatever is true of all runners is tested.

They stand in the runner's own file of tests, beside its tests:

* `SETUP`: all parameters of a small experiment, which the tests there change;
* `SHORT`, if that takes long: what makes it so short that a few runs take some hundredths of a second;
* `CASES`: the name of each case and what it changes in the short setup, the first the most ordinary one; together they
  reach all branches of the runner;
* `POINTS`, where lengths of series are known beforehand: the number of points of the first case on each axis.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dlnrepro.registry.names import load_runner, own_module, runner_names


@dataclass(frozen=True, eq=False)  # a case is itself alone, so that what it led to can be kept under it
class Case:
    """A runner with all of its parameters.

    Attributes:
        runner: one of `runner_names()`.
        name: tells the case from the runner's others.
        parameters: all that the runner's `Params` ask for.
        points: axis -> number of points that series of the axis have; axes may be missing.
    """

    runner: str
    name: str
    parameters: Mapping[str, Any]
    points: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """The case in the ids of tests."""
        return f"{self.runner}-{self.name}"

    def params(self) -> Any:
        """The parameters as the runner takes them."""
        return load_runner(self.runner).Params.model_validate(self.parameters)


@cache
def cases() -> tuple[Case, ...]:
    """The cases of all runners whose tests hold any."""
    found = []
    for runner in runner_names():
        topic, _, stem = str(own_module(runner)).removeprefix("dlnrepro.runners.").rpartition(".")
        tests = f"{__package__}.{topic}.test_{stem}"
        if not topic or importlib.util.find_spec(tests) is None:
            continue
        module = importlib.import_module(tests)
        for index, (name, changes) in enumerate(getattr(module, "CASES", {}).items()):
            points = getattr(module, "POINTS", {}) if index == 0 else {}
            found.append(Case(runner, name, module.SETUP | getattr(module, "SHORT", {}) | changes, points))
    return tuple(found)
