"""Gradient flow of a deep linear network from an aligned initialization, compared mode by mode with the closed form.

dW_l/dt = -dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_L ... W_1, white inputs (S = I) and
Z = sum_k sigma_k u_k v_k^T. The initialization (start) is balanced and has the singular vectors of Z. W keeps these
vectors, and the value a of each mode follows a' = L a^(2-2/L) (sigma - a). This curve is a sigmoid for two layers, and
it is steeper for deeper networks. The distance of gradient descent from it is proportional to the step size.

Source: Saxe, McClelland and Ganguli 2014 (arXiv:1312.6120); the closed form for every depth is derived in
`dlnrepro.dynamics.modes.learning_curves`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.modes.learning_curves import mode_curves
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.plain import check_flow, data_of, squared_error
from dlnrepro.dynamics.risks.squared_loss import spread_moment, squared_loss_field, squared_loss_gradient
from dlnrepro.dynamics.starts.balanced import draw_mode_strengths, hidden_frames, layers_between, unbalanced
from dlnrepro.dynamics.starts.draws import orthonormal
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.descents import DESCENT_POINTS, HalvedDescents
from dlnrepro.settings.fields import InputSpread, LayerFactor, PositiveRange, Width
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.targets import TargetSettings, at_most_as_many

POINTS = 100
RELATIVE, ABSOLUTE = 1e-10, 1e-14
CHECKED = (5, 25, 45, 65)
"""The recorded times from which the flow is followed a second time, by autograd, up to the next one."""


class Params(TargetSettings, DeepSettings, HalvedDescents):
    """A target, an initialization in its basis or in another one, and the flow and the descents from it."""

    hidden: Width = Field(
        description="n_1 = ... = n_(L-1), the width of the hidden layers: at least the number of modes"
    )
    start: PositiveRange = Field(
        description="range of a(0), the initial value of a mode, which is drawn log-uniformly and lies below all"
        " sigma_k"
    )
    basis: Literal["aligned", "random"] = Field(
        description="singular vectors of the initialization: those of the target (`aligned`), or drawn independently"
        " of it (`random`)"
    )
    layer_factor: LayerFactor
    input_spread: InputSpread
    horizon: float = Field(gt=0, le=10**4, description="time at which the flow and the descents end")

    def contradictions(self) -> Iterable[Contradiction]:
        """More modes than the hidden layers can hold; an initial value that is not below the target."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ["hidden"])
        if self.start[1] >= (weakest := self.strengths[-1] * (1 - self.jitter)):
            yield Contradiction(
                "start", f"a range below {numeral(weakest, 3)}, the smallest strength that can be drawn"
            )

    def numbers(self) -> int:
        """The weights at every recorded time, and the brackets of the closed form."""
        layers = self.hidden * (self.inputs + self.outputs + (self.depth - 2) * self.hidden)
        return (POINTS + DESCENT_POINTS) * 6 * (layers + self.inputs * self.outputs)


MEASURES = {
    "closed_form_error": "largest distance ||W - sum_k a_k(t) u_k v_k^T||_F / sigma_1 of the product W along the flow"
    " from the closed form a_k(t) of its modes k, with sigma_1 the largest singular value of Z, >= 0",
    "descent_order": "order of gradient descent in the step size: slope of the log of its largest distance from the"
    " closed form against the log of the step size",
    "unlearned": "relative distance ||W - Z||_F / sigma_1 of the product W from the target Z at the end of the flow,"
    " with sigma_1 the largest singular value of Z, >= 0",
}

SERIES = {
    "time": Series("time", "time t of the gradient flow"),
    "learned": Series("time", "number of learned modes, sum_k u_k^T W v_k / sigma_k, in the product W"),
    "learned_law": Series("time", "number of learned modes by the closed form, sum_k a_k(t) / sigma_k"),
    "step_size": Series("step_size", "step size eta of gradient descent"),
    "descent_error": Series(
        "step_size",
        "largest distance of gradient descent from the closed form, divided by"
        " sigma_1, the largest singular value of Z",
    ),
}

FLAWS = {
    "curve": Flaw("the closed form is too large by 5 %", "mode_curves", scaled(1.05)),
    "clock": Flaw(
        "the closed form is too fast by 5 %",
        "mode_curves",
        lambda right: lambda strengths, starts, depth, times: right(strengths, starts, depth, 1.05 * times),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets and initializations; follow the flow of each run; then descend with all runs at each step size."""
    target = params.target(generators)
    starts, weights = _start(params, target, generators)
    strengths, unit = target.strengths, target.strengths[:, :1]
    times, later = (torch.linspace(0, params.horizon, n, dtype=torch.float64) for n in (POINTS, DESCENT_POINTS + 1))
    curves, expected = (mode_curves(strengths, starts, params.formula_depth, grid) for grid in (times, later))

    def error(products: Tensor, curves: Tensor) -> Tensor:
        largest: Tensor = (torch.linalg.matrix_norm(products - target.with_strengths(curves)) / unit).amax(-1)
        return largest

    gradient = squared_loss_field(target.matrix, params.input_spread)
    rates = [1.0] * params.depth
    layers = flow(weights, gradient, times, rates, RELATIVE, ABSOLUTE, part_of(progress, 0, 0.5))
    _check(params, target, layers, times)
    path = product(layers)
    slopes = squared_loss_gradient(target.matrix, params.input_spread)
    sizes, descents = params.descents(
        weights,
        slopes,
        params.horizon,
        lambda layers: {"error": error(product(layers), expected)},
        part_of(progress, 0.5, 0.5, "descent"),
    )
    measures = {
        "closed_form_error": error(path, curves),
        "descent_order": slope(sizes.log(), each_run(torch.log, descents["error"])),
        "unlearned": torch.linalg.matrix_norm(path[:, -1] - target.matrix) / unit[:, 0],
    }
    series = {
        "time": times,
        "learned": (target.carried(path) / strengths[:, None]).sum(-1),
        "learned_law": (curves / strengths[:, None]).sum(-1),
        "step_size": sizes,
        "descent_error": descents["error"],
    }
    return Result(measures, series)


def _check(params: Params, target: Target, layers: Sequence[Tensor], times: Tensor) -> None:
    """Follow the flow a second time, by steps of at most 0.03 over the largest rate of an aligned mode."""
    moment = torch.diag(spread_moment(params.inputs, params.input_spread)).expand(len(target.left), -1, -1)
    loss = squared_error(*(part[:, None] for part in data_of(moment, target.matrix)))
    rate = params.depth * params.strengths[0] ** (2 - 2 / params.depth) * params.input_spread
    factor = max(params.layer_factor, 1 / params.layer_factor) ** 2
    steps = math.ceil(rate * factor * params.horizon / (POINTS - 1) / 0.03)
    check_flow(layers, times, CHECKED, loss, min(max(steps, 10), 400), 1e-6)


def _start(params: Params, target: Target, generators: Sequence[Generator]) -> tuple[Tensor, list[Tensor]]:
    """The initial values of the modes, then balanced layers in the basis of the target or in another one."""
    modes = len(params.strengths)
    starts = draw_mode_strengths(*params.start, modes, generators)
    frames = hidden_frames([params.hidden] * (params.depth - 1), modes, generators)
    left, right = target.left[..., :modes], target.right[..., :modes]
    if params.basis == "random":
        left, right = orthonormal(params.outputs, modes, generators), orthonormal(params.inputs, modes, generators)
    return starts, unbalanced(layers_between([right, *frames, left], starts), params.layer_factor)
