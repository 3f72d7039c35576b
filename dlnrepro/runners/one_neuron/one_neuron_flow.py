"""Gradient flow of a linear network with a one-neuron layer, and gradient descent, compared with the closed form.

The flow is dW_l/dt = -c_l dR/dW_l with learning rates c_l, R = 1/2 tr(W S W^T) - tr(W Z^T) and W = W_L ... W_1. R is
the squared loss on inputs of second moment S (white inputs: S = I) with the target Z = Y X^T. If all c_l are 1, the
imbalances W_(l+1)^T W_(l+1) - W_l W_l^T are conserved. On white inputs the product then follows a closed form from a
balanced initialization (start) W = s u v^T. From u = u_1 and v = -v_1 the strength s falls as e^(-2 sigma_1 t) for
L = 2, and as t^(-L/(L-2)) for L >= 3. From u and v outside the range of Z it falls as t^(-L/(2L-2)) for every L.
Gradient descent departs from the closed form, and changes the imbalances, in proportion to its step size.

The first part of the flow, and the first steps of the coarsest descent, are repeated by a plain network with autograd.

Source: closed form and exponents are derived in `dlnrepro.dynamics.one_neuron.closed_form`, in the setting of Eftekhari
2020 (arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761), which write N for the depth L.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import log_slope, slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.plain import PlainNetwork, plain_product
from dlnrepro.dynamics.one_neuron.start import axis_pair
from dlnrepro.dynamics.risks.squared_loss import spread_moment, squared_loss_field, squared_loss_gradient
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import Record, decades
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.descents import DESCENT_POINTS, HalvedDescents
from dlnrepro.settings.fields import InputSpread, LayerFactor, Range
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.one_neuron import OneNeuronSettings

POINTS, DECADES, PLAIN_STEPS = 120, 6, 40
MOST_STEPS = 1e7
RELATIVE, ABSOLUTE = 1e-11, 1e-15


class Params(OneNeuronSettings, HalvedDescents):
    """Initial directions, the hypotheses that may be broken, the flow, and the descents from the same weights."""

    directions: Literal["drawn", "anti-aligned", "aligned", "outside-range"] = Field(
        description="initial directions u and v: `drawn`, with random singular vectors of Z; or, for a diagonal Z,"
        " u = u_1 and v = -v_1 (`anti-aligned`), u = u_1 and v = v_1 (`aligned`), or Z v = 0 and Z^T u = 0"
        " (`outside-range`)"
    )
    overlap: Range = Field(description="for `directions: drawn`: range of u^T Z v / sigma_2 in which u and v are drawn")
    layer_factor: LayerFactor
    input_spread: InputSpread
    first_rate: float = Field(gt=0, le=100, description="c_1, the learning rate of W_1; every other layer has 1")
    horizon: float = Field(
        gt=0,
        le=10**6,
        description="time t to which gradient flow is followed; for `anti-aligned` and `outside-range` in units of the"
        " time in which the strength of the run falls first",
    )
    window_start: float = Field(
        gt=0,
        le=10**6,
        description="time t from which the power and the rate of ||W||_F are fitted, in the unit of horizon",
    )
    descent_horizon: float = Field(gt=0, le=1000, description="time t of the descents, step size times number of steps")

    def contradictions(self) -> Iterable[Contradiction]:
        """Directions that the target does not leave free, a window without times, and descents that are too long."""
        yield from super().contradictions()
        if self.directions == "outside-range" and len(self.strengths) >= (most := min(self.inputs, self.outputs)):
            yield Contradiction(
                "strengths",
                f"at most {most - 1} values, so that u and v can lie outside the range of the target",
                f"{len(self.strengths)} values",
            )
        if self.window_start >= self.horizon:
            yield Contradiction("window_start", f"a time before horizon, {numeral(self.horizon)}")
        if (finest := self.coarse_steps(self.descent_horizon) * 2**self.halvings) > MOST_STEPS:
            found = f"{numeral(float(finest), 3)} steps"
            yield Contradiction("step_size", f"at most {numeral(MOST_STEPS)} steps of the finest descent", found)

    @property
    def rates(self) -> list[float]:
        """The learning rates c_1 .. c_L of the layers."""
        return [self.first_rate, *[1.0] * (self.depth - 1)]

    def numbers(self) -> int:
        """The weights and products at every recorded time of the flow and of one descent."""
        return (POINTS + DESCENT_POINTS) * 4 * self.entries

    def memory(self, runs: int) -> int:
        """The bytes of the runs, and of the panels of the closed form, which is evaluated for one run after another."""
        return super().memory(runs) + 10**8


MEASURES = {
    "closed_form_error": "largest distance of the product W from the closed form along the flow, over sigma_1 "
    "(Frobenius norm, >= 0)",
    "descent_order": "order in the step size of the largest distance of gradient descent from the closed form: slope "
    "of its log against the log of the step size",
    "drift": "largest change of an imbalance W_(l+1)^T W_(l+1) - W_l W_l^T along the flow, over sigma_1^(2/L) "
    "(Frobenius norm, >= 0)",
    "drift_order": "order in the step size of the largest change of an imbalance along gradient descent: slope of its "
    "log against the log of the step size",
    "power": "slope of log ||W||_F against log t along the flow, from time t = window_start on",
    "rate_ratio": "fitted exponential rate -d log ||W||_F / dt along the flow from time t = window_start on, over 2 "
    "sigma_1",
    "end_share": "norm ||W||_F of the product at the end of the flow over its initial value, >= 0",
    "plain_error": "largest distance of the product of the flow, and of the coarsest descent, from those of a plain "
    "network by autograd in the first part of both, over sigma_1 (Frobenius norm, >= 0)",
}

SERIES = {
    "time": Series("time", "time t along the flow"),
    "strength": Series("time", "norm ||W||_F of the product along the flow"),
    "closed_form_strength": Series("time", "norm ||W||_F of the product by the closed form"),
    "flow_error": Series("time", "distance of the flow from the closed form, ||W - W_closed||_F / sigma_1"),
    "flow_drift": Series("time", "largest change of an imbalance along the flow, over sigma_1^(2/L) (Frobenius norm)"),
    "step_size": Series("step_size", "step size eta of each descent"),
    "descent_error": Series(
        "step_size", "largest distance of each descent from the closed form, ||W - W_closed||_F / sigma_1"
    ),
    "descent_drift": Series(
        "step_size", "largest change of an imbalance along each descent, over sigma_1^(2/L) (Frobenius norm)"
    ),
}

FLAWS = {
    "target": Flaw(
        "gradient flow has a target that is 5 % too large",
        "squared_loss_field",
        lambda right: lambda target, spread: right(1.05 * target, spread),
    ),
    "descent": Flaw(
        "the gradients of gradient descent are 5 % too large",
        "squared_loss_gradient",
        lambda right: lambda target, spread: lambda weights: [1.05 * part for part in right(target, spread)(weights)],
    ),
    "strengths": Flaw(
        "the closed form has singular values that are 5 % too large",
        "dlnrepro.dynamics.one_neuron.motion:closed_form",
        lambda right: lambda strengths, *others: right(1.05 * strengths, *others),
    ),
    "depth": Flaw(
        "the closed form is that of one more layer",
        "dlnrepro.dynamics.one_neuron.motion:closed_form",
        lambda right: lambda strengths, pair, start, depth, times: right(strengths, pair, start, depth + 1, times),
    ),
    "imbalance": Flaw(
        "the imbalances contain a first layer that is 5 % too large",
        "dlnrepro.dynamics.one_neuron.motion:imbalance",
        lambda right: lambda weights: right([1.05 * weights[0], *weights[1:]]),
    ),
    "order": Flaw("the fitted orders in the step size are 0.1 too large", "slope", shifted(0.1)),
    "fit": Flaw("the fitted powers and rates are 5 % too large", "log_slope", scaled(1.05)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then initializations; follow the flow of each run; then descend with all runs at each step size."""
    start, grid = _start(params, generators), decades(params.horizon, DECADES, POINTS)
    target, times = start.target, grid * _time_units(params, start)[:, None]
    gradient = squared_loss_field(target.matrix, params.input_spread)
    flowing = part_of(progress, 0, 0.5, "flow")
    path = flow(start.weights, gradient, times, params.rates, RELATIVE, ABSOLUTE, flowing)
    whole, expected = product(path), start.expected(times)
    error, drift = start.error(whole, expected), start.drift(path)
    strength = torch.linalg.matrix_norm(whole)
    late = (grid >= params.window_start).expand_as(strength)
    sizes, descents = _descents(params, start, part_of(progress, 0.5, 0.5, "descent"))
    orders = {name: slope(sizes.log(), each_run(torch.log, values)) for name, values in descents.items()}
    measures = {
        "closed_form_error": error.amax(-1),
        "descent_order": orders["error"],
        "drift": drift.amax(-1),
        "drift_order": orders["drift"],
        "power": log_slope(each_run(torch.log, times), strength, late),
        "rate_ratio": log_slope(-times, strength, late) / (2 * target.strengths[:, 0]),
        "end_share": strength[:, -1] / start.strength,
        "plain_error": _plain_error(params, start, path, times),
    }
    series = {
        "time": times,
        "strength": strength,
        "closed_form_strength": torch.linalg.matrix_norm(expected),
        "flow_error": error,
        "flow_drift": drift,
        "step_size": sizes,
        "descent_error": descents["error"],
        "descent_drift": descents["drift"],
    }
    return Result(measures, series)


