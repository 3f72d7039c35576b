"""A runner whose settings can contradict one another, and which finds no start at 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from pydantic import Field

from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.errors import NoSuchDraw
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction, Settings


class Params(Settings):
    """Three settings of which two pairs can contradict each other."""

    widths: list[int] = Field(description="the widths of the layers")
    modes: int = Field(ge=0, le=100, description="the number of modes")
    start: float = Field(ge=0, le=1e6, description="what is measured, up to noise of 1e-3")
    limit: float = Field(ge=0, le=1e6, description="what the start must not exceed")

    def contradictions(self) -> Iterable[Contradiction]:
        """More modes than the narrowest layer has neurons, or a start above the limit."""
        if self.modes > min(self.widths):
            yield Contradiction("modes", f"at most {min(self.widths)}, as many as the narrowest layer has neurons")
        if self.start > self.limit:
            yield Contradiction("start", f"at most {self.limit:g}, the limit")

    def numbers(self) -> int:
        """The measure alone."""
        return 1


MEASURES = {"value": "the start, up to noise", "noise": "the noise alone, in [0, 1e-3]"}

SERIES: dict[str, Series] = {}


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Measure the start; a start at 0 cannot be drawn."""
    progress(0.5, "half of it")
    if params.start == 0:
        raise NoSuchDraw("a start above 0", 2000)
    noise = uniform((), 0.0, 1e-3, generators)
    return Result({"value": params.start + noise, "noise": noise}, {})
