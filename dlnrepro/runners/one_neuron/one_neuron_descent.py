"""Gradient descent of a linear network with a layer of few neurons: where does it end, and how fast?

The descent is W_l <- W_l - eta dR/dW_l with the step size eta and R = 1/2 ||W_L ... W_1 - Z||_F^2, the squared loss on
whitened inputs with the target Z = Y X^T = sum_k sigma_k u_k v_k^T. The first layer has `bottleneck` neurons, which is
one in the theory. The initialization (start) is W = s u v^T in balanced layers, where u and v are drawn and may lack
the first modes of Z. Theory: gradient flow tends to Z_(k) = sigma_k u_k v_k^T, where k is the first mode with
u_k^T u + v_k^T v != 0. The overlap u^T Z v never falls. The last stage has the rate
sigma_1^(1-2/L) (sigma_1 - sigma_2).

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
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
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
    """An initialization, which may lack modes of the target or have a wider first layer, and the descent from it."""

    bottleneck: Width = Field(
        description="n_1, the number of neurons of the first hidden layer, which is 1 in the theory"
    )
    basis: Literal["random", "diagonal"] = Field(
        description="singular vectors of the target Z: `random` (uniform), or the unit vectors (`diagonal`), in which a"
        " missing mode stays exactly zero in floating-point arithmetic"
    )
    missing: int = Field(
        ge=0,
        le=31,
        description="how many of the first modes of Z the initial directions u and v have no component along",
    )
    tilt: float = Field(
        ge=0, le=0.1, description="number that is added to the components u_1^T u and v_1^T v after u and v are drawn"
    )
    step_size: StepSize
    momentum: float = Field(ge=0, lt=1, description="momentum of the descent; 0 is plain gradient descent")
    horizon: float = Field(gt=0, le=10**5, description="time t of the descent, step size times number of steps")
    law: Literal["overlap", "first"] = Field(
        description="the limit Z_(k) in the formulas: `overlap` takes k from the overlaps of the initialization, and"
        " `first` always takes k = 1, which is wrong on purpose, for a negative control"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """An initialization without modes, a bottleneck wider than another layer, and a descent that is too long."""
        yield from super().contradictions()
        if self.missing >= (most := min(self.inputs, self.outputs)):
            yield Contradiction("missing", f"at most {most - 1}, so that a mode is left")
        yield from at_most_as_many(self, "bottleneck", ["inputs", "outputs", *["hidden"] * (self.depth > 2)])
        if self.steps > MOST_STEPS:
            found = f"{numeral(float(self.steps), 3)} steps"
            yield Contradiction("horizon", f"a time that takes at most {numeral(MOST_STEPS)} steps", found)

    @property
    def widths(self) -> list[int]:
        """The widths n_0 .. n_L."""
        return [self.inputs, self.bottleneck, *[self.hidden] * (self.depth - 2), self.outputs]

    @property
    def steps(self) -> int:
        """How many gradient steps reach the horizon."""
        return max(1, round(self.horizon / self.step_size))

    def target(self, generators: Sequence[Generator]) -> Target:
        """The target, with random or diagonal singular vectors."""
        return super().target(generators) if self.basis == "random" else self.diagonal_target(generators)

    def draw(self, generators: Sequence[Generator]) -> OneNeuronStart:
        """The target, then the directions, the strength and the layers of each run, drawn in this order."""
        target = self.target(generators)
        pair = tilted(draw_pair(target, self.missing, self.overlap, generators), self.tilt)
        return self.start_from(target, pair, generators)

    def numbers(self) -> int:
        """Weights, gradients, velocities and products, the draws of an initialization, and the records."""
        return 16 * self.entries + 10 * RECORDS


MEASURES = {
    "distance_to_first": "distance of the product W from the best rank-one matrix Z_(1) at the end of the descent, "
    "||W - Z_(1)||_F / sigma_1, >= 0",
    "distance_to_limit": "distance of the product W from the limit Z_(k) of the law at the end of the descent, "
    "||W - Z_(k)||_F / sigma_1, >= 0",
    "overlap_drop": "largest fall of u^T Z v = <W, Z> / ||W||_F below an earlier value, in units of sigma_1, >= 0",
    "rate_ratio": "fitted over predicted exponential rate of ||W - Z_(1)||_F / sigma_1, while it lies between 1e-12 "
    "and 1e-7; 0 if fewer than 8 records lie there",
    "start_overlap": "overlap u^T Z v of the initialization with the target Z, in units of sigma_2 (of sigma_1 if Z "
    "has one mode only)",
    "start_distance": "distance of the initial product W from the best rank-one matrix Z_(1), "
    "||W - Z_(1)||_F / sigma_1, >= 0",
    "start_imbalance": "largest imbalance ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F of the initialization, over ||W_1||_F^2, "
    ">= 0",
    "start_strength": "norm ||W||_F of the initial product, > 0",
}

SERIES = {
    "time": Series("time", "time t, step size times number of steps"),
    "distance": Series("time", "distance from the best rank-one matrix, ||W - Z_(1)||_F / sigma_1"),
    "distance_from_limit": Series("time", "distance from the limit Z_(k) of the law, ||W - Z_(k)||_F / sigma_1"),
    "overlap": Series("time", "overlap of the product with the target, u^T Z v / sigma_1"),
    "predicted_distance": Series(
        "time", "e^(-rate t) with the predicted rate, through the first distance in the fitted window"
    ),
}

FLAWS = {
    "target": Flaw(
        "the descent has a target that is 5 % too large",
        "squared_loss_gradient",
        lambda right: lambda target, spread: right(1.05 * target, spread),
    ),
    "sign": Flaw(
        "the descent has a target of the opposite sign",
        "squared_loss_gradient",
        lambda right: lambda target, spread: right(-target, spread),
    ),
    "rate": Flaw("the predicted rate is 5 % too large", "local_rate", scaled(1.05)),
    "exponent": Flaw(
        "the exponent of sigma_1 in the predicted rate is 0.1 too large",
        "local_rate",
        lambda right: lambda strengths, depth: right(strengths, depth) * strengths[:, 0] ** 0.1,
    ),
    "next-mode": Flaw("the law names the mode after the right one", "limit_mode", shifted(1)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then initializations; descend with all runs at once; measure ends, rates and overlaps."""
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
