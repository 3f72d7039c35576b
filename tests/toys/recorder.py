"""A runner whose measures a claim declares: gradient descent of a scalar x towards several strengths, recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import torch
from pydantic import BaseModel, Field

from dlnrepro.dynamics.observed.evaluation import evaluate, needed, series_of
from dlnrepro.dynamics.observed.records import Records
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.runner import Declared, Progress, Result, Series
from dlnrepro.settings.declared.measures import (
    DeclaredSeriesByName,
    Measures,
    computed,
    declaration,
    expressions,
)
from dlnrepro.settings.declared.quantities import Quantity
from dlnrepro.settings.fields import FROM_LIST


class Group(BaseModel, frozen=True, extra="forbid", strict=True):
    """A group of settings."""

    low: float
    high: float


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The descent x <- x - step_size (x - s) of each strength s, from a start that is drawn."""

    strengths: Annotated[tuple[float, ...], FROM_LIST] = Field(min_length=1)
    step_size: float = Field(gt=0, le=10)
    steps: int = Field(ge=1, le=1000)
    start: Group
    mood: str
    measures: Measures
    series: DeclaredSeriesByName = {}
    offset: float = 0.5

    def memory(self, runs: int) -> int:
        """A row of numbers for each strength."""
        return 8 * runs * self.steps * len(self.strengths)


MEASURES: Mapping[str, str] = {}
SERIES: Mapping[str, Series] = {}


def quantities(params: Params) -> Mapping[str, Quantity]:  # noqa: ARG001  they are always the same
    """The recorded step and distances, and the start that each run draws."""
    known = {"step": Quantity("the step"), "x": Quantity("x of each strength", 1)}
    known |= {"gap": Quantity("the distance of the first x from its strength")}
    return known | {"drawn": Quantity("the start that the run draws", recorded=False)}


def declared(params: Params) -> Declared:
    """What the claim declares."""
    return declaration(params.measures, params.series, "step", {k: q.says for k, q in quantities(params).items()})


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Record what is needed."""
    drawn = uniform((), params.start.low, params.start.high, generators)
    progress(0.5, "half")
    goal = torch.tensor(params.strengths, dtype=torch.float64)
    step = torch.arange(params.steps + 1, dtype=torch.float64)
    x = goal + (drawn[:, None, None] - goal) * ((1 - params.step_size) ** step)[:, None]
    known = {"step": step.expand(len(generators), -1), "x": x, "gap": (x[..., 0] - goal[0]).abs()}
    wanted = needed(computed(params.measures), expressions(params.series)) | {"step"}
    records = Records("step", {name: value for name, value in known.items() if name in wanted})
    constants: dict[str, Any] = {
        "drawn": drawn,
        "strengths": params.strengths,
        "step_size": params.step_size,
        "steps": params.steps,
    }
    return Result(
        evaluate(computed(params.measures), records, constants),
        series_of(expressions(params.series), records, constants),
    )
