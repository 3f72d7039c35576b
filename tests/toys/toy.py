"""A runner that trains nothing: each run's measure is a value plus a little noise, or a failure on request."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import BaseModel, Field

from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.errors import Disagreement
from dlnrepro.runner import Progress, Result, Series


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """What the toy can be told."""

    value: float = Field(ge=-1e6, le=1e6, description="what is measured, up to noise of 1e-3")
    behaviour: Literal[
        "steady", "raises", "disagrees", "diverges", "first-diverges", "slow", "first-late", "single", "silent"
    ]
    bytes: int = Field(ge=0, description="what it says it needs")

    def memory(self, runs: int) -> int:
        """As told."""
        return self.bytes * runs


MEASURES = {"value": "the value, up to noise", "noise": "the noise alone, in [0, 1e-3]"}

SERIES = {
    "step": Series("step", "0 .. 9"),
    "height": Series("step", "the value at each step"),
    "lone": Series("x", "1"),
}


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Measure, or fail as told."""
    runs = len(generators)
    if params.behaviour == "raises":
        raise RuntimeError("the toy broke")
    if params.behaviour == "disagrees":
        raise Disagreement("0.1 by one route, 0.2 by the other")
    for step in range(200 if params.behaviour == "slow" else 2):
        progress(step / 200, f"step {step}")
        if params.behaviour == "slow":
            time.sleep(0.02)
    if params.behaviour == "first-late" and generators[0].initial_seed() == 0:
        time.sleep(0.5)
    noise = uniform((), 0.0, 1e-3, generators)
    value = params.value + noise
    if params.behaviour == "diverges":
        value = torch.full_like(value, torch.nan)
    if params.behaviour == "first-diverges":
        value[0] = torch.inf
    if params.behaviour == "single":
        value = value.float()
    height = value[:, None].double() * torch.arange(1, 11, dtype=torch.float64)
    step_axis = torch.arange(10, dtype=torch.float64).expand(runs, -1)
    measures = {"value": value} if params.behaviour == "silent" else {"value": value, "noise": noise}
    lone = torch.ones(runs, 1, dtype=torch.float64)
    return Result(measures, {"step": step_axis, "height": height, "lone": lone})
