"""How long credit takes to reach the first layer of linear networks of growing depth, with and without multipliers.

For each depth a network is drawn, activities start at a forward pass with multipliers 0, and the steps of
`dynamics.predictive_coding.network` go on until the first layer's credit c_1 has grown to a share of its target, seen
along the target: <c_1, c*> = share ||c*||^2. The target is the credit that the iteration tends to: -delta_1 of
back-propagation with multipliers, the equilibrium of plain predictive coding without. Theory: with multipliers credit
travels as a wave, at sqrt(alpha eta) layers a step; without, it diffuses, and the time grows as the squared depth.

Source: Seely, Gould 2026 (arXiv:2605.31022); the speed is derived in `dynamics.predictive_coding.closed_forms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.predictive_coding.closed_forms import backprop_adjoints, credit_speed, plain_equilibrium_credit
from dlnrepro.dynamics.predictive_coding.network import (
    Chain,
    Rule,
    Skip,
    State,
    credit,
    draw_chain,
    forward,
    relax,
    update_cosine,
    weight_gradients,
)
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Progress, Result, Series

Depth = Annotated[int, Field(ge=3, le=128)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depths: Annotated[tuple[Depth, ...], Field(strict=False, min_length=2, max_length=16)] = Field(
        description="L, the numbers of weight matrices, rising"
    )
    width: int = Field(ge=1, le=64, description="n, of every hidden layer")
    inputs: int = Field(ge=1, le=64, description="the dimension of x")
    outputs: int = Field(ge=1, le=64, description="the dimension of y")
    samples: int = Field(ge=1, le=64, description="how many pairs (x, y), all normal")
    skip: Skip = Field(description="whether hidden layers are I + spread G / sqrt(n L), or spread G / sqrt(n)")
    spread: float = Field(ge=0, le=4, description="scale of the hidden layers' random part; 1 is the authors' scaling")
    penalty: float = Field(gt=0, le=100, description="rho")
    dual_step: float = Field(ge=0, le=100, description="alpha; 0 is plain predictive coding")
    step_size: float = Field(gt=0, le=10, description="eta, the same at every depth")
    share: float = Field(gt=0, lt=1, description="the share of its target at which credit counts as arrived")
    passes: int = Field(ge=1, le=100, description="the budget is this many steps a layer: T = passes x L")
    most_steps: int = Field(ge=1, le=10**6, description="when a run that has not arrived is given up")
    law_dual_step: float = Field(ge=0, le=100, description="the alpha that theory's speed is told; another is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if list(self.depths) != sorted(set(self.depths)):
            raise ValueError("depths must rise strictly")
        if self.passes * self.depths[-1] > self.most_steps:
            raise ValueError("most_steps must cover the budget of the deepest network")
        return self

    def memory(self, runs: int) -> int:
        """The deepest network's layers, and its states and their temporaries."""
        return 8 * runs * self.depths[-1] * self.width * (4 * self.width + 24 * self.samples) + 10**6


MEASURES = {
    "arrival_exponent": "least-squares slope of the log of the time of arrival against log L, > 0",
    "pace_ratio": "steps a layer, fitted to the times of arrival against L, times the predicted layers a step, >= 0",
    "latest_arrival": "the time of arrival at the largest depth, in steps; `most_steps` if it never arrives",
    "budget_cosine": "cosine of all updates of the deepest network after the budget, and of back-propagation's",
    "budget_first_norm": "size of the first layer's update after the budget over that of back-propagation's, >= 0",
}

SERIES = {
    "depth": Series("depth", "L"),
    "arrival": Series("depth", "steps until the first layer's credit has arrived"),
    "predicted_arrival": Series("depth", "L / sqrt(alpha eta), with theory's alpha; 0 if that is 0"),
    "layer": Series("layer", "i / L of the deepest network"),
    "credit_after_budget": Series("layer", "<c_i, c*_i> / ||c*_i||^2 after the budget, c* being -delta"),
}