def _start(params: Params, generators: Sequence[Generator]) -> OneNeuronStart:
    """The target, then the initialization, drawn from each run's generator."""
    if params.directions == "drawn":
        start = params.draw(generators)
    else:
        target = params.diagonal_target(generators)
        axes = (params.outputs, params.inputs) if params.directions == "outside-range" else (1, 1)
        pair = axis_pair(target, *axes, -1.0 if params.directions == "anti-aligned" else 1.0)
        start = params.start_from(target, pair, generators)
    return start._replace(weights=unbalanced(start.weights, params.layer_factor))


def _time_units(params: Params, start: OneNeuronStart) -> Tensor:
    """The unit of time of each run, of shape (runs,): 1, or the time in which a collapsing strength falls first.

    It is the inverse of s'/s at the start, divided by the exponent: from u_1 and -v_1 that is 1 / ((L-2) sigma_1
    s^(1-2/L)) with s at most sigma_1, and 1 / sigma_1 for L = 2. Outside the range it is 1 / ((2L-2) s^(2-2/L)).
    """
    first, depth = start.target.strengths[:, 0], params.depth
    if params.directions == "outside-range":
        return 1 / ((2 * depth - 2) * each_run(lambda value: value ** (2 - 2 / depth), start.strength))
    if params.directions == "anti-aligned":
        size = torch.minimum(start.strength, first)
        return 1 / (max(depth - 2, 1) * first * each_run(lambda value: value ** (1 - 2 / depth), size))
    return torch.ones_like(first)


