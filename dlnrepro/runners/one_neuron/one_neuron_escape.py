"""Gradient flow of a linear network with a one-neuron layer: how long does it stay near a saddle?

The flow is dW_l/dt = -dR/dW_l with R = 1/2 ||W_L ... W_1 - Z||_F^2 and the target Z = sum_k sigma_k u_k v_k^T. It is
followed from several balanced initializations (starts) W = s u v^T, each at a smaller distance x from a saddle:

* `small`: s = x, next to the saddle W = 0;
* `saddle`: u and v have the component x along mode 1, and lie next to the stable manifold of sigma_2 u_2 v_2^T;
* `opposed`: u = u_1 and v = -v_1, tilted by x, next to the directions from which W collapses to zero.

The escape time (called `delay` in names) is the time at which W has half of mode 1, u_1^T W v_1 = sigma_1 / 2. It is 0
for an initialization that has as much already. Theory: in the limit x -> 0 it grows as ln(1/x) or as a power of 1/x,
which depends on the approach and on the depth. The distances of a run are multiples of a unit that its draw sets, below
which the limit is reached.

Three routes lead to the escape time: the solver of the flow of all layers, the closed form of the product, and the law.
At a few steps of the solver its velocities are compared with the gradients of a plain network by autograd.

Source: the laws are derived in `dlnrepro.dynamics.one_neuron.delays`, in the setting of Eftekhari 2020
(arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761), which write N for the depth L.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.approaches import approaching_pairs
from dlnrepro.dynamics.one_neuron.closed_form import half_mode_time
from dlnrepro.dynamics.one_neuron.delays import (
    Approach,
    crowding,
    delay_power,
    delay_slope,
    log_delays,
    predicted_delays,
    small_start_ratio,
)
from dlnrepro.dynamics.one_neuron.first_passage import STATES, Passages, half_mode_times
from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.plain import PlainNetwork, gradient_unit, layer_distance
from dlnrepro.dynamics.one_neuron.start import rank_one_layers
from dlnrepro.dynamics.risks.squared_loss import spread_moment
from dlnrepro.dynamics.starts.balanced import draw_strength, hidden_frames, unbalanced
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.fields import (
    FALLING,
    FROM_LIST,
    LawDepth,
    LayerFactor,
    PositiveRange,
    Range,
    SeveralStrengths,
    same_or_whole,
)
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.one_neuron import OneNeuronSettings

RELATIVE, ABSOLUTE, RESTING = 1e-6, 1e-25, 1e-14

Scale = Annotated[float, Field(gt=0, le=1)]


class Params(OneNeuronSettings, DeepSettings):
    """Initializations at falling distances x from a saddle, and how long the flow is followed from each."""

    strengths: SeveralStrengths
    approach: Approach = Field(
        description="initializations W = s u v^T at the distance x from a saddle: `small` has drawn directions and s ="
        " x; `saddle` has directions without the first `missing` modes, to which the component x along mode 1 is added;"
        " `opposed` has u = u_1 and v = -v_1, tilted by x / 2 and x into mode 2, and less into every other mode"
    )
    missing: int = Field(
        ge=0,
        le=1,
        description="for `approach: saddle`: how many of the first modes of Z the directions lack; if it is 0, the"
        " network does not stay near the saddle",
    )
    sign: Literal[-1, 1] = Field(
        description="for `approach: opposed`: the sign of v; with 1 the directions are aligned with mode 1, and the"
        " network does not stay near zero"
    )
    overlap: Range = Field(
        description="for `approach: small` and `saddle`: range of u^T Z v / sigma_2 in which u and v are drawn"
    )
    start: PositiveRange = Field(
        description="for `approach: saddle` and `opposed`: range of the initial strength s, which is drawn"
        " log-uniformly"
    )
    layer_factor: LayerFactor
    scales: Annotated[tuple[Scale, ...], FROM_LIST, FALLING] = Field(
        min_length=2,
        max_length=12,
        description="distances x from the saddle, which fall strictly; for `approach: saddle`, and for `small` with two"
        " layers, in units of the distance below which the modes that the law neglects have died out in time",
    )
    horizon: float = Field(gt=0, le=1e15, description="time t at which a network that has not escaped is given up")
    law_depth: Annotated[LawDepth, same_or_whole(2, 8)]

    def numbers(self) -> int:
        """The weights at all distances x, and copies of them for the solver."""
        return len(self.scales) * 8 * self.entries


MEASURES = {
    "slope_ratio": "fitted over predicted slope of the escape time t against ln(1/x), x the distance from the saddle; "
    "NaN if a power of x is predicted",
    "power": "fitted exponent p of the escape time t ~ (1/x)^p, x the distance from the saddle; 0 if t is 0 at every x",
    "power_error": "fitted minus predicted exponent p of the escape time t ~ (1/x)^p, x the distance from the saddle",
    "factor_ratio": "escape time over its law K x^(-(L-2)/L) at the smallest x of small initializations, with L = "
    "law_depth; NaN if L = 2, where K is infinite, and for every other approach",
    "time_ratio": "escape time at the largest x, found by the solver, over that of the closed form; NaN if both are 0",
    "gradient_error": "largest distance between a velocity of the solver and minus the gradient by autograd, at a few "
    "steps from every x, over sigma_1 (sum_l ||W_l||_F^2 / L)^((L-1)/2), >= 0",
    "crowding": "for opposed directions: size of the modes that the law neglects, relative to those that it keeps, "
    "at the largest x, >= 0; 0 for every other approach",
    "least_overlap": "overlap |u_1^T u + v_1^T v| / 2 of the initial directions with mode 1 at the smallest x, >= 0",
    "least_scale": "smallest distance x of the run from the saddle, > 0",
    "start_distance": "distance of the initial product W from the best rank-one matrix Z_(1) at the smallest x, "
    "||W - Z_(1)||_F / sigma_1, >= 0",
}

SERIES = {
    "scale": Series("scale", "distance x of the initialization from the saddle"),
    "delay": Series("scale", "escape time, at which u_1^T W v_1 reaches sigma_1 / 2; 0 if it is there at the start"),
    "predicted_delay": Series(
        "scale", "escape time by the predicted law, through the measured escape time at the smallest x"
    ),
}

FLAWS = {
    "slope": Flaw("the predicted slope is 5 % too large", "delay_slope", scaled(1.05)),
    "exponent": Flaw("the predicted exponent is 0.1 too large", "delay_power", shifted(0.1)),
    "constant": Flaw(
        "the constant K is 5 % too large", "dlnrepro.dynamics.one_neuron.delays:small_start_factor", scaled(1.05)
    ),
    "fit": Flaw("the fitted slopes and exponents are 5 % too large", "slope", scaled(1.05)),
    "target": Flaw(
        "gradient flow has a target that is 5 % too large",
        "dlnrepro.dynamics.one_neuron.first_passage:squared_loss_field",
        lambda right: lambda target, spread: right(1.05 * target, spread),
    ),
    "loss": Flaw(
        "gradient flow follows another loss, whose gradient is that of the squared loss, cubed entry by entry",
        "dlnrepro.dynamics.one_neuron.first_passage:squared_loss_field",
        lambda right: lambda target, spread: lambda run, whole: right(target, spread)(run, whole) ** 3,
    ),
    "closed-form": Flaw("the escape times of the closed form are 1 % too large", "half_mode_time", scaled(1.01)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then initializations; follow the flow of each run from each distance x until it has escaped."""
    starts, scales = _starts(params, generators)
    count, depth = len(starts), params.formula_depth
    target, pair, _, weights = starts[-1]
    strengths, ways = target.strengths, []
    for index, start in enumerate(starts):
        part = part_of(progress, index / count, 1 / count, f"distance {index + 1} of {count}")
        absolute = _tolerances(params.approach, start.weights, scales[:, index])
        ways.append(half_mode_times(start.weights, target, params.horizon, RELATIVE, absolute, part))
    delays, logs = torch.stack([way.times for way in ways], -1), -each_run(torch.log, scales)
    power, slopes = slope(logs, log_delays(delays)), delay_slope(params.approach, strengths, depth)
    ratio, crowd = torch.full_like(power, torch.nan), torch.zeros_like(power)
    if params.approach == "small":
        ratio = small_start_ratio(strengths, pair, depth, scales[:, -1], delays[:, -1])
    if params.approach == "opposed":
        crowd = crowding(strengths, starts[0].pair, params.depth)
    measures = {
        "slope_ratio": torch.where(torch.isfinite(slopes), slope(logs, delays) / slopes, torch.nan),
        "power": power,
        "power_error": power - delay_power(params.approach, strengths, depth),
        "factor_ratio": ratio,
        "time_ratio": delays[:, 0] / half_mode_time(strengths, starts[0].pair, starts[0].strength, params.depth),
        "gradient_error": torch.stack([_gradient_error(way, target) for way in ways]).amax(0),
        "crowding": crowd,
        "least_overlap": (pair.left[:, 0] + pair.right[:, 0]).abs() / 2,
        "least_scale": scales[:, -1],
        "start_distance": torch.linalg.matrix_norm(product(weights) - target.best_rank_one) / strengths[:, 0],
    }
    predicted = predicted_delays(params.approach, strengths, depth, scales, delays)
    return Result(measures, {"scale": scales, "delay": delays, "predicted_delay": predicted})


