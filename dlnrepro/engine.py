"""The engine: resolves arms to parameters, makes the generators, and turns every arm of a claim into an outcome.

This is the one place where generators are made. Each run has its own, seeded with the run's seed, and all arms of a
claim use the same seeds, so that they are paired.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from threadpoolctl import threadpool_limits

from dlnrepro.check import Outcome
from dlnrepro.claim import Claim
from dlnrepro.device import Device, computing_on, free_memory, require
from dlnrepro.document import dotted
from dlnrepro.errors import BudgetSpent, UsageError
from dlnrepro.explanation import parameter_faults
from dlnrepro.runner import Progress, Result, Runner, load_runner

LARGEST_SEED = 2**63 - 1


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


@dataclass(frozen=True)
class Cell:
    """One arm of a claim, ready to run: its names, and everything that produces its numbers."""

    claim: str
    arm: str
    runner: str
    params: Mapping[str, Any]
    seeds: tuple[int, ...]
    device: Device = "cpu"


@dataclass(frozen=True)
class Numbers:
    """The numbers of one cell: an outcome for the verdict, and the series beside it.

    Attributes:
        outcome: measures, or the fault that kept them from being.
        series: name -> array of shape (runs, points).
    """

    outcome: Outcome
    series: Mapping[str, np.ndarray]


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


def run_cell(cell: Cell, progress: Progress, budget: Callable[[], float]) -> Numbers:
    """The numbers of one cell.

    An exception in the runner becomes the outcome's fault, so that the other cells still run; a spent budget leaves
    every run undecided.

    Args:
        cell: what to run.
        progress: told the fraction done and a note.
        budget: the seconds left; the runner is stopped at its next sign of life after they are up.
    """
    torch.set_num_threads(1)
    runner = load_runner(cell.runner)
    params = runner.Params.model_validate(cell.params)
    generators = [torch.Generator().manual_seed(seed) for seed in cell.seeds]

    def watched(fraction: float, note: str) -> None:
        if budget() <= 0:
            raise BudgetSpent
        progress(fraction, note)

    started = time.monotonic()
    fault, spent = None, False
    measures: dict[str, np.ndarray] = {}
    series: dict[str, np.ndarray] = {}
    try:
        # Gradients are pulled back by hand: without autograd's bookkeeping small matrices are an eighth faster.
        # Numpy's threads are limited too: in a notebook they began with numpy, and several round otherwise than one.
        with threadpool_limits(1), torch.inference_mode(), computing_on(cell.device):
            watched(0.0, "starts")
            result = runner.run(params, generators, watched)
            measures, series = _arrays(runner, result, len(cell.seeds))
    except BudgetSpent:
        spent = True
    except Exception as error:  # a runner may fail in any way, and the verdict must say so, not this program stop
        fault = f"{type(error).__name__}: {' '.join(str(error).split())}{_where(error)}"
    seconds = time.monotonic() - started
    values = {name: [float(value) for value in array] for name, array in measures.items()}
    return Numbers(Outcome(cell.seeds, values, fault, spent, seconds), series)


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


def _arrays(runner: Runner, result: Result, runs: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The result as arrays, held against what the runner promises.

    Raises:
        TypeError: a measure or series is missing, unknown, of another shape, or not float64.
    """
    promised = {**runner.MEASURES, **runner.SERIES}
    found = {**result.measures, **result.series}
    if promised.keys() != found.keys():
        differing = ", ".join(sorted(promised.keys() ^ found.keys()))
        raise TypeError(f"the runner's measures and series are not those it declares: {differing}")
    for name, tensor in found.items():
        axes = 1 if name in runner.MEASURES else 2
        if tensor.dtype != torch.float64 or tensor.ndim != axes or tensor.shape[0] != runs:
            shape = tuple(tensor.shape)
            raise TypeError(f"{name}: expected float64 for {runs} runs with {axes} axes, found {tensor.dtype} {shape}")
    return (
        {name: tensor.cpu().numpy() for name, tensor in result.measures.items()},
        {name: tensor.cpu().numpy() for name, tensor in result.series.items()},
    )


def _where(error: BaseException) -> str:
    """The file and line of this program in which an error arose."""
    frames: Sequence[Any] = []
    trace = error.__traceback__
    while trace is not None:
        if "dlnrepro" in trace.tb_frame.f_code.co_filename:
            frames = [*frames, trace]
        trace = trace.tb_next
    if not frames:
        return ""
    name = Path(frames[-1].tb_frame.f_code.co_filename).name
    return f" ({name}:{frames[-1].tb_lineno})"
