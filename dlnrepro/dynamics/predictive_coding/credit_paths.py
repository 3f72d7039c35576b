"""The credit of all layers along inference: its distance from the credits that the theory predicts.

Conventions of `dynamics.predictive_coding.network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, credit, distance, relax
from dlnrepro.dynamics.tensors.progress import Progress


class CreditPath(NamedTuple):
    """The end of inference, and distances of the credit on the way.

    Attributes:
        end: the last state.
        steps: the steps of the records, from 0 on, of shape (records,).
        distances: for each target c*, the distance ||c - c*||_F / ||c*||_F over all layers, of shape (runs, records).
    """

    end: State
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
    records = []

    def observe(done: int, state: State) -> bool:
        """Keep the distances on a grid of steps; inference never ends early."""
        if done % every == 0:
            signal = credit(chain, state, rule.penalty)
            records.append([distance(signal, target) for target in targets])
        return False

    end = relax(chain, start, rule, steps, observe, progress)
    times = every * torch.arange(len(records)).to(torch.float64)
    return CreditPath(end, times, [torch.stack(values, -1) for values in zip(*records, strict=True)])
