"""What a runner promises: the shape of its parameters, measures, series and results.

A runner is a module of `dlnrepro.runners` with four names, in this order:

* `Params`: a pydantic model of every parameter, none with a default; it has a method `memory(runs)` that
  estimates the bytes that this many runs hold at their peak;
* `MEASURES`: for each measure its definition, in a sentence with its range;
* `SERIES`: for each series its axis and definition;
* `run(params, generators, progress)`: trains one run per generator, all together, and returns a `Result`.

A package registers runners of its own under the entry-point group `dlnrepro.runners`: the entry's name is what claims
call the runner by, and its value is the module.

Tensors are made on torch's default device, which the engine sets (`--device`); generators draw on the processor. So
draw through `dlnrepro.dynamics.initialise`, and go to numpy and back through `dlnrepro.dynamics.arrays`.

A runner never judges. A run that diverges keeps NaN in its place, which the verdict reads as undecided.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from dlnrepro.errors import UsageError

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel

GROUP = "dlnrepro.runners"

Progress = Callable[[float, str], None]
"""Called with the fraction done, in [0, 1], and a note such as `step 4000 of 60000`; may raise BudgetSpent."""


class Series(NamedTuple):
    """The meaning of a series: the axis its points lie on (series of one axis pair up), and what it holds."""

    axis: str
    says: str


@dataclass(frozen=True)
class Result:
    """What one arm left: a number per run and measure, and a row of numbers per run and series.

    Attributes:
        measures: name -> float64 tensor of shape (runs,).
        series: name -> float64 tensor of shape (runs, points); series of one axis have as many points.
    """

    measures: Mapping[str, torch.Tensor]
    series: Mapping[str, torch.Tensor] = field(default_factory=dict)


class Parameters(Protocol):
    """The part of a runner's `Params` that the engine relies on, beside pydantic's own."""

    def memory(self, runs: int) -> int:
        """The bytes that `runs` runs hold at their peak, as an upper estimate."""


class Runner(Protocol):
    """A module of `dlnrepro.runners`."""

    __doc__: str | None
    Params: type[BaseModel]
    MEASURES: Mapping[str, str]
    SERIES: Mapping[str, Series]

    def run(self, params: Any, generators: Sequence[torch.Generator], progress: Progress) -> Result:
        """Train one run per generator and measure it."""


def runner_names() -> list[str]:
    """The names of all runners, sorted, without importing any of them."""
    return sorted({*_own(), *_registered()})


def comes_with_the_program(name: str) -> bool:
    """Whether a runner is one of this program's own, and not of another package."""
    return name in _own()


def load_runner(name: str) -> Runner:
    """The runner module of this name; it must be one of `runner_names()`.

    Raises:
        UsageError: a registered module cannot be imported, or lacks what a runner promises.
    """
    if name in _own():
        return cast(Runner, importlib.import_module(f"dlnrepro.runners.{name}"))
    entry = _registered()[name]
    try:
        module = entry.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"runner {name}: expected a module at {entry.value} that can be imported, found: {error}"
        ) from None
    if missing := [part for part in ("Params", "MEASURES", "SERIES", "run") if not hasattr(module, part)]:
        raise UsageError(
            f"runner {name}: expected Params, MEASURES, SERIES and run in {entry.value}, found no {missing[0]}"
        )
    return cast(Runner, module)


def runner_sources(name: str) -> list[Path]:
    """The files that hold a runner, without importing it: its module, or all modules of the package it comes in."""
    own = name in _own()
    module = f"dlnrepro.runners.{name}" if own else _registered()[name].module
    top = importlib.util.find_spec(module if own else module.split(".")[0])
    assert top is not None
    if top.submodule_search_locations:
        return sorted(path for folder in top.submodule_search_locations for path in Path(folder).rglob("*.py"))
    assert top.origin is not None
    return [Path(top.origin)]


def _own() -> set[str]:
    """The names of the runners that come with the program."""
    package = importlib.import_module("dlnrepro.runners")
    return {module.name for module in pkgutil.iter_modules(package.__path__)}


@cache
def _registered() -> dict[str, EntryPoint]:
    """The runners that other packages register; those of the program keep their names.

    Raises:
        UsageError: two packages register the same name.
    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        if entry.name in found and found[entry.name].value != entry.value:
            both = f"{found[entry.name].value} and {entry.value}"
            raise UsageError(f"runner {entry.name}: expected one package to register it, found two: {both}")
        found[entry.name] = entry
    return found


def silent(fraction: float, note: str) -> None:
    """A progress callback that shows nothing and never stops a run."""
