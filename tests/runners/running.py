"""Runs of a runner from seeds, under a setup with changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from dlnrepro.runner import Result, Runner, silent


def generators(seeds: Iterable[int]) -> list[torch.Generator]:
    """A generator for each seed, as the engine makes them."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def run_seeds(runner: Runner, setup: Mapping[str, Any], seeds: Iterable[int], **changes: Any) -> Result:
    """The result of one run per seed, all together, with some parameters of the setup changed."""
    return runner.run(runner.Params.model_validate({**setup, **changes}), generators(seeds), silent)
