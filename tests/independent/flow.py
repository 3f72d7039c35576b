"""Gradient flow and gradient descent of any loss of any weights, by the gradients of automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

Weights = list[Tensor]
Loss = Callable[[Weights], Tensor]


def gradients(weights: Weights, loss: Loss) -> Weights:
    """The gradient of the loss in each weight."""
    leaves = [weight.detach().requires_grad_() for weight in weights]
    return list(torch.autograd.grad(loss(leaves), leaves))


def gradient_flow(weights: Weights, loss: Loss, times: Sequence[float], method: str = "DOP853") -> list[Weights]:
    """The weights of the flow dw/dt = -grad loss(w) at some times, from weights at time 0."""
    shapes, sizes = [weight.shape for weight in weights], [weight.numel() for weight in weights]

    def unpacked(flat: np.ndarray) -> Weights:
        parts = torch.split(torch.tensor(flat, dtype=torch.float64), sizes)
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def velocity(_time: float, flat: np.ndarray) -> np.ndarray:
        found = gradients(unpacked(flat), loss)
        return -torch.cat([gradient.reshape(-1) for gradient in found]).numpy()

    start = torch.cat([weight.reshape(-1) for weight in weights]).numpy()
    found = solve_ivp(velocity, (0.0, times[-1]), start, method=method, t_eval=times, rtol=1e-10, atol=1e-12)
    assert found.success, found.message
    return [unpacked(flat) for flat in found.y.T]


def gradient_descent(weights: Weights, loss: Loss, step_size: float, steps: int) -> Weights:
    """The weights after some steps of gradient descent."""
    for _ in range(steps):
        found = gradients(weights, loss)
        weights = [weight - step_size * gradient for weight, gradient in zip(weights, found, strict=True)]
    return weights


def product(weights: Weights) -> Tensor:
    """The product W_L ... W_1 of layers that are listed from the first to the last."""
    whole = weights[0]
    for weight in weights[1:]:
        whole = weight @ whole
    return whole


def balanced(left: Tensor, strengths: Tensor, right: Tensor, depth: int) -> Weights:
    """Layers with the product left diag(strengths) right^T, each with the singular values strengths^(1/depth)."""
    root = torch.diag(strengths ** (1 / depth))
    middle = [root] * (depth - 2)
    return [root @ right.T, *middle, left @ root]


def normal(*shape: int, seed: int) -> Tensor:
    """Numbers of the standard normal distribution."""
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def orthogonal(size: int, seed: int) -> Tensor:
    """A random orthogonal matrix."""
    found: Tensor = torch.linalg.qr(normal(size, size, seed=seed))[0]
    return found
