"""Inference by predictive coding in linear networks: where does it converge, how fast, and is that back-propagation?

The weights are fixed. Activities h and multipliers m take the steps of `dynamics.predictive_coding.network`, from a
forward pass with multipliers 0 or from random values. At the end the credit c_i = m_i + rho r_i of every layer, with
the residual r_i, is compared with -delta_i (delta_i is the adjoint of back-propagation), and the updates of the weights
with the gradients of back-propagation, which automatic differentiation gives. One step of the inference is compared
with automatic differentiation of the augmented Lagrangian, too. Theory: if one step has a spectral radius
below 1, multipliers tend to -delta_i and activities to a forward pass from any initial state, at the rate of that
radius. Without multipliers (dual_step 0) the credit tends to that of the rescaled error S^-1 (W_L ... W_1 x - y).

Source: Seely, Gould 2026 (arXiv:2605.31022); formulas in `dlnrepro.dynamics.predictive_coding.closed_forms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.lines import exponential_line, last_inside
from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.fits.sweeps import largest_from_here_on
from dlnrepro.dynamics.predictive_coding.by_autograd import backprop_gradients
from dlnrepro.dynamics.predictive_coding.closed_forms import (
    backprop_adjoints,
    plain_equilibrium_credit,
    stability_limit_with_loss,
)
from dlnrepro.dynamics.predictive_coding.credit_paths import CreditPath, credit_path
from dlnrepro.dynamics.predictive_coding.iteration import spectral_radius
from dlnrepro.dynamics.predictive_coding.network import (
    Network,
    Rule,
    credit,
    distance,
    forward,
    largest_distance,
    random_state,
    rest,
    step,
    update_cosine,
    weight_gradients,
)
from dlnrepro.dynamics.predictive_coding.two_routes import route_error
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Flaw, Progress, Result, Series, negated, scaled
from dlnrepro.settings.fields import DrawnAboveZero
from dlnrepro.settings.predictive_coding import Inputs, Leak, PredictiveCodingSettings, Samples

RECORDS = 1000
THINNING = 5
WINDOW = (1e-13, 1e-7)


class Params(PredictiveCodingSettings):
    """A network, its inference, and the initial state of the inference."""

    depth: int = Field(ge=3, le=64, description="depth L, the number of weight matrices")
    inputs: Inputs
    samples: Samples
    leak: Leak
    step_ratio: DrawnAboveZero = Field(
        description="step size eta of the activities, relative to the largest stable one: a number, or a range"
        " [low, high] from which each run draws"
    )
    start: Literal["forward", "random"] = Field(
        description="initial state: the activities of a forward pass with multipliers 0 (`forward`), or standard normal"
        " activities and multipliers (`random`)"
    )
    steps: int = Field(ge=1, le=10**6, description="number of steps of activities and multipliers")

    def numbers(self) -> int:
        """The states with temporary copies, the records, and the matrix of one step with its eigenvalues."""
        state = (self.depth - 1) * self.hidden
        return 20 * state * self.samples + 12 * (2 * state) ** 2 + 4 * RECORDS


MEASURES = {
    "gradient_error": "largest ||g - g*||_F / ||g*||_F over the weight matrices, where g is the update at the end and"
    " g* the gradient of back-propagation, >= 0",
    "gradient_cosine": "cosine between the updates of all weights together and the gradients of back-propagation, in"
    " [-1, 1]",
    "multiplier_error": "largest ||m_i + delta_i||_F / ||delta_i||_F over the layers i at the end, where m_i is the"
    " multiplier and delta_i the adjoint of back-propagation, >= 0",
    "activity_error": "largest relative distance of a layer's activities at the end from those of a forward pass, >= 0",
    "plain_credit_error": "largest relative distance of a layer's credit at the end from its credit at the"
    " equilibrium of plain predictive coding, >= 0",
    "rate_ratio": "fitted rate of convergence per step, divided by -ln(spectral radius); the fit uses the largest"
    " distance ||c + delta||_F / ||delta||_F at this or a later step, while it lies in [1e-13, 1e-7], with the credit"
    " c and the adjoint delta; if it never lies there, the fit uses the second half of the steps",
    "spectral_radius": "spectral radius of one step (the largest |eigenvalue|), of the activities alone if"
    " `dual_step` is 0, >= 0",
    "last_move": "relative change ||h(T+1) - h(T)||_F / ||h(T)||_F of the activities h in one more step after the"
    " last step T, >= 0",
    "predicted_decay": "spectral radius of one step to the power of the number of steps: the factor by which the"
    " distance from the equilibrium falls up to a constant, in [0, 1]; 1 if the radius exceeds 1",
    "route_error": "largest relative distance of an early step of inference, of the updates after it and of the"
    " adjoints of back-propagation from those of automatic differentiation, >= 0",
}

SERIES = {
    "step": Series("step", "number of inference steps"),
    "credit_distance": Series(
        "step",
        "relative distance ||c + delta||_F / ||delta||_F of the credit c from that of back-propagation, -delta",
    ),
    "plain_distance": Series(
        "step",
        "relative distance of the credit from the equilibrium of plain predictive coding",
    ),
    "predicted_distance": Series(
        "step",
        "predicted distance: the spectral radius to the power of the number of steps, through the end of the fitted"
        " window",
    ),
}

_NETWORK = "dlnrepro.dynamics.predictive_coding.network"

FLAWS = {
    "adjoints": Flaw("the predicted multipliers are too large by 5 %", "backprop_adjoints", scaled(1.05)),
    "sign": Flaw("the predicted multipliers have the opposite sign", "backprop_adjoints", negated),
    "updates": Flaw(
        "the updates of the hidden layers use the activities above them instead of those below",
        "weight_gradients",
        lambda right: (
            lambda chain, activities, signal: [
                *right(chain, activities, signal)[:1],
                -signal[:, 1:] @ activities[:, 1:].mT,
                *right(chain, activities, signal)[2:],
            ]
        ),
    ),
    "updates-times-three": Flaw(
        "the updates of the hidden layers are three times too large",
        "weight_gradients",
        lambda right: lambda *given: [(3 if layer == 1 else 1) * part for layer, part in enumerate(right(*given))],
    ),
    "residuals": Flaw("the residuals of all layers are 5 % too large", f"{_NETWORK}:residuals", scaled(1.05)),
    "loss": Flaw("the error of the output is 5 % too large", f"{_NETWORK}:output_error", scaled(1.05)),
    "forward": Flaw("the predicted activities are too large by 5 %", "forward", scaled(1.05)),
    "rate": Flaw(
        "the predicted rate of convergence is too large by a fifth",
        "spectral_radius",
        lambda right: lambda *given: right(*given) ** 1.2,
    ),
    "plain": Flaw(
        "the predicted credit of plain predictive coding is too large by 5 %", "plain_equilibrium_credit", scaled(1.05)
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw networks, data and initial states; take the steps of all runs together; measure credit, updates and rate."""
    chain = params.network(params.depth, params.inputs, params.samples, generators)
    start = rest(chain) if params.start == "forward" else random_state(chain, generators)
    penalty, dual_step, formula = params.constants(generators)
    ratio = uniform((), *params.step_ratio, generators)
    rule = Rule(ratio * stability_limit_with_loss(chain, penalty, dual_step), penalty, dual_step, params.leak)
    target, plain = -backprop_adjoints(chain), plain_equilibrium_credit(chain, penalty)
    every = max(1, params.steps // RECORDS)
    path = credit_path(chain, start, rule, params.steps, every, [target, plain], progress)
    exact_distance, plain_distance = path.distances
    # The distance oscillates with the modes; the level below which it stays from a step on is smooth.
    envelope = largest_from_here_on(exact_distance)
    inside = _fitted(envelope)
    rates = each_run(torch.log, spectral_radius(chain, replace(rule, dual_step=formula)))
    measures = {
        **_distances(chain, path, rule, target, plain),
        "rate_ratio": log_slope(-path.steps.expand_as(envelope), envelope, inside) / -rates,
    }
    series = {
        "step": path.steps,
        "credit_distance": exact_distance,
        "plain_distance": plain_distance,
        "predicted_distance": exponential_line(path.steps, envelope, rates, last_inside(inside)),
    }
    radius = spectral_radius(chain, rule)
    measures |= {
        "spectral_radius": radius,
        "predicted_decay": each_run(lambda one: one.clamp_max(1) ** params.steps, radius),
    }
    return Result(measures, {name: values[..., ::THINNING] for name, values in series.items()})


def _fitted(envelope: Tensor) -> Tensor:
    """The records in the window of the fit; for a run without any, those of the second half of the steps."""
    inside = (envelope > WINDOW[0]) & (envelope < WINDOW[1])
    late = torch.arange(envelope.shape[-1]) >= envelope.shape[-1] // 2
    return torch.where(inside.any(-1, keepdim=True), inside, late)


def _distances(chain: Network, path: CreditPath, rule: Rule, target: Tensor, plain: Tensor) -> dict[str, Tensor]:
    """The measures that compare the end of inference, and one early step, with what theory and autograd say."""
    end, signal = path.end, credit(chain, path.end, rule.penalty)
    updates, wanted = weight_gradients(chain, end.activities, signal), backprop_gradients(chain)
    errors = [largest_distance(*pair) for pair in zip(updates, wanted, strict=True)]
    after = path.taken.after
    early = weight_gradients(chain, after.activities, credit(chain, after, rule.penalty))
    return {
        "gradient_error": torch.stack(errors).amax(0),
        "gradient_cosine": update_cosine(updates, wanted),
        "multiplier_error": largest_distance(end.multipliers, target),
        "activity_error": largest_distance(end.activities, forward(chain)),
        "plain_credit_error": largest_distance(signal, plain),
        "last_move": distance(step(chain, end, rule).activities, end.activities),
        "route_error": route_error(chain, path.taken, rule, early, -target),
    }
