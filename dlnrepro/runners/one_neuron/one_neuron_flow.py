"""Gradient flow of a linear network with a one-neuron layer, and gradient descent, compared with the closed form.

dW_l/dt = -c_l dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_L ... W_1: the squared loss on inputs of second
moment S (white: S = I), Z = Y X^T. From a balanced start (initialization) W = s u v^T the product follows a closed
form, and the imbalances are conserved. From u = u_1, v = -v_1 the strength collapses: as e^(-2 sigma_1 t) for L = 2, as
t^(-L/(L-2)) for L >= 3; from u and v outside the range of Z, as t^(-L/(2L-2)) for every L. The distance of gradient
descent from both is proportional to the step size.

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
from dlnrepro.dynamics.one_neuron.start import axis_pair
from dlnrepro.dynamics.risks.squared_loss import squared_loss_field, squared_loss_gradient
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.tensors.records import Record, decades
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.descents import DESCENT_POINTS, HalvedDescents
from dlnrepro.settings.fields import InputSpread, LayerFactor, Range
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.one_neuron import OneNeuronSettings

POINTS, DECADES = 120, 6
MOST_STEPS = 1e7
RELATIVE, ABSOLUTE = 1e-11, 1e-15


class Params(OneNeuronSettings, HalvedDescents):
    """Directions of the start, the hypotheses that may be broken, the flow, and the descents from the same start."""

    directions: Literal["drawn", "anti-aligned", "aligned", "outside-range"] = Field(
        description="u and v at the start: drawn, in a random basis of the target; or, in the basis of unit vectors,"
        " u = u_1 and v = -v_1 (anti-aligned), u = u_1 and v = v_1 (aligned), or u and v that Z maps to 0"
    )
    overlap: Range = Field(description="for `directions: drawn`: range of u^T Z v / sigma_2 at the start")
    layer_factor: LayerFactor
    input_spread: InputSpread
    first_rate: float = Field(gt=0, le=100, description="c_1, the learning rate of W_1; the other layers have 1")
    horizon: float = Field(gt=0, le=10**6, description="time to which the flow is followed")
    window_start: float = Field(gt=0, le=10**6, description="time from which power and rate of the flow are fitted")
    descent_horizon: float = Field(gt=0, le=1000, description="time of the descents, step size times number of steps")

    def contradictions(self) -> Iterable[Contradiction]:
        """Directions that the target does not leave free, a window without times, and descents that take too long."""
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
        """c_1 .. c_L."""
        return [self.first_rate, *[1.0] * (self.depth - 1)]

    def numbers(self) -> int:
        """The weights and products at every recorded time of the flow and of one descent."""
        return (POINTS + DESCENT_POINTS) * 4 * self.entries

    def memory(self, runs: int) -> int:
        """What the runs hold, and the panels of the closed form, which is evaluated for one run after another."""
        return super().memory(runs) + 10**8


MEASURES = {
    "closed_form_error": "largest ||W - W_closed||_F / sigma_1 along the flow, >= 0",
    "descent_order": "slope of the log of the descents' largest ||W - W_closed||_F against the log of the step size",
    "drift": "largest ||change of W_{l+1}^T W_{l+1} - W_l W_l^T||_F along the flow, over sigma_1^(2/L), >= 0",
    "drift_order": "slope of the log of the descents' drift against the log of the step size",
    "power": "d log ||W||_F / d log t along the flow from window_start on",
    "rate_ratio": "-d log ||W||_F / dt along the flow from window_start on, over 2 sigma_1",
    "end_strength": "||W||_F / sigma_1 at the end of the flow, >= 0",
}

SERIES = {
    "time": Series("time", "time along the flow"),
    "strength": Series("time", "||W||_F"),
    "closed_form_strength": Series("time", "s of the closed form"),
    "flow_error": Series("time", "||W - W_closed||_F / sigma_1 along the flow"),
    "flow_drift": Series("time", "the drift along the flow, over sigma_1^(2/L)"),
    "step_size": Series("step_size", "eta of each descent"),
    "descent_error": Series("step_size", "largest ||W - W_closed||_F / sigma_1 along each descent"),
    "descent_drift": Series("step_size", "largest drift along each descent, over sigma_1^(2/L)"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run; then descend with all runs at each step size."""
    start = _start(params, generators)
    target, times = start.target, decades(params.horizon, DECADES, POINTS)
    gradient = squared_loss_field(target.matrix, params.input_spread)
    flowing = part_of(progress, 0, 0.5, "flow")
    path = flow(start.weights, gradient, times, params.rates, RELATIVE, ABSOLUTE, flowing)
    whole, expected = product(path), start.expected(times)
    error, drift = start.error(whole, expected), start.drift(path)
    strength = torch.linalg.matrix_norm(whole)
    late = (times >= params.window_start).expand_as(strength)
    sizes, descents = _descents(params, start, part_of(progress, 0.5, 0.5, "descent"))
    orders = {name: slope(sizes.log(), each_run(torch.log, values)) for name, values in descents.items()}
    measures = {
        "closed_form_error": error.amax(-1),
        "descent_order": orders["error"],
        "drift": drift.amax(-1),
        "drift_order": orders["drift"],
        "power": log_slope(times.log().expand_as(strength), strength, late),
        "rate_ratio": log_slope(-times.expand_as(strength), strength, late) / (2 * target.strengths[:, 0]),
        "end_strength": strength[:, -1] / target.strengths[:, 0],
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
    """The target, then the start, drawn from each run's generator."""
    if params.directions == "drawn":
        start = params.draw(generators)
    else:
        target = params.diagonal_target(generators)
        axes = (params.outputs, params.inputs) if params.directions == "outside-range" else (1, 1)
        pair = axis_pair(target, *axes, -1.0 if params.directions == "anti-aligned" else 1.0)
        start = params.start_from(target, pair, generators)
    return start._replace(weights=unbalanced(start.weights, params.layer_factor))


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