class Arrival(NamedTuple):
    """What one depth left.

    Attributes:
        time: of shape (runs,).
        cosine: of all updates after the budget with back-propagation's, (runs,).
        first_norm: the first layer's update over back-propagation's, (runs,).
        profile: the layers' credit after the budget along back-propagation's, (runs, L-1).
    """

    time: Tensor
    cosine: Tensor
    first_norm: Tensor
    profile: Tensor


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Send credit down networks of every depth, one depth after the other, and fit its times of arrival."""
    arrivals = [_arrival(params, depth, generators, _within(params.depths, depth, progress)) for depth in params.depths]
    times = torch.stack([arrival.time for arrival in arrivals], -1)
    depths = torch.tensor(params.depths, dtype=torch.float64)
    speed = credit_speed(params.step_size, params.law_dual_step)
    predicted = depths / speed if speed > 0 else torch.zeros_like(depths)
    deepest = arrivals[-1]
    runs = len(generators)
    layers = torch.arange(1, params.depths[-1], dtype=torch.float64) / params.depths[-1]
    return Result(
        {
            "arrival_exponent": each_run(lambda row: slope(depths.log(), row.log()), times),
            "pace_ratio": each_run(lambda row: slope(depths, row), times) * speed,
            "latest_arrival": deepest.time,
            "budget_cosine": deepest.cosine,
            "budget_first_norm": deepest.first_norm,
        },
        {
            "depth": depths.expand(runs, -1),
            "arrival": times,
            "predicted_arrival": predicted.expand(runs, -1),
            "layer": layers.expand(runs, -1),
            "credit_after_budget": deepest.profile,
        },
    )


def _arrival(params: Params, depth: int, generators: Sequence[Generator], progress: Progress) -> Arrival:
    """Draw networks of one depth and relax them until credit has arrived in every run."""
    chain = draw_chain(
        depth,
        params.width,
        params.inputs,
        params.outputs,
        params.samples,
        params.skip,
        params.spread,
        generators,
    )
    adjoints = -backprop_adjoints(chain)
    target = (adjoints if params.dual_step > 0 else plain_equilibrium_credit(chain, params.penalty))[:, 0]
    budget = params.passes * depth
    runs = len(generators)
    time = torch.full((runs,), torch.nan, dtype=torch.float64)
    before = torch.zeros(runs, dtype=torch.float64)
    spent: list[State] = []

    def observe(done: int, state: State) -> bool:
        """Note who arrived in this step, interpolating within it, and keep the state at the budget's end."""
        nonlocal time, before
        signal = state.multipliers[:, 0] + params.penalty * (state.activities[:, 0] - chain.drive)
        now = _along(signal, target)
        # A jump from below the share past the whole is no arrival but divergence.
        crossed = torch.isnan(time) & (now >= params.share) & (now < 1)
        time = torch.where(crossed, done - (now - params.share) / (now - before), time)
        before = now
        if done == budget:
            spent.append(state)
        return done >= budget and not bool(torch.isnan(time).any())

    activities = forward(chain)
    rule = Rule(torch.full((runs,), params.step_size, dtype=torch.float64), params.penalty, params.dual_step)
    end = relax(chain, State(activities, torch.zeros_like(activities)), rule, params.most_steps, observe, progress)
    # A run that never arrives is given its last step; one that diverged stays NaN.
    finite = torch.isfinite(end.activities).flatten(1).all(-1)
    late = torch.isnan(time) & finite
    return Arrival(
        torch.where(late, float(params.most_steps), time), *_spent(chain, spent[0], adjoints, params.penalty)
    )


def _spent(chain: Chain, state: State, adjoints: Tensor, penalty: float) -> tuple[Tensor, Tensor, Tensor]:
    """Updates and credit when the budget is spent: the cosine, the first layer's size and the profile of `Arrival`."""
    signal = credit(chain, state, penalty)
    updates = weight_gradients(chain, state.activities, signal)
    wanted = weight_gradients(chain, forward(chain), adjoints)
    first = [torch.linalg.matrix_norm(layers[0]) for layers in (updates, wanted)]
    return update_cosine(updates, wanted), first[0] / first[1], _along(signal, adjoints)


def _within(depths: Sequence[int], depth: int, progress: Progress) -> Progress:
    """One depth's progress, told as a part of the whole: diffusion makes the time a depth takes grow as its cube."""
    done, total = (sum(size**3 for size in depths if size < limit) for limit in (depth, depths[-1] + 1))
    return part_of(progress, done / total, depth**3 / total, f"depth {depth}")


def _along(signal: Tensor, target: Tensor) -> Tensor:
    """<signal, target> / ||target||^2 over the last two dimensions."""
    return (signal * target).sum((-2, -1)) / (target * target).sum((-2, -1))
