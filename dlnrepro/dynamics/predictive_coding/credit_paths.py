"""The credit of all layers along inference: its distance from the credits that the theory predicts.

Conventions of `dynamics.predictive_coding.network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, credit, distance, relax
from dlnrepro.dynamics.predictive_coding.two_routes import Transition
from dlnrepro.dynamics.tensors.progress import Progress


class CreditPath(NamedTuple):
    """The end of inference, and distances of the credit on the way.

    Attributes:
        end: the last state.
        taken: the step that follows the first L steps, or the last step if there are fewer; from a forward pass, all
            layers have moved by then.
        steps: the steps of the records, from 0 on, of shape (records,).
        distances: for each target c*, the distance ||c - c*||_F / ||c*||_F over all layers, of shape (runs, records).
    """

    end: State
    taken: Transition
    steps: Tensor
    distances: list[Tensor]


def credit_path(
    chain: Network,
    start: State,
    rule: Rule,
    steps: int,
    every: int,
    targets: Sequence[Tensor],
    progress: Progress,
) -> CreditPath:
    """The state after `steps` steps, and the distances of the credit c from several targets on the way.

    Args:
        chain: the network.
        start: the state before the first step.
        rule: the constants of a step.
        steps: the number of steps.
        every: the number of steps between two records; the first record is made at step 0.
        targets: the credits c*, each of the shape of the activities.
        progress: of the inference.
    """
    records, kept = [], []
    early = min(start.activities.shape[1] + 1, steps - 1)

    def observe(done: int, state: State) -> bool:
        """Keep the distances on a grid of steps, and one early step; inference never ends early."""
        if done in {early, early + 1}:
            kept.append(state)
        if done % every == 0:
            signal = credit(chain, state, rule.penalty)
            records.append([distance(signal, target) for target in targets])
        return False

    end = relax(chain, start, rule, steps, observe, progress)
    times = every * torch.arange(len(records)).to(torch.float64)
    return CreditPath(end, Transition(*kept), times, [torch.stack(values, -1) for values in zip(*records, strict=True)])
