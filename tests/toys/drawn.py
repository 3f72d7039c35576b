"""A runner whose runs draw what they are held to: each measures a multiple of what it drew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import BaseModel, Field

from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """What is drawn and what is measured."""

    strengths: list[float] = Field(min_length=1, description="numbers of which the first two give a ratio")
    factor: float = Field(description="what a run measures, as a multiple of what it drew")
    spread: float = Field(ge=0, description="how much the drawn numbers differ: they lie between 1 and 1 + spread")
    mood: Literal["calm", "wild"] = Field(description="a word, which no formula can use")

    def memory(self, runs: int) -> int:
        """Next to nothing."""
        return 8 * runs


MEASURES = {"height": "factor times what the run drew", "drawn": "what the run drew"}

SERIES = {"step": Series("step", "0, 1"), "curve": Series("step", "the height at each step")}

FLAWS = {"half": Flaw("the height is half as large", "height_of", scaled(0.5))}


def height_of(factor: float) -> float:
    """The multiple, unless a flaw is planted."""
    return factor


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Draw a number for each run, and measure a multiple of it."""
    progress(1.0, "done")
    drawn = 1 + params.spread * uniform((), 0.0, 1.0, generators)
    height = height_of(params.factor) * drawn
    steps = torch.arange(2, dtype=torch.float64).expand(len(generators), -1)
    return Result({"height": height, "drawn": drawn}, {"step": steps, "curve": height[:, None] * steps})
