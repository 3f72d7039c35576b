"""Gradient descent of a linear network with a layer of few neurons: where does it end, and how fast?

The descent is W_l <- W_l - eta dR/dW_l with the step size eta and R = 1/2 ||W_L ... W_1 - Z||_F^2, the squared loss on
whitened inputs with the target Z = Y X^T = sum_k sigma_k u_k v_k^T. The first layer has `bottleneck` neurons, which is
one in the theory. The initialization (start) is W = s u v^T in balanced layers, where u and v are drawn and may lack
the first modes of Z. Theory: gradient flow tends to Z_(k) = sigma_k u_k v_k^T, where k is the first mode with
u_k^T u + v_k^T v != 0. The overlap u^T Z v never falls. In the last stage the distance from Z_(1) is a sum of
exponentials, the slowest of which has the rate sigma_1^(1-2/L) (sigma_1 - sigma_2).

The first steps are repeated by a plain network with autograd, and both products are compared.

Source: the setting and the kind of statement are Eftekhari's (2020, arXiv:2002.09852) and Chen, Lin and Zhang's (2022,
arXiv:2201.02761), which write N for the depth L; the formulas are derived in
`dlnrepro.dynamics.one_neuron.closed_form` and `last_stage`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.lines import first_inside
from dlnrepro.dynamics.fits.slopes import FEWEST, log_slope
from dlnrepro.dynamics.networks.chain import product, relative_imbalance
from dlnrepro.dynamics.one_neuron.closed_form import limit_mode
from dlnrepro.dynamics.one_neuron.last_stage import falling_distance, limit_rate, part_rates, slowest_part
from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.plain import PlainNetwork, plain_product
from dlnrepro.dynamics.one_neuron.start import draw_pair, overlap_unit, tilted
from dlnrepro.dynamics.risks.squared_loss import spread_moment, squared_loss_gradient
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import every, thinned
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import LayerFactor, StepSize, Width
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.one_neuron import OneNeuronSettings
from dlnrepro.settings.targets import at_most_as_many

RECORDS, THINNING = 400, 2
MOST_STEPS = 1e7
WINDOW, EARLIEST = (1e-12, 1e-7), 1e-5
PLAIN_STEPS, PLAIN_STRIDE = 60, 10


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
    layer_factor: LayerFactor
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
        start = self.start_from(target, pair, generators)
        return start._replace(weights=unbalanced(start.weights, self.layer_factor))

    def numbers(self) -> int:
        """Weights, gradients, velocities and products, the draws of an initialization, and the records."""
        return 20 * self.entries + (10 + self.inputs + self.outputs) * RECORDS


MEASURES = {
    "distance_to_first": "distance of the product W from the best rank-one matrix Z_(1) at the end of the descent, "
    "||W - Z_(1)||_F / sigma_1, >= 0",
    "distance_to_limit": "distance of the product W from the limit Z_(k) of the law at the end of the descent, "
    "||W - Z_(k)||_F / sigma_1, >= 0",
    "overlap_drop": "largest fall of u^T Z v = <W, Z> / ||W||_F below an earlier value, in units of sigma_1, >= 0",
    "rate_ratio": "fitted exponential rate of ||W - Z_(1)||_F while it lies between 1e-12 sigma_1 and 1e-7 sigma_1, "
    "over that of the sum of the predicted exponentials; NaN if fewer than 8 records lie there",
    "slowest_ratio": "fitted over predicted exponential rate of the slowest part of W - Z_(1), that along mode 2, once "
    "||W - Z_(1)||_F < 1e-5 sigma_1 and until this part is 1e-12 sigma_1; NaN if fewer than 8 records lie there",
    "time_constants": "time of the descent over the time constant near the limit that the law names, > 0",
    "plain_error": "largest distance of the product from that of a plain network by autograd over the first 60 steps, "
    "over sigma_1 (Frobenius norm, >= 0)",
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
        "time", "distance by the sum of the predicted exponentials, from the first record in the fitted window on"
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
    "gradient": Flaw(
        "the gradients of all layers but the first one are 5 % too large",
        "squared_loss_gradient",
        lambda right: lambda target, spread: _stretched(right(target, spread)),
    ),
    "rate": Flaw(
        "the predicted rates are 5 % too large", "dlnrepro.dynamics.one_neuron.last_stage:_scale", scaled(1.05)
    ),
    "exponent": Flaw(
        "the exponent of sigma_1 in the predicted rates is 0.1 too large",
        "dlnrepro.dynamics.one_neuron.last_stage:_scale",
        lambda right: lambda strength, depth: right(strength, depth) * strength**0.1,
    ),
    "next-mode": Flaw("the law names the mode after the right one", "limit_mode", shifted(1)),
}


def _stretched(gradient: Callable[[Weights], Weights]) -> Callable[[Weights], Weights]:
    """The gradient with every layer but the first one 5 % too large."""
    return lambda weights: [part * (1.05 if layer else 1.0) for layer, part in enumerate(gradient(weights))]


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then initializations; descend with all runs at once; measure ends, rates and overlaps."""
    start = params.draw(generators)
    weights, target = start.weights, start.target
    unit = target.strengths[:, 0]
    limit = limit_mode(start.pair, len(params.strengths)) if params.law == "overlap" else torch.ones_like(unit).long()
    observe, gradient = start.observer(target.mode(limit)), squared_loss_gradient(target.matrix, 1.0)
    records = every(math.ceil(params.steps / RECORDS), params.steps)
    descent = params.step_size, params.momentum, params.steps, records
    share = params.steps / (params.steps + 2 * PLAIN_STEPS)
    _, recorded = descend_with_momentum(weights, gradient, *descent, observe, part_of(progress, 0.0, share))
    comparison = part_of(progress, share, 1 - share, "comparison with a plain network")
    times = torch.tensor(records, dtype=torch.float64) * params.step_size
    overlap, begin = recorded["overlap"], observe(weights)
    rates, law = _rates(params, target, times, recorded.pop("parts"), recorded["distance"])
    measures = {
        "distance_to_first": recorded["distance"][:, -1],
        "distance_to_limit": recorded["distance_from_limit"][:, -1],
        "overlap_drop": (overlap.cummax(-1).values - overlap).amax(-1),
        **rates,
        "time_constants": params.horizon * limit_rate(target.strengths, limit, params.depth),
        "plain_error": _plain_error(params, start, gradient, comparison),
        "start_overlap": begin["overlap"] * unit / overlap_unit(target.strengths),
        "start_distance": begin["distance"],
        "start_imbalance": relative_imbalance(weights),
        "start_strength": torch.linalg.matrix_norm(product(weights)),
    }
    series = {"time": times, **recorded, "predicted_distance": law}
    return Result(measures, {name: thinned(values, THINNING) for name, values in series.items()})


