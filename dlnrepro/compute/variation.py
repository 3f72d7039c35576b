"""How a computation deviates from the claim file. A claim's id and its variation together identify a result."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dlnrepro.claimfile.document import parse
from dlnrepro.claimfile.reach import arm_values, departures
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.device import Device

LARGEST_EXACT = 2**53
"""Every whole number up to this one is exact in double precision."""


@dataclass(frozen=True)
class Variation:
    """How a computation deviates from the claim file; with the defaults it does not deviate.

    Attributes:
        seeds: the fixed number of runs per arm; None stands for the claim's own number, to which further runs are added
            in an arm that is in doubt.
        seed_base: the first seed.
        overrides: other values of parameters: `KEY` for every arm that does not set it itself, `ARM.KEY` for one arm.
        quick: whether the claim's quick profile is used.
        controls: whether the arms that only serve as controls are run.
        device: the device that computes. Random numbers are drawn on the processor for every device.
    """

    seeds: int | None = None
    seed_base: int = 0
    overrides: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False
    controls: bool = True
    device: Device = "cpu"

    @property
    def options(self) -> list[str]:
        """The options of `dlnrepro run` that ask for this variation."""
        words = [word for key, value in self.overrides.items() for word in ("-s", f"{key}={_written(value)}")]
        words += ["--seeds", str(self.seeds)] if self.seeds is not None else []
        words += ["--seed-base", str(self.seed_base)] if self.seed_base else []
        words += ["--quick"] if self.quick else []
        words += [] if self.controls else ["--no-controls"]
        return words + (["--device", self.device] if self.device != "cpu" else [])

    @property
    def name(self) -> str:
        """The options as one text, which is empty if nothing deviates from the claim file."""
        return shlex.join(self.options)

    def stamps(self, claim: Claim) -> list[str]:
        """The labels that qualify the result of this variation of a claim."""
        flags = {"modified": self.seed_base != 0 or bool(self._changes(claim))}
        flags |= {"fixed-seeds": self._fixed_seeds(claim) is not None, "toy": self.quick}
        flags["no-controls"] = not self.controls
        flags["cuda"] = self.device == "cuda"
        return [stamp for stamp, holds in flags.items() if holds]

    def arms(self, claim: Claim) -> list[str]:
        """The arms of a claim that are run."""
        return claim.used_arms if self.controls else claim.tested_arms

    def of(self, claim: Claim) -> Variation:
        """This variation in its normal form for a claim: variations with the same parameters have the same normal form.

        Options that change nothing are left out: the number of seeds that the quick profile has anyway, and values that
        the arms have anyway.
        """
        return replace(self, seeds=self._fixed_seeds(claim), overrides=self._changes(claim))

    def batch(self, claim: Claim) -> int:
        """The number of runs per arm that are made first."""
        return self.seeds or (claim.quick.seeds if self.quick else claim.seeds)

    @property
    def fixed(self) -> bool:
        """Whether the number of runs is fixed, so that an arm in doubt gets no further runs."""
        return self.seeds is not None or self.quick

    def _fixed_seeds(self, claim: Claim) -> int | None:
        """The number of runs per arm that was asked for, or None if no other number is possible anyway."""
        return None if self.quick and self.seeds == claim.quick.seeds else self.seeds

    def _changes(self, claim: Claim) -> dict[str, Any]:
        """The overrides that change a parameter of an arm that is run, in their normal form."""
        values = {arm: arm_values(claim, arm, self.overrides, self.quick) for arm in self.arms(claim)}
        return overrides_behind(claim, values, self.quick)


def overrides_behind(claim: Claim, params: Mapping[str, Mapping[str, Any]], quick: bool) -> dict[str, Any]:
    """The overrides that give the arms of a claim these parameters, in a normal form, sorted by parameter and arm.

    If all arms that do not set a parameter themselves have the same new value, this is one override `KEY`. Every other
    change is an override `ARM.KEY`.

    Args:
        claim: the claim.
        params: arm -> every parameter of the runner.
        quick: whether the arms have the claim's quick profile.
    """
    changes = {arm: departures(claim, arm, dict(values), quick) for arm, values in params.items()}
    overrides: dict[str, Any] = {}
    for key in sorted({key for changed in changes.values() for key in changed}):
        changed = {arm: _normal(values[key]) for arm, values in changes.items() if key in values}
        open_arms = [arm for arm in params if key not in claim.arms.get(arm, {})]
        values = [changed[arm] for arm in open_arms if arm in changed]
        if values and len(values) == len(open_arms) and all(value == values[0] for value in values):
            overrides[key] = values[0]
            changed = {arm: value for arm, value in changed.items() if arm not in open_arms}
        overrides |= {f"{arm}.{key}": changed[arm] for arm in sorted(changed)}
    return overrides


def _normal(value: Any) -> Any:
    """A value in which whole numbers are integers, so that 3 and 3.0 are one variation."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT:
        return int(value)
    if isinstance(value, list | tuple):
        return [_normal(inner) for inner in value]
    return {key: _normal(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _written(value: object) -> str:
    """A parameter's value on one line, from which `-s` reads the same value."""
    plain = isinstance(value, str) and parse(value).value == value
    return str(value) if plain else json.dumps(value, default=str)
