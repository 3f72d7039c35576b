"""Gradient descent of a linear network with a layer of few neurons, from a balanced start; where does it end, how fast?

W_l <- W_l - eta dR/dW_l with R = 1/2 ||W_L ... W_1 - Z||_F^2, the squared loss on whitened inputs with Z = Y X^T. The
first layer has `bottleneck` neurons, one in the theory; the start (initialization) is W = s u v^T in balanced layers,
with drawn u and v, or with u and v that have no overlaps with the first modes of Z. Theory: the flow tends to
Z_(k*) = sigma_k* u_k* v_k*^T with k* the first mode with u_k^T u + v_k^T v != 0, u^T Z v never falls, and the last
stage has the rate sigma_1^(1-2/L) (sigma_1 - sigma_2).

Source: the setting and the kind of statement are Eftekhari's (2020, arXiv:2002.09852) and Chen, Lin and Zhang's (2022,
arXiv:2201.02761), which write N for the depth L; the formulas are derived in
`dlnrepro.dynamics.one_neuron.closed_form`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.fits.lines import exponential_line, first_inside
from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.networks.chain import product, relative_imbalance
from dlnrepro.dynamics.one_neuron.closed_form import limit_mode, local_rate
from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.start import draw_pair, overlap_unit, tilted
from dlnrepro.dynamics.risks.squared_loss import squared_loss_gradient
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.records import every, thinned
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import StepSize, Width
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.one_neuron import OneNeuronSettings
from dlnrepro.settings.targets import at_most_as_many

RECORDS, THINNING = 400, 2
MOST_STEPS = 1e7
WINDOW = (1e-12, 1e-7)


class Params(OneNeuronSettings, DeepSettings):
    """A start, which may lack modes of the target or have a wider first hidden layer, and the descent from it."""

    bottleneck: Width = Field(description="n_1, the width of the first hidden layer, which is 1 in the theory")
    basis: Literal["random", "diagonal"] = Field(
        description="the singular vectors of the target: random, or unit vectors (diagonal), with which a missing mode"
        " stays exactly zero in floating point"
    )
    missing: int = Field(ge=0, le=31, description="how many of the first modes have zero overlap with the start")
    tilt: float = Field(ge=0, le=0.1, description="what is added to u_1^T u and v_1^T v, once u and v are drawn")
    step_size: StepSize
    momentum: float = Field(ge=0, lt=1, description="the momentum of the descent; 0 is plain gradient descent")
    horizon: float = Field(gt=0, le=10**5, description="time of the descent, step size times number of steps")
    law: Literal["overlap", "first"] = Field(
        description="the limit Z_(k*) by the theory: k* from the overlaps at the start (overlap), or 1 for every start"
        " (first), which is wrong on purpose"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """A start without modes, a bottleneck wider than another layer, and a descent that takes too long."""
        yield from super().contradictions()
        if self.missing >= (most := min(self.inputs, self.outputs)):
            yield Contradiction("missing", f"at most {most - 1}, so that the start has a mode")
        yield from at_most_as_many(self, "bottleneck", ["inputs", "outputs", *["hidden"] * (self.depth > 2)])
        if self.steps > MOST_STEPS:
            found = f"{numeral(float(self.steps), 3)} steps"
            yield Contradiction("horizon", f"a time that takes at most {numeral(MOST_STEPS)} steps", found)

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, self.bottleneck, *[self.hidden] * (self.depth - 2), self.outputs]

    @property
    def steps(self) -> int:
        """How many gradient steps reach the horizon."""
        return max(1, round(self.horizon / self.step_size))

    def target(self, generators: Sequence[Generator]) -> Target:
        """The target in its basis."""
        return super().target(generators) if self.basis == "random" else self.diagonal_target(generators)

    def draw(self, generators: Sequence[Generator]) -> OneNeuronStart:
        """The target, then the directions, the strength and the layers of each run, drawn in this order."""
        target = self.target(generators)
        pair = tilted(draw_pair(target, self.missing, self.overlap, generators), self.tilt)
        return self.start_from(target, pair, generators)

    def numbers(self) -> int:
        """Weights, gradients, velocities and products, the draws of a start, and the records."""
        return 16 * self.entries + 10 * RECORDS


MEASURES = {
    "distance_to_first": "||W - Z_(1)||_F / sigma_1 at the end, >= 0",
    "distance_to_limit": "||W - Z_(k*)||_F / sigma_1 at the end, with Z_(k*) the limit that `law` names, >= 0",
    "overlap_drop": "the largest fall of u^T Z v = <W, Z> / ||W||_F below an earlier value, over sigma_1, >= 0",
    "rate_ratio": "fitted over predicted rate of ||W - Z_(1)||_F / sigma_1 while it lies in "
    "[1e-12, 1e-7]; 0 if it never does",
    "start_overlap": "u^T Z v / sigma_2 of the start (over sigma_1 if there is one mode only)",
    "start_distance": "||W - Z_(1)||_F / sigma_1 of the start, >= 0",
    "start_imbalance": "largest ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F of the start, over ||W_1||_F^2, >= 0",
    "start_strength": "||W||_F of the start, > 0",
}

SERIES = {
    "time": Series("time", "step size times steps"),
    "distance": Series("time", "||W - Z_(1)||_F / sigma_1"),
    "distance_from_limit": Series("time", "||W - Z_(k*)||_F / sigma_1"),
    "overlap": Series("time", "u^T Z v / sigma_1"),
    "predicted_distance": Series("time", "e^(-rate t), through the distance in the middle of the fitted window"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; descend with all runs at once; measure ends, rates and overlaps."""
    start = params.draw(generators)
    weights, target = start.weights, start.target
    unit, rate = target.strengths[:, 0], local_rate(target.strengths, params.formula_depth)
    limit = limit_mode(start.pair, len(params.strengths)) if params.law == "overlap" else torch.ones_like(unit).long()
    observe = start.observer(target.mode(limit))
    records = every(math.ceil(params.steps / RECORDS), params.steps)
    descent = params.step_size, params.momentum, params.steps, records
    gradient = squared_loss_gradient(target.matrix, 1.0)
    _, recorded = descend_with_momentum(weights, gradient, *descent, observe, progress)
    times = torch.tensor(records, dtype=torch.float64) * params.step_size
    distance, overlap = recorded["distance"], recorded["overlap"]
    inside = (distance > WINDOW[0]) & (distance < WINDOW[1])
    begin = observe(weights)
    measures = {
        "distance_to_first": distance[:, -1],
        "distance_to_limit": recorded["distance_from_limit"][:, -1],
        "overlap_drop": (overlap.cummax(-1).values - overlap).amax(-1),
        "rate_ratio": log_slope(-times.expand_as(distance), distance, inside) / rate,
        "start_overlap": begin["overlap"] * unit / overlap_unit(target.strengths),
        "start_distance": begin["distance"],
        "start_imbalance": relative_imbalance(weights),
        "start_strength": torch.linalg.matrix_norm(product(weights)),
    }
    line = exponential_line(times, distance, -rate, first_inside(inside))
    series = {"time": times, **recorded, "predicted_distance": line}
    return Result(measures, {name: thinned(values, THINNING) for name, values in series.items()})
