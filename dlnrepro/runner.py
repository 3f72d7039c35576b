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

If the measures or series of a runner depend on its parameters, the runner also has a function `declared(params)`, which
gives a `Declared` for validated parameters; `MEASURES` and `SERIES` are then those that every setting has.
If a claim declares the measures itself, as formulas of what is recorded, the runner has the parameters `measures` and
`series` (`dlnrepro.settings.declared`), and a function `quantities(params)`: the name of each quantity that it can
record, or that it draws -> a `Quantity`.

A runner may have the name `FLAWS`: small errors of its own formulas and steps, each under a name. `dlnrepro audit`
plants one of them at a time and checks that the criteria of a claim notice it.

A runner never judges. A run that diverges keeps NaN in its place, which the verdict reads as undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dlnrepro.dynamics.tensors.progress import Progress

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel

__all__ = [
    "Calling",
    "Declared",
    "Flaw",
    "Progress",
    "Result",
    "Runner",
    "Series",
    "calling_of",
    "declared",
    "flaws_of",
    "negated",
    "scaled",
    "shifted",
    "silent",
]


class Series(NamedTuple):
    """The axis of a series, which series that are drawn together have in common, and its definition."""

    axis: str
    says: str


class Declared(NamedTuple):
    """What a runner declares for some parameters.

    Attributes:
        measures: name -> definition; None if the names are known only from the first result.
        series: name -> axis and definition; None if the names are known only from the first result.
    """

    measures: Mapping[str, str] | None
    series: Mapping[str, Series] | None


class Calling(NamedTuple):
    """How the engine calls a runner.

    Attributes:
        plain: it is a function of the user, which need not use this program: autograd works in it, and it may seed
            and use the generators of the whole process.
        one_by_one: it computes one run at a time.
        draws: its numbers depend on the generators. Otherwise every run would have the same numbers, so that a claim
            has one run per arm and all its criteria say `runs: every`.
    """

    plain: bool = False
    one_by_one: bool = False
    draws: bool = True


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


class Flaw(NamedTuple):
    """A small error that can be planted in a runner: a function is replaced by a wrong one.

    Attributes:
        says: what is wrong then, in a sentence without a full stop, such as "the rate is 5 % too large".
        function: the name by which the runner's module calls the function, or `module:function` for another module
            of this program that calls it.
        wrong: makes the wrong function from the right one; `scaled`, `shifted` and `negated` make the usual ones.
    """

    says: str
    function: str
    wrong: Callable[[Callable[..., Any]], Callable[..., Any]]


def scaled(factor: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The change of a function into one whose results are too large by a factor."""
    return lambda right: lambda *given, **named: factor * right(*given, **named)


def shifted(distance: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The change of a function into one whose results are too large by a distance."""
    return lambda right: lambda *given, **named: right(*given, **named) + distance


def negated(right: Callable[..., Any]) -> Callable[..., Any]:
    """The change of a function into one whose results have the opposite sign."""
    return lambda *given, **named: -right(*given, **named)


class Runner(Protocol):
    """A module of `dlnrepro.runners`."""

    __doc__: str | None
    Params: type[BaseModel]
    MEASURES: Mapping[str, str]
    SERIES: Mapping[str, Series]

    def run(self, params: Any, generators: Sequence[torch.Generator], progress: Progress) -> Result:
        """Train one run per generator and measure it."""


def declared(runner: Runner, params: Any) -> Declared:
    """What a runner declares for validated parameters: its `MEASURES` and `SERIES`, or what its `declared` gives.

    A runner whose measures depend on its parameters, for instance because the claim itself defines them, has a function
    `declared(params)`.
    """
    own: Callable[[Any], Declared] | None = getattr(runner, "declared", None)
    return Declared(runner.MEASURES, runner.SERIES) if own is None else own(params)


def calling_of(runner: Runner) -> Calling:
    """How the engine calls a runner: in the usual way, or as its `CALLING` says."""
    found: Calling = getattr(runner, "CALLING", Calling())
    return found


def flaws_of(runner: Runner) -> Mapping[str, Flaw]:
    """The flaws that a runner declares, by name; many runners of other packages declare none."""
    found: Mapping[str, Flaw] = getattr(runner, "FLAWS", {})
    return found


def silent(fraction: float, note: str) -> None:
    """A progress callback that shows nothing and never stops a run."""
