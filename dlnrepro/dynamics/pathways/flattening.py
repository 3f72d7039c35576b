"""A search for the flattest weights of parallel paths, which uses no formula for the least sharpness.

Every network is a global minimum for the target that is its own matrix M. If all weights are multiplied by c, the
sharpness is multiplied by c^(2L-2) and the largest singular value s of M by c^L. So the search minimises the logarithm
of sharpness / s^(2-2/L) over all weights, by Adam with gradients by automatic differentiation. The largest eigenvalue
of J J^T is replaced by a power mean of all eigenvalues, which is differentiable where two eigenvalues cross.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.curvature import gauss_newton
from dlnrepro.dynamics.pathways.parallel_paths import network
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import Progress

RATE, MEMORY, SQUARE_MEMORY = 0.05, 0.9, 0.99
"""The first step size of Adam, which falls linearly to zero, and the factors of its two averages."""

SQUARINGS = 6
"""The power mean has the exponent 2^6 = 64."""


@torch.inference_mode(False)  # the caller may have switched autograd off
def flattened_paths(weights: Sequence[Tensor], steps: int, progress: Progress) -> Weights:
    """The weights after a search for the smallest sharpness / s^(2-2/L), from given weights.

    Args:
        weights: W_1 .. W_L, each of shape (runs, paths, n_l, n_(l-1)); left unchanged.
        steps: number of steps of Adam.
        progress: called with the fraction done; may raise to stop.
    """
    current = [weight.clone() for weight in weights]
    first, second = ([torch.zeros_like(weight) for weight in current] for _ in range(2))
    for step in range(steps):
        progress(step / steps, f"step {step} of {steps} of the search for the flattest weights")
        gradients = _gradient(current)
        size = RATE * (1 - step / steps)
        scale = size * (1 - SQUARE_MEMORY ** (step + 1)) ** 0.5 / (1 - MEMORY ** (step + 1))
        for index, gradient in enumerate(gradients):
            first[index] = MEMORY * first[index] + (1 - MEMORY) * gradient
            second[index] = SQUARE_MEMORY * second[index] + (1 - SQUARE_MEMORY) * (gradient * gradient)
            current[index] = current[index] - scale * first[index] / (second[index].sqrt() + 1e-12)
    return current


def _gradient(weights: Sequence[Tensor]) -> Weights:
    """The gradient of the logarithm of the power mean over s^(2-2/L), for every run."""
    layers = [weight.clone().requires_grad_() for weight in weights]
    with torch.enable_grad():
        values = torch.linalg.eigvalsh(gauss_newton(layers))
        top = values[..., -1:]
        powers = values / top
        for _ in range(SQUARINGS):
            powers = powers * powers
        mean = each_run(torch.log, top[..., 0]) + each_run(torch.log, powers.sum(-1)) / 2**SQUARINGS
        strength = torch.linalg.svdvals(network(layers))[..., 0]
        goal = mean - (2 - 2 / len(layers)) * each_run(torch.log, strength)
        return list(torch.autograd.grad(goal.sum(), layers))