def _plain_error(params: Params, start: OneNeuronStart, path: Weights, times: Tensor) -> Tensor:
    """The larger of the distances of flow and coarsest descent from those of a plain network, of shape (runs,)."""
    plain = PlainNetwork(start.target.matrix, spread_moment(params.inputs, params.input_spread))
    fastest = start.fastest(params.layer_factor, params.input_spread) * max(params.first_rate, 1.0)
    flowing = plain.flow_error(path, times, fastest, params.rates)
    slopes = squared_loss_gradient(start.target.matrix, params.input_spread)
    own = start.weights
    for _ in range(PLAIN_STEPS):
        parts = zip(own, slopes(own), params.rates, strict=True)
        own = [weight - params.step_size * rate * part for weight, part, rate in parts]
    steps = PLAIN_STEPS, PLAIN_STEPS, params.rates
    end = plain.descent(start.weights, params.step_size, *steps, lambda _: None)[-1]
    falling = torch.linalg.matrix_norm(product(own) - plain_product(end))
    return torch.maximum(flowing, falling) / start.target.strengths[:, 0]


def _descents(params: Params, start: OneNeuronStart, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
    """Step sizes (descents,), and largest errors and largest drifts of the descents, each of shape (runs, descents)."""
    horizon = params.descent_horizon
    expected = start.expected(torch.linspace(0, horizon, DESCENT_POINTS + 1, dtype=torch.float64))
    slopes = squared_loss_gradient(start.target.matrix, params.input_spread)

    def gradient(weights: Weights) -> Weights:
        return [rate * part for rate, part in zip(params.rates, slopes(weights), strict=True)]

    def measure(path: Weights) -> Record:
        return {"error": start.error(product(path), expected).amax(-1), "drift": start.drift(path).amax(-1)}

    return params.descents(start.weights, gradient, horizon, measure, progress)
