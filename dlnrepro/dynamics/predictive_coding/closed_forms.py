"""Closed forms for predictive coding in linear networks: equilibria, stability limits, moduli and the speed of credit.

Notation of `dlnrepro.dynamics.predictive_coding.network`: step size eta, penalty rho, dual step alpha. A maps
activities to residuals and has the singular values sigma; K is the Hessian of the loss with respect to the activities.

Sources: Seely, Gould 2026 (arXiv:2605.31022) for the equilibrium with multipliers, the stability limit, the moduli and
the speed. The paper itself was not read, and all of them were derived again here. The equilibrium of plain predictive
coding is derived here; for rho = 1 it is the rescaled error of Innocenti, Achour, Singh, Buckley 2024
(arXiv:2408.11979).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.iteration import constraint_matrix
from dlnrepro.dynamics.predictive_coding.network import (
    Constant,
    Network,
    adjoints,
    forward,
    output_error,
    spread_over,
)
from dlnrepro.dynamics.tensors.processor import decomposed


def backprop_adjoints(network: Network) -> Tensor:
    """The adjoints delta_i, the derivatives of the loss with respect to h_i in a forward pass.

    At the equilibrium with multipliers m_i = -delta_i. The residuals vanish there, so the activities are those of a
    forward pass. Stationarity in the activities then reads m_i = W_(i+1)^T m_(i+1) with
    m_(L-1) = -W_L^T (W_L h_(L-1) - y), which is the recursion of back-propagation.

    Returns:
        Shape (runs, L-1, n, samples).
    """
    return adjoints(network, output_error(network, forward(network)))


def plain_equilibrium_credit(network: Network, penalty: Constant) -> Tensor:
    """The credit rho r_i at the equilibrium of plain predictive coding, -W_(i+1)^T ... W_L^T S^-1 (W_L ... W_1 x - y).

    S = I + (1/rho) sum_i (W_L ... W_(i+1)) (W_L ... W_(i+1))^T, i = 1 .. L-1. The layers share the error of the output,
    and the credit tends to that of back-propagation only as rho -> infinity. The formula follows from
    r_i = W_(i+1)^T r_(i+1) and W_L h_(L-1) = W_L ... W_1 x + sum_i W_L ... W_(i+1) r_i.

    Args:
        network: the network with its data.
        penalty: rho > 0.

    Returns:
        Shape (runs, L-1, n, samples).
    """
    outputs = network.last.shape[1]
    identity = torch.eye(outputs, dtype=torch.float64).expand(len(network.last), outputs, outputs)
    transported = adjoints(network, identity)
    total = identity
    for index in range(transported.shape[1]):
        total = total + transported[:, index].mT @ transported[:, index] / spread_over(penalty, 3)
    return -adjoints(network, torch.linalg.solve(total, output_error(network, forward(network))))


def stability_limit(largest: Tensor, penalty: Constant, dual_step: Constant) -> Tensor:
    """The largest stable step size without the loss, 4 / (sigma_max^2 (2 rho + alpha)).

    In a singular mode one step has the characteristic polynomial
    mu^2 - (2 - eta sigma^2 (rho + alpha)) mu + 1 - eta rho sigma^2. By Jury's conditions the mode is stable until a
    root passes -1. For alpha = 0 the limit is 2 / (rho sigma_max^2).

    Args:
        largest: sigma_max, of shape (runs,).
        penalty: rho.
        dual_step: alpha.
    """
    return 4 / (largest * largest * (2 * penalty + dual_step))


def stability_limit_with_loss(network: Network, penalty: Constant, dual_step: Constant) -> Tensor:
    """The largest stable step size with the loss, 4 / lambda_max((2 rho + alpha) A^T A + 2 K), of shape (runs,).

    For the eigenvalue -1 of a step, -m = m - alpha A h and -h = h - eta ((rho A^T A + K) h + A^T m). With
    m = alpha A h / 2 this is eta ((2 rho + alpha) A^T A + 2 K) h = 4 h. The limit is derived here; for K = 0 it is
    `stability_limit`.

    Args:
        network: the network; its last layer determines K = W_L^T W_L.
        penalty: rho.
        dual_step: alpha.
    """
    constraints = constraint_matrix(network)
    whole = spread_over(2 * penalty + dual_step, 3) * (constraints.mT @ constraints)
    width = network.last.shape[-1]
    whole[:, -width:, -width:] += 2 * (network.last.mT @ network.last)
    largest: Tensor = decomposed(torch.linalg.eigvalsh, whole)[:, -1]
    return 4 / largest


def squared_moduli(singular: Tensor, step_size: Tensor, penalty: Constant) -> Tensor:
    """The product 1 - eta rho sigma^2 of the two eigenvalues of a mode, which is |mu|^2 if they are complex.

    It does not depend on alpha.

    Args:
        singular: the singular values of A, of shape (runs, modes).
        step_size: eta, of shape (runs,).
        penalty: rho.

    Returns:
        Shape (runs, modes).
    """
    return 1 - spread_over(step_size * penalty, 2) * singular * singular


def credit_speed(step_size: Tensor, dual_step: Constant) -> Tensor:
    """The speed sqrt(alpha eta) of credit, in layers per step, of the shape (runs,) of the step size eta.

    This is the group velocity of long waves of credit in a chain of identity maps. A wave with wave number k has
    sigma(k) = 2 sin(k/2), and the phase of its eigenvalues tends to sqrt(alpha eta) sigma as k -> 0.
    """
    return (dual_step * step_size).sqrt()
