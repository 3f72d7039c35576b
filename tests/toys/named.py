"""A runner whose measures are a parameter: each has the value that the setting gives it, or none is declared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import BaseModel

from dlnrepro.runner import Declared, Progress, Result, Series


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """What is measured."""

    values: dict[str, float]
    declares: bool

    def memory(self, runs: int) -> int:
        """A thousand bytes per run."""
        return 1000 * runs


MEASURES: dict[str, str] = {}

SERIES: dict[str, Series] = {}


def declared(params: Params) -> Declared:
    """The names of the setting, or nothing."""
    return Declared({name: f"the {name} of the setting" for name in params.values}, {}) if params.declares else UNKNOWN


UNKNOWN = Declared(None, None)


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:  # noqa: ARG001  it is fast
    """Give each measure the value of the setting."""
    return Result({n: torch.full((len(generators),), v, dtype=torch.float64) for n, v in params.values.items()})
