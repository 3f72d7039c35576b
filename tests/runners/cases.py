"""Small cases of every runner, on which whatever is true of all runners is tested.

They stand in the runner's own file of tests, with its tests:

* `SETUP`: all parameters of a small experiment, which the tests there change;
* `SHORT`, if that takes long: what makes it so short that a few runs take some hundredths of a second;
* `CASES`: the name of each case and what it changes in the short setup, the first the most ordinary one; together they
  reach all branches of the runner;
* `CONTRADICTIONS`, where settings may contradict one another: changes of the setup, and the lines that refuse them;
* `POINTS`, where lengths of series are known beforehand: the number of points of the first case on each axis.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dlnrepro.registry.names import load_runner, own_module, runner_names
from dlnrepro.runner import Declared, declared


@dataclass(frozen=True, eq=False)  # a case is itself alone, so that what it led to can be kept under it
class Case:
    """A runner with all of its parameters.

    Attributes:
        runner: one of `runner_names()`.
        name: distinguishes the case from other cases of the runner.
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

    def declared(self) -> Declared:
        """The measures and series of the runner with these parameters."""
        return declared(load_runner(self.runner), self.params())


@cache
def cases() -> tuple[Case, ...]:
    """The cases of all runners whose tests hold any."""
    found = []
    for runner, module in _tests():
        for index, (name, changes) in enumerate(getattr(module, "CASES", {}).items()):
            points = getattr(module, "POINTS", {}) if index == 0 else {}
            found.append(Case(runner, name, module.SETUP | getattr(module, "SHORT", {}) | changes, points))
    return tuple(found)


@cache
def contradictions() -> tuple[tuple[Case, list[str]], ...]:
    """Settings that a runner refuses, and the line about each fault: its key, what was expected, and what was found."""
    found = []
    for runner, module in _tests():
        for changes, lines in getattr(module, "CONTRADICTIONS", []):
            name = ", ".join(f"{key}={value}" for key, value in changes.items())
            found.append((Case(runner, name, module.SETUP | changes), lines))
    return tuple(found)


def _tests() -> Iterator[tuple[str, Any]]:
    """Each runner that comes with the program, and the module of its tests."""
    for runner in runner_names():
        topic, _, stem = str(own_module(runner)).removeprefix("dlnrepro.runners.").rpartition(".")
        tests = f"{__package__}.{topic}.test_{stem}"
        if topic and importlib.util.find_spec(tests) is not None:
            yield runner, importlib.import_module(tests)