def _rates(
    params: Params, target: Target, times: Tensor, parts: Tensor, distance: Tensor
) -> tuple[dict[str, Tensor], Tensor]:
    """The measures of the last stage, and the distance that the law predicts, of shape (runs, records)."""
    rates, step_size = part_rates(target, params.formula_depth), params.step_size
    inside = (distance > WINDOW[0]) & (distance < WINDOW[1])
    law = falling_distance(parts, rates, times / step_size, step_size, first_inside(inside))
    slowest = slowest_part(parts, rates)
    visible = (slowest > WINDOW[0]) & (distance < EARLIEST)
    expected = -torch.log1p(-step_size * rates.amin(-1)) / step_size
    ratios = {
        "rate_ratio": (
            log_slope(times.expand_as(law), distance, inside) / log_slope(times.expand_as(law), law, inside)
        ),
        "slowest_ratio": log_slope(-times.expand_as(law), slowest, visible) / expected,
    }
    enough = {"rate_ratio": inside.sum(-1) >= FEWEST, "slowest_ratio": visible.sum(-1) >= FEWEST}
    return {name: torch.where(enough[name], ratio, torch.nan) for name, ratio in ratios.items()}, law


def _plain_error(
    params: Params, start: OneNeuronStart, gradient: Callable[[Weights], Weights], progress: Progress
) -> Tensor:
    """The largest distance of the first steps of the descent from those of a plain network, of shape (runs,)."""
    records = every(PLAIN_STRIDE, PLAIN_STEPS)
    descent = params.step_size, params.momentum, PLAIN_STEPS, records
    first, second = part_of(progress, 0.0, 0.5), part_of(progress, 0.5, 0.5)
    _, own = descend_with_momentum(start.weights, gradient, *descent, lambda now: {"whole": product(now)}, first)
    plain = PlainNetwork(start.target.matrix, spread_moment(params.inputs, 1.0))
    steps = PLAIN_STEPS, PLAIN_STRIDE, [1.0] * params.depth
    path = plain.descent(start.weights, params.step_size, *steps, lambda fraction: second(fraction, "autograd"))
    apart = [torch.linalg.matrix_norm(own["whole"][..., index] - plain_product(now)) for index, now in enumerate(path)]
    return torch.stack(apart).amax(0) / start.target.strengths[:, 0]
