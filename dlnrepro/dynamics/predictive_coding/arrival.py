"""When the credit c_1 of the first layer arrives: the time at which it has grown to a share of its target c*.

The share is measured along the target: <c_1, c*> / ||c*||_F^2. Conventions of `dynamics.predictive_coding.network`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, along, relax, rest, spread_over
from dlnrepro.dynamics.predictive_coding.two_routes import Transition
from dlnrepro.dynamics.tensors.progress import Progress


class Arrival(NamedTuple):
    """The arrival of credit.

    Attributes:
        time: number of steps until credit has arrived, interpolated linearly within a step, of shape (runs,); NaN for a
            run in which credit never arrives, or that diverges.
        spent: the last step of the budget.
    """

    time: Tensor
    spent: Transition


def first_layer_arrival(
    chain: Network, target: Tensor, rule: Rule, share: float, budget: int, most_steps: int, progress: Progress
) -> Arrival:
    """The arrival of credit at the first layer, from the activities of a forward pass and multipliers 0.

    Args:
        chain: the network.
        target: c*, the credit to which the first layer tends, of shape (runs, n, samples).
        rule: the constants of a step.
        share: the share of the target at which credit has arrived.
        budget: the number of steps whose last one is kept; inference takes at least this many steps.
        most_steps: the number of steps after which inference ends; at least the budget.
        progress: of the inference.
    """
    runs = len(target)
    time = torch.full((runs,), torch.nan, dtype=torch.float64)
    before = torch.zeros(runs, dtype=torch.float64)
    spent: list[State] = []

    def observe(done: int, state: State) -> bool:
        """Note the runs in which credit arrived in this step, and keep the states of the budget's last step."""
        nonlocal time, before
        signal = state.multipliers[:, 0] + spread_over(rule.penalty, 3) * (state.activities[:, 0] - chain.drive)
        now = along(signal, target)
        # A jump from below the share to above 1 is a divergence, not an arrival.
        crossed = torch.isnan(time) & (now >= share) & (now < 1)
        time = torch.where(crossed, done - (now - share) / (now - before), time)
        before = now
        if done in {budget - 1, budget}:
            spent.append(state)
        return done >= budget and bool((torch.isfinite(time) | ~torch.isfinite(now)).all())

    relax(chain, rest(chain), rule, most_steps, observe, progress)
    return Arrival(time, Transition(*spent))
