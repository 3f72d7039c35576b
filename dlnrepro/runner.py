"""What a runner promises: the shape of its parameters, measures, series and results.

A runner is a module in a package of `dlnrepro.runners`, with four names, in this order:

* `Params`: a pydantic model of every parameter, without any default value. Its method `memory(runs)` estimates the
  bytes that this many runs hold in memory. `dlnrepro.settings.base.Settings` is a strict base class for it;
* `MEASURES`: the definition of each measure, in words that can be read alone, with its range;
* `SERIES`: the axis and the definition of each series, in words that can be read alone: they label the axes of figures;
* `run(params, generators, progress)`: trains one run per generator, all together, and returns a `Result`.

A package registers runners of its own under the entry-point group `dlnrepro.runners`. The name of the entry is the name
that claims use for the runner, and its value is the module.

Tensors are made on torch's default device, which the engine sets (`--device`); generators draw on the processor.
Therefore a runner draws through `dlnrepro.dynamics.starts.draws`, and converts to numpy and back through
`dlnrepro.dynamics.tensors.arrays`.

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
    """The axis of a series, which series that are drawn together have in common, and its definition."""

    axis: str
    says: str


@dataclass(frozen=True)
class Result:
    """The measured numbers of one arm: one number per run and measure, and one row of numbers per run and series.

    A series that is the same for all runs, such as the times of the records, may be given with the shape (points,); it
    is then repeated for every run.

    Attributes:
        measures: name -> float64 tensor of shape (runs,).
        series: name -> float64 tensor of shape (runs, points); series of the same axis have the same number of points.
    """

    measures: Mapping[str, torch.Tensor]
    series: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Repeat a series of shape (points,) for every run; the engine refuses every other wrong shape."""
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
