"""From a claim to its cells: how a run departs from the claim file, and which arms, parameters and seeds it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from dlnrepro.cell import Cell
from dlnrepro.check import LARGEST_SEED
from dlnrepro.claim import Claim
from dlnrepro.device import Device, free_memory, require
from dlnrepro.document import dotted
from dlnrepro.errors import UsageError
from dlnrepro.explanation import parameter_faults
from dlnrepro.runner import load_runner


@dataclass(frozen=True)
class Variation:
    """How a run departs from the claim file; the defaults depart from nothing.

    Attributes:
        seeds: runs per arm instead of the claim's own number.
        seed_base: the first seed.
        overrides: parameters of the setup with other values.
        quick: the claim's toy profile.
        controls: whether the arms that only serve as controls are run.
        device: where tensors live. The generators draw on the processor all the same.
    """

    seeds: int | None = None
    seed_base: int = 0
    overrides: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False
    controls: bool = True
    device: Device = "cpu"

    def stamps(self, claim: Claim) -> list[str]:
        """What qualifies the result of this variation of a claim."""
        changed = bool(self.overrides) or self.seed_base != 0 or self.seeds not in (None, claim.seeds)
        flags = {"modified": changed, "toy": self.quick, "no-controls": not self.controls}
        flags["cuda"] = self.device == "cuda"
        return [stamp for stamp, holds in flags.items() if holds]


def plan(claim: Claim, variation: Variation) -> list[Cell]:
    """The cells that a variation of a claim asks for, in the order of the claim's arms.

    Raises:
        UsageError: an override names no parameter, has another type, or changes nothing; a seed is out of range;
            the device is not there; or a cell would need more memory than it has.
    """
    require(variation.device)
    params = load_runner(claim.runner).Params
    _overrides_apply(claim, variation, params)
    count = variation.seeds or (claim.quick.seeds if variation.quick else claim.seeds)
    if variation.seed_base + count - 1 > LARGEST_SEED:
        raise UsageError(f"--seed-base: expected at most {LARGEST_SEED - count + 1}, found {variation.seed_base}")
    seeds = tuple(range(variation.seed_base, variation.seed_base + count))
    profile = claim.quick.setup if variation.quick else {}
    cells = []
    for arm in claim.used_arms if variation.controls else claim.tested_arms:
        values = {**claim.setup, **profile, **variation.overrides, **claim.arms[arm]}
        for place, text in parameter_faults(params, values):
            raise UsageError(f"{claim.id}: arm {arm}: {dotted(place)}: {text}")
        _fits_in_memory(claim, arm, params.model_validate(values), count, variation.device)
        cells.append(Cell(claim.id, arm, claim.runner, values, seeds, variation.device))
    return cells


def _overrides_apply(claim: Claim, variation: Variation, params: type[BaseModel]) -> None:
    """Refuse overrides that could not change anything."""
    for key in variation.overrides:
        if key not in params.model_fields:
            (_, text), *_ = parameter_faults(params, {**claim.setup, key: variation.overrides[key]})
            raise UsageError(f"-s {key}: {claim.id}: {text}")
        if all(key in claim.arms[arm] for arm in claim.used_arms):
            raise UsageError(
                f"-s {key}: {claim.id}: expected a parameter that some arm leaves alone, found it set in all"
            )
    for place, text in parameter_faults(params, {**claim.setup, **variation.overrides}):
        raise UsageError(f"-s {dotted(place)}: {claim.id}: {text}")


def _fits_in_memory(claim: Claim, arm: str, params: Any, runs: int, device: Device) -> None:
    """Refuse a cell whose own estimate exceeds the memory that is free."""
    needed, free = params.memory(runs), free_memory(device)
    if needed > free:
        sizes = f"{needed / 1e9:,.1f} GB for {runs} runs, found {free / 1e9:,.1f} GB free"
        raise UsageError(f"{claim.id}: arm {arm}: expected a setting that fits in memory; it needs {sizes}")
