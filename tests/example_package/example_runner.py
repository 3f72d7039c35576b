"""A runner from another package: coins, of which the share of heads is measured."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field

from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.arrays import running_sum
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Settings


class Params(Settings):
    """A coin, and how often it is flipped."""

    bias: float = Field(ge=0, le=1, description="probability of heads")
    flips: int = Field(ge=1, le=10**6, description="how often each coin is flipped")

    def numbers(self) -> int:
        """The flips of a coin, and the share of heads after each."""
        return 4 * self.flips


MEASURES = {"heads": "the share of heads, in [0, 1]"}

SERIES = {
    "flip": Series("flip", "flips so far"),
    "share": Series("flip", "the share of heads so far"),
}


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Flip one coin for each generator."""
    progress(0.0, "flips")
    heads = (uniform((params.flips,), 0.0, 1.0, generators) < params.bias).double()
    flips = torch.arange(1, params.flips + 1, dtype=torch.float64).expand(len(heads), -1)
    shares = running_sum(heads) / flips
    points = torch.linspace(0, params.flips - 1, min(params.flips, 100)).long()
    return Result({"heads": shares[:, -1]}, {"flip": flips[:, points], "share": shares[:, points]})
