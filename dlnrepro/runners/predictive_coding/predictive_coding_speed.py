"""How long credit takes to reach the first layer of deeper and deeper linear networks, with and without multipliers.

For each depth a network is drawn, and inference starts at the activities of a forward pass with multipliers 0. It takes
the steps of `dynamics.predictive_coding.network` until the first layer's credit c_1 has grown to a share of its target
c*, measured along the target: <c_1, c*> = share ||c*||^2. The target is the credit to which the iteration tends: with
multipliers -delta_1, where delta_1 is the adjoint of back-propagation, and without them the equilibrium of plain
predictive coding. Theory: with multipliers credit travels as a wave, at sqrt(alpha eta) layers per step. Without them
it diffuses, and the time grows as L^2. The last step of the budget is compared with automatic differentiation.

Source: Seely, Gould 2026 (arXiv:2605.31022); the speed is derived in `dynamics.predictive_coding.closed_forms`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.predictive_coding.arrival import first_layer_arrival
from dlnrepro.dynamics.predictive_coding.by_autograd import backprop_gradients
from dlnrepro.dynamics.predictive_coding.closed_forms import (
    backprop_adjoints,
    credit_speed,
    plain_equilibrium_credit,
    stability_limit_with_loss,
)
from dlnrepro.dynamics.predictive_coding.network import (
    Network,
    Rule,
    along,
    credit,
    distance_from_identity,
    update_cosine,
    weight_gradients,
)
from dlnrepro.dynamics.predictive_coding.two_routes import route_error
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, RISING, DrawnAboveZero, Share
from dlnrepro.settings.predictive_coding import Inputs, Leak, PredictiveCodingSettings, Samples

SeveralLayers = Annotated[int, Field(ge=3, le=128)]


class Params(PredictiveCodingSettings):
    """Networks of several depths, their inference, and when credit counts as arrived."""

    depths: Annotated[tuple[SeveralLayers, ...], FROM_LIST, RISING] = Field(
        min_length=2, max_length=16, description="the depths L (numbers of weight matrices), which rise strictly"
    )
    inputs: Inputs
    samples: Samples
    step_size: DrawnAboveZero = Field(
        description="step size eta of the activities, the same at every depth: a number, or a range [low, high] from"
        " which each run draws"
    )
    leak: Leak
    share: Share = Field(description="share of its target at which the credit of the first layer has arrived")
    passes: int = Field(ge=1, le=100, description="steps per layer in the budget, which is passes x L steps")
    most_steps: int = Field(
        ge=1, le=10**6, description="number of steps after which inference ends, even if credit has not arrived"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Too few steps for the budget of the deepest network."""
        yield from super().contradictions()
        if (budget := self.passes * self.depths[-1]) > self.most_steps:
            yield Contradiction("most_steps", f"at least {budget}, the budget of the deepest network")

    def numbers(self) -> int:
        """The layers of the deepest network, and its states with temporary copies."""
        return self.depths[-1] * self.hidden * (4 * self.hidden + 24 * self.samples)


MEASURES = {
    "arrival_exponent": "power of the depth L in the time of arrival, the number of steps until the credit of the"
    " first layer has grown to `share` of its target: least-squares slope of the log of the time against log L, > 0",
    "pace_ratio": "steps per layer (the slope of the time of arrival against the depth L), times the predicted speed"
    " sqrt(alpha eta) in layers per step, >= 0",
    "latest_arrival": "time of arrival of credit at the first layer, at the largest depth, in steps",
    "budget_cosine": "cosine between the updates of all weights of the deepest network after the budget (`passes`"
    " steps per layer) and the gradients of back-propagation, in [-1, 1]",
    "budget_first_norm": "Frobenius norm of the first layer's update in the deepest network after the budget"
    " (`passes` steps per layer), divided by that of its gradient of back-propagation, >= 0",
    "skip_distance": "sqrt(sum_l ||W_l - I||_F^2 / n) over the hidden layers W_l of the deepest network, where n is the"
    " width, >= 0; it does not depend on the depth for identity skips, and grows as its square root without them",
    "step_ratio": "step size eta divided by the largest stable one, in the network with the fewest layers, > 0",
    "route_error": "largest relative distance of the last step of the budget, of the updates after it and of the"
    " adjoints of back-propagation from those of automatic differentiation, over the depths, >= 0",
}

SERIES = {
    "depth": Series("depth", "depth L, the number of layers"),
    "arrival": Series("depth", "time of arrival: steps until credit arrives at the first layer"),
    "predicted_arrival": Series(
        "depth",
        "predicted steps L / sqrt(alpha eta), with the alpha of the formula; 0 if alpha is 0",
    ),
    "layer": Series("layer", "number i of the layer divided by the depth L, in the deepest network"),
    "credit_after_budget": Series(
        "layer",
        "credit c_i after the budget of steps, along that of back-propagation, <c_i, -delta_i> / ||delta_i||^2, with"
        " the adjoint delta_i",
    ),
}

