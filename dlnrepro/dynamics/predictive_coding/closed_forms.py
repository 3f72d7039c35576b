"""Closed forms for predictive coding in linear networks: equilibria, stability limits, moduli and the speed of credit.

Notation of `dlnrepro.dynamics.predictive_coding.network`: step eta, penalty rho, dual step alpha. A maps activities to
residuals, with singular values sigma; K is the Hessian of the loss in the activities.

Sources: Seely, Gould 2026 (arXiv:2605.31022) for the multiplier's equilibrium, the stability limit, the moduli and the
speed, none of them read in the paper itself but all derived again here; plain predictive coding's equilibrium is
derived here, and for rho = 1 it is the rescaled error of Innocenti, Achour, Singh, Buckley 2024 (arXiv:2408.11979).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.iteration import constraint_matrix
from dlnrepro.dynamics.predictive_coding.network import Network, adjoints, forward, output_error
from dlnrepro.dynamics.tensors.processor import decomposed


def backprop_adjoints(network: Network) -> Tensor:
    """delta_i, the derivative of the loss by h_i in a forward pass; at PC-ALM's equilibrium m_i = -delta_i.

    There the residuals vanish, so activities are those of a forward pass, and stationarity in the activities reads
    m_i = W_{i+1}^T m_{i+1} with m_{L-1} = -W_L^T (W_L h_{L-1} - y): the recursion of back-propagation.

    Returns:
        Shape (runs, L-1, n, samples).
    """
    return adjoints(network, output_error(network, forward(network)))


def plain_equilibrium_credit(network: Network, penalty: float) -> Tensor:
    """The credit rho r_i at plain predictive coding's equilibrium, -W_{i+1}^T ... W_L^T S^-1 (W_L .. W_1 x - y).

    S = I + (1/rho) sum_i (W_L ... W_{i+1}) (W_L ... W_{i+1})^T, i = 1 .. L-1: the output's error is shared between the
    layers, and back-propagation's credit comes back only as rho -> infinity. From r_i = W_{i+1}^T r_{i+1} and
    W_L h_{L-1} = W_L ... W_1 x + sum_i W_L ... W_{i+1} r_i.

    Returns:
        Shape (runs, L-1, n, samples).
    """
    outputs = network.last.shape[1]
    identity = torch.eye(outputs, dtype=torch.float64).expand(len(network.last), outputs, outputs)
    transported = adjoints(network, identity)
    total = identity
    for index in range(transported.shape[1]):
        total = total + transported[:, index].mT @ transported[:, index] / penalty
    return -adjoints(network, torch.linalg.solve(total, output_error(network, forward(network))))


def stability_limit(largest: Tensor, penalty: float, dual_step: float) -> Tensor:
    """4 / (sigma_max^2 (2 rho + alpha)), the largest stable step without the loss; alpha = 0 gives 2 / (rho sigma^2).

    In a singular mode a step has the characteristic polynomial mu^2 - (2 - eta sigma^2 (rho + alpha)) mu + 1 - eta
    rho sigma^2. By Jury's conditions it is stable until a root passes -1.

    Args:
        largest: sigma_max, of any shape.
        penalty: rho.
        dual_step: alpha.
    """
    return 4 / (largest * largest * (2 * penalty + dual_step))


def stability_limit_with_loss(network: Network, penalty: float, dual_step: float) -> Tensor:
    """4 / lambda_max((2 rho + alpha) A^T A + 2 K), the exact limit with the loss's Hessian K; of shape (runs,).

    The eigenvalue -1 asks that -m = m - alpha A h and -h = h - eta ((rho A^T A + K) h + A^T m): with m = alpha A h / 2
    that is eta ((2 rho + alpha) A^T A + 2 K) h = 4 h. Derived here; K = 0 gives back `stability_limit`.
    """
    constraints = constraint_matrix(network)
    whole = (2 * penalty + dual_step) * (constraints.mT @ constraints)
    width = network.last.shape[-1]
    whole[:, -width:, -width:] += 2 * (network.last.mT @ network.last)
    largest: Tensor = decomposed(torch.linalg.eigvalsh, whole)[:, -1]
    return 4 / largest


def squared_moduli(singular: Tensor, step_size: Tensor, penalty: float) -> Tensor:
    """1 - eta rho sigma^2, the product of a mode's two eigenvalues: |mu|^2 where they are complex, whatever alpha is.

    Args:
        singular: the singular values of A, of shape (runs, modes).
        step_size: eta, of shape (runs,).
        penalty: rho.
    """
    return 1 - step_size[:, None] * penalty * singular * singular


def credit_speed(step_size: float, dual_step: float) -> float:
    """sqrt(alpha eta), in layers a step: the group velocity of long waves of credit in a chain of identity maps.

    There sigma(k) = 2 sin(k/2), and the eigenvalues' phase is sqrt(alpha eta) sigma as k -> 0.
    """
    return math.sqrt(dual_step * step_size)
