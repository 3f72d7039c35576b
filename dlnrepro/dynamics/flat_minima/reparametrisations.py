"""Other weights for one product: W_l -> G_l W_l G_{l-1}^{-1} with invertible G_1 .. G_{L-1}, and the flattest of them.

At zero loss every choice of the G_l is a global minimum of 1/2 ||W_L ... W_1 - Z||_F^2, with a sharpness of its own:
the largest eigenvalue of the tangent kernel. Flattening minimises its logarithm over G_l = e^(A_l) by L-BFGS, one run
after another, with gradients by automatic differentiation.
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
    """Random G_1 .. G_{L-1} = P diag(e^(s x)) Q^T with x uniform on [-1, 1), P and Q orthogonal, for every strength s.

    Args:
        widths: n_1 .. n_{L-1}.
        strengths: s, of shape (points,).
        generators: one per run.

    Returns:
        Tensors of shape (runs, points, n_l, n_l), for n_1 .. n_{L-1} in turn.
    """
    matrices = []
    for width in widths:
        before, after = orthonormal(width, width, generators), orthonormal(width, width, generators)
        exponents = strengths[:, None] * uniform((width,), -1.0, 1.0, generators)[:, None]
        factors = each_run(torch.exp, exponents)
        matrices.append(before[:, None] * factors[:, :, None, :] @ after[:, None].mT)
    return matrices


def reparametrised(weights: Sequence[Tensor], matrices: Sequence[Tensor]) -> list[Tensor]:
    """The weights G_l W_l G_{l-1}^{-1}, with G_0 and G_L the identity; they have the same product.

    Args:
        weights: W_l, of shape (..., n_l, n_{l-1}).
        matrices: G_1 .. G_{L-1}, of shape (..., n_l, n_l).
    """
    layers = list(weights)
    for index, matrix in enumerate(matrices):
        layers[index] = matrix @ layers[index]
        layers[index + 1] = torch.linalg.solve(matrix.mT, layers[index + 1].mT).mT
    return layers


def flattest(weights: Sequence[Tensor], iterations: int, progress: Progress) -> list[Tensor]:
    """Weights with the same product whose sharpness is a local minimum over G_1 .. G_{L-1}.

    Args:
        weights: W_l of shape (runs, n_l, n_{l-1}).
        iterations: of L-BFGS at most; 0 leaves the weights as they are.
        progress: called with the fraction of runs done, within a run too; may raise to stop.
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
    """The flattest weights of one run, by rounds that start at the identity, with ever sharper means of eigenvalues.

    Where the two largest eigenvalues cross, the largest one has an edge, on which a minimiser may stop; the power means
    (sum lambda^p)^(1/p) of the first rounds have none.
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
    """The matrices e^(A_l), which are invertible wherever a search may go, from the entries of the A_l."""
    pieces = torch.split(flat, [size * size for size in sizes])
    return [torch.linalg.matrix_exp(piece.reshape(size, size)) for piece, size in zip(pieces, sizes, strict=True)]


_POWERS = (16, 0)
"""The powers of the rounds; 0 stands for the largest eigenvalue itself."""
