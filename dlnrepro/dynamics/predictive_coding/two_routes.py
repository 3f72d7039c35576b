"""How far the formulas of `network` are from automatic differentiation, in a step that inference has taken.

Conventions of `dynamics.predictive_coding.network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.by_autograd import activity_gradients, lagrangian_step, lagrangian_updates
from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, distance, largest_distance


class Transition(NamedTuple):
    """Two successive states of inference."""

    before: State
    after: State


def route_error(network: Network, taken: Transition, rule: Rule, updates: Sequence[Tensor], adjoints: Tensor) -> Tensor:
    """The largest relative distance between the two routes, of shape (runs,); rounding leaves about 1e-13.

    Compared are the moves of activities and of multipliers in one step, the updates of all weights after this step, and
    the adjoints of back-propagation.

    Args:
        network: the network.
        taken: one step of inference that was taken.
        rule: the constants of the step.
        updates: the updates of the weights in the state after the step, by formula.
        adjoints: the adjoints delta of back-propagation, by formula.
    """
    wanted = lagrangian_step(network, taken.before, rule)
    pairs = [
        (done - old, aim - old)
        for old, done, aim in zip(taken.before, taken.after, wanted, strict=True)
        if bool((aim != old).any())
    ]
    errors = [distance(*pair) for pair in pairs]
    errors += [
        largest_distance(*pair) for pair in zip(updates, lagrangian_updates(network, taken.after, rule), strict=True)
    ]
    errors.append(largest_distance(adjoints, activity_gradients(network)))
    return torch.stack(errors).amax(0)


def matrix_error(network: Network, matrix: Tensor, state: State, rule: Rule) -> Tensor:
    """The relative distance between the move that the matrix of a step gives and the move by the other route, (runs,).

    Args:
        network: the network; its data are replaced by zeros, because the matrix holds the linear part of a step.
        matrix: the matrix of a step, as by `iteration.iteration_matrix`.
        state: the state before the step.
        rule: the constants of the step.
    """
    inputs, targets = torch.zeros_like(network.inputs), torch.zeros_like(network.targets)
    wanted = lagrangian_step(replace(network, inputs=inputs, targets=targets), state, rule)
    before, after = (torch.cat([part.flatten(1, 2) for part in one], 1) for one in (state, wanted))
    return distance(matrix @ before - before, after - before)