def _tolerances(approach: Approach, weights: Sequence[Tensor], scales: Tensor) -> list[Tensor]:
    """The absolute tolerance of the solver on every weight, in the shapes of the weights.

    Next to a saddle only the weights of mode 1 are as small as x. The weights of other modes get a tolerance above
    rounding, which would shorten the steps without end in weights that have died out.
    """
    smallest = (RELATIVE * scales).clamp_max(ABSOLUTE)[:, None, None]
    if approach != "saddle":
        return [smallest.expand_as(weight) for weight in weights]
    bounds = [torch.full_like(weight, RESTING) for weight in weights]
    bounds[0][..., :1], bounds[-1][..., :1, :] = smallest, smallest
    return bounds


def _gradient_error(way: Passages, target: Target) -> Tensor:
    """The largest difference between the velocities on the way and those by autograd, of shape (runs,)."""
    plain = PlainNetwork(target.matrix, spread_moment(target.right.shape[-1], 1.0))
    errors = []
    for index in range(STATES):
        weights = [layer[:, index] for layer in way.weights]
        slopes = [-layer[:, index] for layer in way.velocities]
        distance = layer_distance(slopes, plain.gradients(weights))
        errors.append(distance / gradient_unit(weights, target.strengths[:, 0]))
    return torch.stack(errors).amax(0)


def _starts(params: Params, generators: Sequence[Generator]) -> tuple[list[OneNeuronStart], Tensor]:
    """The initialization at every distance x, which differ in x only, and x, of shape (runs, distances).

    Targets, directions, strengths, and hidden directions are drawn in this order.
    """
    small, factor = params.approach == "small", params.layer_factor
    target = params.target(generators) if small else params.diagonal_target(generators)
    saddle = params.missing, params.sign, params.overlap
    pairs, scales = approaching_pairs(params.approach, target, params.formula_depth, params.scales, *saddle, generators)
    drawn = draw_strength(*params.start, generators)
    frames = hidden_frames(params.widths[1:-1], 1, generators)
    starts = []
    for scale, pair in zip(scales.unbind(-1), pairs, strict=True):
        strength = scale if small else drawn
        weights = unbalanced(rank_one_layers(target, pair, strength, frames), factor)
        starts.append(OneNeuronStart(target, pair, strength, weights))
    return starts, scales
