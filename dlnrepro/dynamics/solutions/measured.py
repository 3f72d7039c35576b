"""Norms, gains and Hessians of weights at zero loss.

Conventions: W_l has shape (runs, paths, n_l, n_(l-1)), the network is M = sum_p W_(p,L) ... W_(p,1), and the loss is
1/2 E||M x - Z x||^2 with inputs x of second moment v I, which is v/2 ||M - Z||_F^2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.curvature import checked_sharpness, gauss_newton, largest_eigenvalue
from dlnrepro.dynamics.networks.gaps import singular_triples
from dlnrepro.dynamics.pathways.parallel_paths import loss, network
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.dynamics.tensors.progress import Progress


def squared_norm(weights: Sequence[Tensor]) -> Tensor:
    """sum_(p,l) ||W_(p,l)||_F^2, of shape (runs,)."""
    return squared_length(weights).sum(-1)


def hessian_spectrum(weights: Sequence[Tensor]) -> Tensor:
    """The eigenvalues of J J^T, largest first, of shape (runs, n_L n_0): at zero loss those of the Hessian for v = 1.

    All other eigenvalues of the Hessian are zero. J is the Jacobian of vec(M) in all weights.
    """

    def spectrum(matrix: Tensor) -> Tensor:
        if not bool(torch.isfinite(matrix).all()):
            return torch.full_like(matrix[0], torch.nan)
        values: Tensor = decomposed(torch.linalg.eigvalsh, matrix).flip(-1)
        return values

    return each_run(spectrum, gauss_newton(weights))


def sharpness_by_two_routes(weights: Sequence[Tensor], target: Tensor, progress: Progress) -> Tensor:
    """The largest eigenvalue of J J^T, after that of the whole Hessian by autograd has confirmed it, of shape (runs,).

    It is NaN for a run whose weights are not finite.

    Args:
        weights: W_1 .. W_L, with the network Z.
        target: Z, of shape (runs, n_L, n_0).
        progress: called with the fraction of the columns of the Hessian that is done; may raise to stop.

    Raises:
        Disagreement: the two eigenvalues differ, for instance because the network is not Z.
    """
    found = each_run(largest_eigenvalue, gauss_newton(weights))
    known = torch.isfinite(found)
    if bool(known.any()):
        kept, wanted = [weight[known] for weight in weights], target[known]
        checked_sharpness(found[known], lambda layers: loss(layers, wanted), kept, progress)
    return found


def gain_ratio(weights: Sequence[Tensor]) -> Tensor:
    """The largest over the smallest gain of a layer along the first mode of the network, of shape (runs,), at least 1.

    The gain of layer l of a path is ||h_l|| / ||h_(l-1)||, with h_l = W_l ... W_1 v and the first right singular vector
    v of M. The ratio is the largest over all paths.
    """
    _, _, right = singular_triples(network(weights))
    states = [right[:, None, :, :1].expand(-1, weights[0].shape[1], -1, -1)]
    for weight in weights:
        states.append(weight @ states[-1])
    norms = torch.stack([torch.linalg.matrix_norm(state) for state in states], -1)
    gains = norms[..., 1:] / norms[..., :-1]
    return (gains.amax(-1) / gains.amin(-1)).amax(-1)


def power_sum(strengths: Tensor, exponent: float) -> Tensor:
    """sum_k s_k^q over the singular values s_k, of shape (runs,), from strengths of shape (runs, modes)."""
    return each_run(lambda row: (row**exponent).sum(), strengths)
