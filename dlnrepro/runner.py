"""What a runner promises: the shape of its parameters, measures, series and results.

A runner is a module in a package of `dlnrepro.runners`, with four names, in this order:

* `Params`: a pydantic model of every parameter, none with a default; it has a method `memory(runs)` that
  estimates the bytes that this many runs hold at their peak. `dlnrepro.settings.base.Settings` is a strict base for it;
* `MEASURES`: for each measure its definition, in a sentence with its range;
* `SERIES`: for each series its axis and definition;
* `run(params, generators, progress)`: trains one run per generator, all together, and returns a `Result`.

A package registers runners of its own under the entry-point group `dlnrepro.runners`: the entry's name is what claims
call the runner by, and its value is the module.

Tensors are made on torch's default device, which the engine sets (`--device`); generators draw on the processor. So
draw through `dlnrepro.dynamics.starts.draws`, and go to numpy and back through `dlnrepro.dynamics.tensors.arrays`.

A runner never judges. A run that diverges keeps NaN in its place, which the verdict reads as undecided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dlnrepro.dynamics.tensors.progress import Progress

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel

__all__ = ["Progress", "Result", "Runner", "Series", "silent"]


class Series(NamedTuple):
    """The meaning of a series: the axis its points lie on (series of one axis pair up), and what it holds."""

    axis: str
    says: str


@dataclass(frozen=True)
class Result:
    """What one arm left: a number per run and measure, and a row of numbers per run and series.

    A series that is the same for all runs, such as the times of the records, may be given with the shape (points,); it
    is then repeated for every run.

    Attributes:
        measures: name -> float64 tensor of shape (runs,).
        series: name -> float64 tensor of shape (runs, points); series of one axis have as many points.
    """

    measures: Mapping[str, torch.Tensor]
    series: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Repeat the series of shape (points,) for every run; the engine refuses what has another wrong shape."""
        runs = {tuple(measure.shape) for measure in self.measures.values() if hasattr(measure, "shape")}
        if len(runs) == 1 and len(shape := runs.pop()) == 1:
            series = {
                name: value.expand(*shape, -1) if getattr(value, "ndim", 2) == 1 else value
                for name, value in self.series.items()
            }
            object.__setattr__(self, "series", series)


class Runner(Protocol):
    """A module of `dlnrepro.runners`."""

    __doc__: str | None
    Params: type[BaseModel]
    MEASURES: Mapping[str, str]
    SERIES: Mapping[str, Series]

    def run(self, params: Any, generators: Sequence[torch.Generator], progress: Progress) -> Result:
        """Train one run per generator and measure it."""


def silent(fraction: float, note: str) -> None:
    """A progress callback that shows nothing and never stops a run."""
