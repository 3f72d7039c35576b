"""How near three ways of training come to the maximum margin in equal wall time."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.classification import separable_data
from dlnrepro.dynamics.classification.margin_convergence import observe_direction
from dlnrepro.dynamics.classification.training import Training, log_risk_gradient, start, train
from dlnrepro.dynamics.compiled.library import COMPILER
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.margin_losses import batched_log_risk
from dlnrepro.dynamics.stiff_flow import path
from dlnrepro.dynamics.training.step_rules import direction
from dlnrepro.runner import silent
from tests.benchmarks.pairing import Row, seconds

RUNS, WIDTHS = 16, [4, 6, 6, 1]

Rule = Callable[[list[Tensor]], Sequence[Tensor]]


def flow_by_kernel() -> list[Row]:
    """How much less processor time a run of the stiff flow takes by the kernel in C than by scipy, checks included."""
    rows = []
    for width in (6, 16, 48):
        with mock.patch.dict(os.environ, {COMPILER: "none"}):
            scipys = _flow_seconds(width, path.MANY)
        rows.append(
            Row(
                f"flow to 1e12, width {width}, scipy / kernel in C",
                f"{scipys / _flow_seconds(width, path.MANY):.3g}",
                "none set",
                None,
            )
        )
    return rows


def flow_by_width() -> list[Row]:
    """How the stiff flow's time grows, with the Jacobian as a matrix and in factors, and where the second takes over.

    Three layers on four inputs, followed to log(1/R) = 1e12. The exponents are those of processor time in the width.
    """
    with mock.patch.dict(os.environ, {COMPILER: "none"}):
        dense = {width: _flow_seconds(width, 10**9) for width in (6, 12, 24)}
        factored = {width: _flow_seconds(width, 0) for width in (6, 12, 24, 64, 128)}
    rows = [
        Row(
            f"flow to 1e12, {width * (width + 5)} weights, Jacobian dense / in factors",
            f"{dense[width] / factored[width]:.3g}",
            f"{'>' if width * (width + 5) >= path.MANY else '<'} 1",
            (dense[width] > factored[width]) == (width * (width + 5) >= path.MANY),
        )
        for width in dense
    ]
    for name, times, low, high in (
        ("dense Jacobian, exponent in the width", dense, 12, 24),
        ("Jacobian in factors, exponent in the width", factored, 24, 64),
        ("Jacobian in factors, exponent in the width", factored, 64, 128),
    ):
        exponent = math.log(times[high] / times[low]) / math.log(high / low)
        rows.append(Row(f"{name}, {low} to {high}", f"{exponent:.2g}", "none set", None))
    return rows


def _flow_seconds(width: int, many: int) -> float:
    """Processor seconds of a run of gradient flow, the mean of two, the Jacobian dense below this many weights."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    sets = [separable_data.separable(4, 40, 0.15, True, 0.05, generator).signed for generator in generators]
    weights = start([4, width, width, 1], 1.0, "logistic", sets, False, generators)
    rates = [torch.ones(1, 1, dtype=torch.float64) for _ in weights]
    flow = Training("logistic", "flow", rates, 1e12, 1e-9, 0.1, 1, 61)
    with mock.patch.object(path, "MANY", many):
        started = time.process_time()
        train(flow, weights, sets, silent)
        return (time.process_time() - started) / len(generators)


def gap_in_equal_time() -> list[Row]:
    """Row 3: the relative margin gap, median over 16 runs of depth 3, after the wall time that the flow takes."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(RUNS)]
    classes = [separable_data.separable(4, 40, 0.15, True, 0.05, generator) for generator in generators]
    sets = [each.signed for each in classes]
    weights = start(WIDTHS, 1.0, "logistic", sets, False, generators)
    signed = torch.from_numpy(np.stack(sets))
    rates = [torch.ones(1, 1, dtype=torch.float64) for _ in weights]
    flow = Training("logistic", "flow", rates, 1e12, 1e-9, 0.1, 1, 61)
    paths: list[Sequence[Tensor]] = []
    budget = seconds(lambda: paths.extend(train(flow, weights, sets, silent)[0]))
    ends = [torch.stack([layer[-1] for layer in layers]) for layers in zip(*paths, strict=True)]

    def slopes(now: Sequence[Tensor]) -> list[Tensor]:
        return log_risk_gradient(now, signed, "logistic")

    def plain(now: Sequence[Tensor]) -> list[Tensor]:
        value, _ = batched_log_risk("logistic", (signed @ product(now).mT)[..., 0])
        return [value.exp()[:, None, None] * slope for slope in slopes(now)]

    normalised = direction("normalised", slopes, rates)
    found = {
        "plain descent, step size 1": _after(weights, plain, 1.0, budget),
        "loss-normalised descent, step 0.1": _after(weights, normalised, 0.1, budget),
        "gradient flow": ends,
    }
    gaps = {
        name: statistics.median(
            float(observe_direction(row[None, 0], signed[run], each.solution).margin_gap)
            for run, (row, each) in enumerate(zip(product(now), classes, strict=True))
        )
        for name, now in found.items()
    }
    best = gaps["gradient flow"]
    return [
        Row(f"margin gap in {budget:.1f} s, {name}", f"{gap:.2g}", f"{gap / best:.2g} x the flow's", None)
        for name, gap in gaps.items()
    ]


def _after(weights: Sequence[Tensor], rule: Rule, step: float, budget: float) -> list[Tensor]:
    """The weights that a descent reaches in a wall time."""
    now = [weight.clone() for weight in weights]
    deadline = time.perf_counter() + budget
    while time.perf_counter() < deadline:
        for _ in range(20):
            now = [weight - step * change for weight, change in zip(now, rule(now), strict=True)]
    return now
