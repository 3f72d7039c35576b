"""Sharpness of multi-path linear networks: the largest eigenvalue of the Hessian of the loss, by two routes.

The model is M = sum_p W_(p,L) ... W_(p,1), and the loss is 1/2 ||M - M*||_F^2. With J the Jacobian of vec(M) in all
weights, the Hessian is J^T J plus a part that is linear in the residual. J^T J has the non-zero spectrum of the
small matrix J J^T (output space), which is built in closed form; the whole Hessian comes from autograd. At zero
loss both have the same largest eigenvalue.

Conventions: W_l has shape (runs, ..., paths, n_l, n_(l-1)); the dimension of the paths is always there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.errors import Disagreement

ROUNDING = 1e-9
"""Relative difference that rounding may leave between two routes to an eigenvalue, for a few hundred rows."""


def gauss_newton(weights: Sequence[Tensor]) -> Tensor:
    """J J^T = sum_p sum_l (A A^T) kron (B^T B), with A = W_(p,L) .. W_(p,l+1) and B = W_(p,l-1) .. W_(p,1).

    Args:
        weights: W_(p,l), of shape (runs, ..., paths, n_l, n_(l-1)).

    Returns:
        A symmetric matrix on row-major vec(M), of shape (runs, ..., d_out d_in, d_out d_in).
    """
    rows, columns = weights[-1].shape[-2], weights[0].shape[-1]
    before = [_identity(weights[0], columns), *prefixes(weights)[:-1]]
    after = _identity(weights[0], rows)
    total = torch.zeros((), dtype=weights[0].dtype)
    for layer in range(len(weights) - 1, -1, -1):
        left = after @ after.mT
        right = before[layer].mT @ before[layer]
        total = total + left[..., :, None, :, None] * right[..., None, :, None, :]
        after = after @ weights[layer]
    summed = total[..., 0, :, :, :, :]
    for path in range(1, weights[0].shape[-3]):
        summed = summed + total[..., path, :, :, :, :]
    return summed.reshape(*summed.shape[:-4], rows * columns, rows * columns)


def sharpness(weights: Sequence[Tensor]) -> Tensor:
    """The largest eigenvalue of J J^T, of shape (runs, ...): that of the Hessian at zero loss; NaN if not finite."""
    return largest_eigenvalue(gauss_newton(weights))


def largest_eigenvalue(matrix: Tensor) -> Tensor:
    """The largest eigenvalue of each symmetric matrix; NaN where a matrix is not finite."""
    finite = torch.isfinite(matrix).all(-1).all(-1)
    values = decomposed(torch.linalg.eigvalsh, torch.where(finite[..., None, None], matrix, torch.zeros_like(matrix)))
    return torch.where(finite, values[..., -1], torch.nan)


@torch.inference_mode(False)  # the caller may have switched autograd off
def hessian(loss: Callable[[Sequence[Tensor]], Tensor], weights: Sequence[Tensor], progress: Progress) -> Tensor:
    """The whole Hessian of a loss in all weights, from second derivatives by autograd, one column at a time.

    Args:
        loss: from weights to one number per network, of shape (networks,); networks must not interact.
        weights: W_1 .. W_L, each of shape (networks, ...), any number of further dimensions.
        progress: called with the fraction of columns done; it may raise to stop.

    Returns:
        Shape (networks, n, n), where n is the number of weights of one network, in the order W_1 .. W_L, row-major.
    """
    shapes = [weight.shape for weight in weights]
    sizes = [weight[0].numel() for weight in weights]
    flat = torch.cat([weight.reshape(len(weight), -1) for weight in weights], -1).detach().requires_grad_()
    pieces = [piece.reshape(shape) for piece, shape in zip(torch.split(flat, sizes, -1), shapes, strict=True)]
    (gradient,) = torch.autograd.grad(loss(pieces).sum(), flat, create_graph=True)
    columns = []
    for index in range(sum(sizes)):
        progress(index / sum(sizes), f"column {index} of {sum(sizes)} of the Hessian")
        columns.append(torch.autograd.grad(gradient[:, index].sum(), flat, retain_graph=True)[0])
    return torch.stack(columns, dim=-1)


def checked_sharpness(
    found: Tensor, loss: Callable[[Sequence[Tensor]], Tensor], weights: Sequence[Tensor], progress: Progress
) -> Tensor:
    """The sharpness at zero loss that another route has found, after the whole Hessian has confirmed it.

    Args:
        found: the sharpness by another route, of shape (networks,).
        loss: as in `hessian`.
        weights: as in `hessian`.
        progress: as in `hessian`.

    Raises:
        Disagreement: the two routes differ by more than rounding.
    """
    check_sharpness(largest_eigenvalue(hessian(loss, weights, progress)), found)
    return found


def check_sharpness(by_hessian: Tensor, by_gauss_newton: Tensor) -> None:
    """Compare the sharpness at zero loss by two routes, both of shape (networks,).

    Raises:
        Disagreement: the two routes differ by more than rounding.
    """
    worst = float((by_hessian / by_gauss_newton - 1).abs().max())
    if not worst <= ROUNDING:
        share = f"{worst:.1e}".replace("e-0", "e-")
        raise Disagreement(f"sharpness: the Hessian by autograd and the matrix J J^T differ relatively by {share}")


def _identity(like: Tensor, size: int) -> Tensor:
    return torch.eye(size, dtype=like.dtype).expand(*like.shape[:-2], size, size)
