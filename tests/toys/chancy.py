"""A runner whose runs pass with a probability: what a run measures follows from its seed alone."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from pydantic import BaseModel, Field

from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.runner import Flaw, Progress, Result, Series, negated, scaled, shifted


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """What a run measures, by its seed or by chance."""

    value: float = Field(description="what most runs measure")
    failing: list[int] = Field(description="the seeds whose runs measure 5 more")
    missing: list[int] = Field(description="the seeds whose runs measure nothing")
    loud: list[int] = Field(description="the seeds whose noise is 1")
    share: float = Field(ge=0, le=1, description="the share of all other runs that measure the value")
    breaks_at: int = Field(description="a seed at which the runner breaks; -1 for none")
    seconds: float = Field(ge=0, description="how long every cell takes")

    def memory(self, runs: int) -> int:
        """Next to nothing."""
        return 8 * runs


MEASURES = {"value": "the value, or 5 more", "noise": "0, or 1"}

SERIES = {"step": Series("step", "0, 1, 2"), "height": Series("step", "the value at each step")}

FLAWS = {
    "factor": Flaw("the value is 5 % too large", "answer", scaled(1.05)),
    "offset": Flaw("the value is too large by 0.2", "answer", shifted(0.2)),
    "sign": Flaw("the value has the wrong sign", "answer", negated),
}


def answer(value: float) -> float:
    """The value, unless a flaw is planted."""
    return value


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Measure the value, or something else where the settings say so."""
    seeds = [generator.initial_seed() for generator in generators]
    progress(0.5, "half of it")
    if params.breaks_at in seeds:
        raise RuntimeError(f"the runner broke at seed {params.breaks_at}")
    time.sleep(params.seconds)
    unlucky = uniform((), 0.0, 1.0, generators) >= params.share
    value = torch.full((len(seeds),), answer(params.value), dtype=torch.float64)
    failing = torch.tensor([seed in params.failing for seed in seeds])
    value = torch.where(failing | unlucky, value + 5.0, value)
    value = torch.where(torch.tensor([seed in params.missing for seed in seeds]), torch.nan, value)
    noise = torch.tensor([float(seed in params.loud) for seed in seeds], dtype=torch.float64)
    height = value[:, None] * torch.ones(3, dtype=torch.float64)
    return Result({"value": value, "noise": noise}, {"step": torch.arange(3, dtype=torch.float64), "height": height})