_NETWORK = "dlnrepro.dynamics.predictive_coding.network"

FLAWS = {
    "speed": Flaw("the predicted speed is too large by a quarter", "credit_speed", scaled(1.25)),
    "longer": Flaw(
        "the time of arrival is its own power 1.2, so that it grows with a larger power of the depth",
        "first_layer_arrival",
        lambda right: lambda *given: (found := right(*given))._replace(time=found.time**1.2),
    ),
    "shorter": Flaw(
        "the time of arrival is its own power 0.7, so that it grows with a smaller power of the depth",
        "first_layer_arrival",
        lambda right: lambda *given: (found := right(*given))._replace(time=found.time**0.7),
    ),
    "residuals": Flaw("the residuals of all layers are 5 % too large", f"{_NETWORK}:residuals", scaled(1.05)),
    "updates": Flaw(
        "the updates of the hidden layers are three times too large",
        "weight_gradients",
        lambda right: lambda *given: [(3 if layer == 1 else 1) * part for layer, part in enumerate(right(*given))],
    ),
    "adjoints": Flaw("the adjoints are too large by 5 %", "backprop_adjoints", scaled(1.05)),
}


class Crossing(NamedTuple):
    """The measurements at one depth.

    Attributes:
        chain: the network.
        time: number of steps until credit has arrived, of shape (runs,).
        cosine: between all updates after the budget and the gradients of back-propagation, of shape (runs,).
        first_norm: norm of the first layer's update over that of its gradient of back-propagation, of shape (runs,).
        profile: credit of each layer after the budget, along the credit of back-propagation, of shape (runs, L-1).
        error: distance between the two routes, of shape (runs,).
    """

    chain: Network
    time: Tensor
    cosine: Tensor
    first_norm: Tensor
    profile: Tensor
    error: Tensor


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Send credit through networks of every depth, one depth after another, and fit its times of arrival."""
    penalty, dual_step, formula = params.constants(generators)
    rule = Rule(uniform((), *params.step_size, generators), penalty, dual_step, params.leak)
    found = [
        _at_depth(params, depth, rule, generators, _within(params.depths, depth, progress)) for depth in params.depths
    ]
    times, deepest = torch.stack([one.time for one in found], -1), found[-1]
    depths = torch.tensor(params.depths, dtype=torch.float64)
    speed = credit_speed(rule.step_size, formula)
    return Result(
        {
            "arrival_exponent": each_run(lambda row: slope(depths.log(), row.log()), times),
            "pace_ratio": each_run(lambda row: slope(depths, row), times) * speed,
            "latest_arrival": deepest.time,
            "budget_cosine": deepest.cosine,
            "budget_first_norm": deepest.first_norm,
            "skip_distance": distance_from_identity(deepest.chain),
            "step_ratio": rule.step_size / stability_limit_with_loss(found[0].chain, penalty, dual_step),
            "route_error": torch.stack([one.error for one in found]).amax(0),
        },
        {
            "depth": depths,
            "arrival": times,
            "predicted_arrival": torch.where(speed[:, None] > 0, depths / speed[:, None], 0.0),
            "layer": torch.arange(1, params.depths[-1], dtype=torch.float64) / params.depths[-1],
            "credit_after_budget": deepest.profile,
        },
    )


def _at_depth(params: Params, depth: int, rule: Rule, generators: Sequence[Generator], progress: Progress) -> Crossing:
    """Draw networks of one depth, take steps until credit has arrived in all runs, and measure it after the budget."""
    chain = params.network(depth, params.inputs, params.samples, generators)
    adjoints, budget = backprop_adjoints(chain), params.passes * depth
    target = plain_equilibrium_credit(chain, rule.penalty) if rule.plain else -adjoints
    time, spent = first_layer_arrival(chain, target[:, 0], rule, params.share, budget, params.most_steps, progress)
    signal = credit(chain, spent.after, rule.penalty)
    updates, wanted = weight_gradients(chain, spent.after.activities, signal), backprop_gradients(chain)
    first, whole = (torch.linalg.matrix_norm(layers[0]) for layers in (updates, wanted))
    error = route_error(chain, spent, rule, updates, adjoints)
    return Crossing(chain, time, update_cosine(updates, wanted), first / whole, along(signal, -adjoints), error)


def _within(depths: Sequence[int], depth: int, progress: Progress) -> Progress:
    """The progress of one depth L, whose share is taken as L^3.

    This is the worst case, without multipliers: about L^2 steps, each of which costs about L. With multipliers about L
    steps are enough.
    """
    done, total = (sum(size**3 for size in depths if size < limit) for limit in (depth, depths[-1] + 1))
    return part_of(progress, done / total, depth**3 / total, f"depth {depth}")
