"""When the credit of the first layer arrives: the time at which it has grown to a share of its target.

The share is taken along the target: <c_1, c*> = share ||c*||_F^2. Conventions of `dynamics.predictive_coding.network`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, along, relax, rest
from dlnrepro.dynamics.tensors.progress import Progress


class Arrival(NamedTuple):
    """The arrival of credit.

    Attributes:
        time: steps until credit has arrived, linear within a step, of shape (runs,); the last step for a run in which
            it never arrives, NaN for one that diverges.
        spent: the state when the budget is spent.
    """

    time: Tensor
    spent: State


def first_layer_arrival(
    chain: Network, target: Tensor, rule: Rule, share: float, budget: int, most_steps: int, progress: Progress
) -> Arrival:
    """The arrival of credit at the first layer, from the activities of a forward pass and multipliers 0.

    Args:
        chain: the network.
        target: c*, the credit that the first layer tends to, of shape (runs, n, samples).
        rule: the constants of a step.
        share: of the target at which credit counts as arrived.
        budget: after how many steps the state is kept; inference goes on at least so long.
        most_steps: when inference ends, at least the budget.
        progress: of the inference.
    """
    runs = len(target)
    time = torch.full((runs,), torch.nan, dtype=torch.float64)
    before = torch.zeros(runs, dtype=torch.float64)
    spent: list[State] = []

    def observe(done: int, state: State) -> bool:
        """Note which runs arrived in this step, interpolating within it, and keep the state after the budget."""
        nonlocal time, before
        signal = state.multipliers[:, 0] + rule.penalty * (state.activities[:, 0] - chain.drive)
        now = along(signal, target)
        # A jump from below the share past the whole is divergence, not an arrival.
        crossed = torch.isnan(time) & (now >= share) & (now < 1)
        time = torch.where(crossed, done - (now - share) / (now - before), time)
        before = now
        if done == budget:
            spent.append(state)
        return done >= budget and not bool(torch.isnan(time).any())

    end = relax(chain, rest(chain), rule, most_steps, observe, progress)
    late = torch.isnan(time) & torch.isfinite(end.activities).flatten(1).all(-1)
    return Arrival(torch.where(late, float(most_steps), time), spent[0])
