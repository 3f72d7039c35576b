"""Runs of a runner from seeds, under a setup with changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import torch

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.runner import Result, silent


def quick_setup(claim: str, **changes: Any) -> dict[str, Any]:
    """The settings of a claim's quick profile, with some of them changed."""
    found = load_claim(packaged_folder() / f"{claim}.yaml")
    return {**found.setup, **found.quick.setup, **changes}


def seeded(seeds: Iterable[int]) -> list[torch.Generator]:
    """A generator for each seed, as the engine makes them."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def run_seeds(runner: ModuleType, setup: Mapping[str, Any], seeds: Iterable[int], **changes: Any) -> Result:
    """The result of one run per seed, all together, with some parameters of the setup changed."""
    result: Result = runner.run(runner.Params.model_validate({**setup, **changes}), seeded(seeds), silent)
    return result
