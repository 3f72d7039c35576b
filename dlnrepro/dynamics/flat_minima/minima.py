"""The sharpness of global minima, the largest eigenvalue of the Hessian of 1/2 ||W_L ... W_1 - Z||_F^2.

At zero loss the Hessian is J^T J, where J is the Jacobian of the product W_L ... W_1 in the weights. So its largest
eigenvalue is that of the tangent kernel J J^T.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.curvature import checked_sharpness, largest_eigenvalue
from dlnrepro.dynamics.networks.tangent_kernel import tangent_kernel
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import Progress


def sharpness_at_minima(weights: Sequence[Tensor]) -> Tensor:
    """The largest eigenvalue of the tangent kernel J J^T, which is the sharpness at zero loss, of shape (runs, ...).

    Args:
        weights: W_1 .. W_L of global minima, each of shape (runs, ..., n_l, n_(l-1)).
    """
    return each_run(lambda *layers: largest_eigenvalue(tangent_kernel(layers)), *weights)


def confirmed_sharpness(weights: Sequence[Tensor], target: Tensor, progress: Progress) -> Tensor:
    """`sharpness_at_minima`, checked against the whole Hessian by automatic differentiation, of shape (runs,).

    Args:
        weights: W_1 .. W_L, each of shape (runs, n_l, n_(l-1)).
        target: Z, of shape (runs, n_L, n_0).
        progress: called with the fraction of the columns of the Hessian that is done; may raise to stop.

    Raises:
        Disagreement: the two eigenvalues differ, for instance because the weights are not global minima.
    """

    def loss(layers: Sequence[Tensor]) -> Tensor:
        residual = product(layers) - target
        return 0.5 * (residual * residual).sum((-2, -1))

    return checked_sharpness(sharpness_at_minima(weights), loss, weights, progress)
