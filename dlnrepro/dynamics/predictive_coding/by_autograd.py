"""Inference and back-propagation by automatic differentiation: a second route to what `network` computes by formulas.

Everything follows from two functions that are written out layer by layer: the loss 1/2 ||W_L ... W_1 x - y||^2, and the
augmented Lagrangian

    1/2 ||W_L h_(L-1) - y||^2 + sum_i [ <m_i, r_i> + rho/2 ||r_i||^2 ],     r_i = h_i - W_i h_(i-1),

in which activities h descend and multipliers m ascend. Conventions of `dynamics.predictive_coding.network`.

Source: Seely, Gould 2026 (arXiv:2605.31022).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.network import Constant, Network, Rule, State, spread_over


@torch.inference_mode(False)  # the caller may have switched autograd off
def backprop_gradients(network: Network) -> list[Tensor]:
    """The gradients of the loss with respect to the weights, in the shapes of `network.weight_gradients`."""
    weights, pair = _free(network)
    first, hidden, last = weights
    outputs = first @ pair[0]
    for index in range(hidden.shape[1]):
        outputs = hidden[:, index] @ outputs
    loss = 0.5 * (last @ outputs - pair[1]).square().sum()
    return list(torch.autograd.grad(loss, weights, materialize_grads=True))


@torch.inference_mode(False)
def activity_gradients(network: Network) -> Tensor:
    """The derivatives delta_i of the loss with respect to the activities h_i of a forward pass.

    They are those with respect to vectors that are added to the activities and are zero.

    Returns:
        Shape (runs, L-1, n, samples).
    """
    (first, hidden, last), (inputs, targets) = _copies(network)
    added = [torch.zeros_like(first @ inputs).requires_grad_() for _ in range(hidden.shape[1] + 1)]
    here = first @ inputs + added[0]
    for index in range(hidden.shape[1]):
        here = hidden[:, index] @ here + added[index + 1]
    loss = 0.5 * (last @ here - targets).square().sum()
    return torch.stack(torch.autograd.grad(loss, added), 1)


@torch.inference_mode(False)
def lagrangian_step(network: Network, state: State, rule: Rule) -> State:
    """The state after one step: activities descend the augmented Lagrangian, and then multipliers ascend it.

    This is the step of the theory: a leak, and another order of the half-steps, are left out.
    """
    weights, pair = _copies(network)
    activities, multipliers = (values.clone().requires_grad_() for values in state)
    penalty = _over_matrices(rule.penalty)
    (down,) = torch.autograd.grad(_lagrangian(weights, pair, activities, multipliers, penalty), activities)
    moved = (activities - spread_over(rule.step_size, 4) * down).detach()
    (up,) = torch.autograd.grad(_lagrangian(weights, pair, moved, multipliers, penalty), multipliers)
    return State(moved, multipliers.detach() + spread_over(rule.dual_step, 4) * up)


@torch.inference_mode(False)
def lagrangian_updates(network: Network, state: State, rule: Rule) -> list[Tensor]:
    """The gradients of the augmented Lagrangian with respect to the weights, as `network.weight_gradients`."""
    weights, pair = _free(network)
    activities, multipliers = (values.clone() for values in state)
    value = _lagrangian(weights, pair, activities, multipliers, _over_matrices(rule.penalty))
    return list(torch.autograd.grad(value, weights, materialize_grads=True))


def _lagrangian(
    weights: Sequence[Tensor], pair: Sequence[Tensor], activities: Tensor, multipliers: Tensor, penalty: Constant
) -> Tensor:
    """The augmented Lagrangian, summed over runs and samples."""
    (first, hidden, last), (inputs, targets) = weights, pair
    total = 0.5 * (last @ activities[:, -1] - targets).square().sum()
    for index in range(activities.shape[1]):
        made = first @ inputs if index == 0 else hidden[:, index - 1] @ activities[:, index - 1]
        residual = activities[:, index] - made
        total = total + (multipliers[:, index] * residual).sum() + (0.5 * penalty * residual.square()).sum()
    return total


def _over_matrices(constant: Constant) -> Constant:
    """A constant, or a copy of it that autograd may use, which multiplies one matrix per run."""
    return constant if isinstance(constant, float) else spread_over(constant.clone(), 3)


def _copies(network: Network) -> tuple[list[Tensor], list[Tensor]]:
    """The weights, and the inputs with the targets, as tensors that autograd may use."""
    weights = [matrix.clone() for matrix in (network.first, network.hidden, network.last)]
    return weights, [network.inputs.clone(), network.targets.clone()]


def _free(network: Network) -> tuple[list[Tensor], list[Tensor]]:
    """The same, with weights by which autograd differentiates."""
    weights, pair = _copies(network)
    return [matrix.requires_grad_() for matrix in weights], pair
