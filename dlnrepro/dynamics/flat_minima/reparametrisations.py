"""Other weights with the same product, G_l W_l G_(l-1)^-1 with invertible G_1 .. G_(L-1), and the flattest of them.

If W_L ... W_1 = Z, every choice of the G_l gives a global minimum of 1/2 ||W_L ... W_1 - Z||_F^2. The minima differ in
their sharpness, which is the largest eigenvalue of the tangent kernel. Flattening minimises the logarithm of the
sharpness over G_l = e^(A_l) by L-BFGS, one run after another, with gradients by automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.tangent_kernel import tangent_kernel
from dlnrepro.dynamics.starts.draws import orthonormal, uniform
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each, each_run
from dlnrepro.dynamics.tensors.processor import new_tensors_on_the_processor
from dlnrepro.dynamics.tensors.progress import Progress


def random_reparametrisations(
    widths: Sequence[int], strengths: Tensor, generators: Sequence[Generator]
) -> list[Tensor]:
    """Random matrices G_l = P diag(e^(t x)) Q^T, x uniform in [-1, 1), P and Q orthogonal, for every strength t.

    Args:
        widths: n_1 .. n_(L-1), the widths of the hidden layers.
        strengths: t, of shape (points,).
        generators: one per run.

    Returns:
        G_1 .. G_(L-1), each of shape (runs, points, n_l, n_l); P, Q and x of a layer are the same for all strengths.
    """
    matrices = []
    for width in widths:
        before, after = orthonormal(width, width, generators), orthonormal(width, width, generators)
        exponents = strengths[:, None] * uniform((width,), -1.0, 1.0, generators)[:, None]
        factors = each_run(torch.exp, exponents)
        matrices.append(before[:, None] * factors[:, :, None, :] @ after[:, None].mT)
    return matrices


def reparametrised(weights: Sequence[Tensor], matrices: Sequence[Tensor]) -> list[Tensor]:
    """The weights G_l W_l G_(l-1)^-1, where G_0 and G_L are the identity; they have the product of the W_l.

    Args:
        weights: W_1 .. W_L, each of shape (..., n_l, n_(l-1)).
        matrices: G_1 .. G_(L-1), each of shape (..., n_l, n_l) and invertible.
    """
    layers = list(weights)
    for index, matrix in enumerate(matrices):
        layers[index] = matrix @ layers[index]
        layers[index + 1] = torch.linalg.solve(matrix.mT, layers[index + 1].mT).mT
    return layers


def flattest(weights: Sequence[Tensor], iterations: int, progress: Progress) -> list[Tensor]:
    """Weights with the same product whose sharpness is a local minimum over G_1 .. G_(L-1).

    Args:
        weights: W_1 .. W_L, each of shape (runs, n_l, n_(l-1)).
        iterations: the largest number of steps in each round of L-BFGS; 0 leaves the weights as they are.
        progress: called with the fraction of the runs that is done, also within a run; may raise to stop.
    """
    if iterations == 0:
        return list(weights)
    device = weights[0].device
    here = [weight.cpu() for weight in weights]
    with new_tensors_on_the_processor():
        flat = [
            _flattest_of_run([weight[run] for weight in here], iterations, tick)
            for run, tick in each(progress, len(here[0]))
        ]
        return [torch.stack(layers).to(device) for layers in zip(*flat, strict=True)]


@torch.inference_mode(False)  # the caller may have switched autograd off
def _flattest_of_run(weights: list[Tensor], iterations: int, progress: Progress) -> list[Tensor]:
    """The flattest weights of one run, by rounds of L-BFGS that each start with G_l = I.

    Where the two largest eigenvalues cross, the largest one is not differentiable, and a minimiser may stop there. The
    first round therefore minimises the power mean (sum lambda^p)^(1/p) of all eigenvalues, which is differentiable; the
    last one minimises the largest eigenvalue itself.
    """
    weights = [weight.clone() for weight in weights]
    for power in _POWERS:
        sizes = [weight.shape[0] for weight in weights[:-1]]
        start = np.zeros(sum(size * size for size in sizes))

        def objective(
            state: Array, weights: list[Tensor] = weights, sizes: list[int] = sizes, power: int = power
        ) -> tuple[float, Array]:
            progress(0.0, "flattening")
            flat = tensor_of(state.copy()).requires_grad_()
            values = torch.linalg.eigvalsh(tangent_kernel(reparametrised(weights, _unpacked(flat, sizes))))
            top = values[-1]
            mean = top.log() + ((values / top) ** power).sum().log() / power if power else top.log()
            (gradient,) = torch.autograd.grad(mean, flat)
            return float(mean.detach()), array_of(gradient)

        options = {"maxiter": iterations, "ftol": 1e-15, "gtol": 1e-6}
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
        weights = reparametrised(weights, _unpacked(tensor_of(found.x), sizes))
    return weights


def _unpacked(flat: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """The matrices e^(A_l), from the entries of all A_l in one row; they are invertible for any A_l."""
    pieces = torch.split(flat, [size * size for size in sizes])
    return [torch.linalg.matrix_exp(piece.reshape(size, size)) for piece, size in zip(pieces, sizes, strict=True)]


_POWERS = (16, 0)
"""The power p of each round; 0 stands for the largest eigenvalue itself."""
