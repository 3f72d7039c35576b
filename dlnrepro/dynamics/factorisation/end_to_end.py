"""The motion of a balanced network's product, without its layers.

For balanced weights, W_(l+1)^T W_(l+1) = W_l W_l^T, gradient flow of the layers moves W = W_L ... W_1 by

    dW/dt = - sum_(j=1)^L (W W^T)^((j-1)/L) G (W^T W)^((L-j)/L),   G = dR/dW.

In the singular basis W = U diag(sigma) V^T the entry (r, c) of the gradient is therefore multiplied by
sum_j sigma_r^(2(j-1)/L) sigma_c^(2(L-j)/L), and each singular value moves by

    dsigma_r/dt = -L sigma_r^(2-2/L) u_r^T G v_r.

Source: Arora, Cohen, Hazan 2018 (arXiv:1802.06509) for the first equation, and Arora, Cohen, Hu, Luo 2019
(arXiv:1905.13655) for the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.processor import decomposed

_CENTRAL = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
EDGE = len(_CENTRAL)
"""The factors of the central difference of order eight, and the points on each side of its centre."""

_REPORT_EVERY = 300
_MOST_EVALUATIONS = 200_000


def end_to_end_velocity(matrix: Array, gradient: Array, depth: int) -> Array:
    """dW/dt of the product of a balanced network, of shape (n_L, n_0).

    Args:
        matrix: W, of shape (n_L, n_0).
        gradient: G, of the same shape.
        depth: L >= 1; for L = 1 the velocity is -G.
    """
    left, strengths, right = np.linalg.svd(matrix)
    rows, columns = (np.zeros(size) for size in matrix.shape)
    rows[: len(strengths)] = columns[: len(strengths)] = strengths ** (2 / depth)
    powers = np.arange(depth)
    factors = (rows[:, None] ** powers) @ (columns[:, None] ** powers[::-1]).T
    return np.asarray(-left @ (factors * (left.T @ gradient @ right.T)) @ right)


def singular_velocity(matrix: Tensor, gradient: Tensor, depth: int) -> tuple[Tensor, Tensor, Tensor]:
    """dsigma_r/dt of the product of a balanced network, with the singular vectors of the product.

    Args:
        matrix: W, of shape (..., n_L, n_0).
        gradient: G, of the same shape.
        depth: L >= 1.

    Returns:
        U of shape (..., n_L, k), V of shape (..., n_0, k), and the velocities of shape (..., k), k = min(n_L, n_0).
    """
    left, strengths, right = decomposed(torch.linalg.svd, matrix, full_matrices=False)
    along = torch.diagonal(left.mT @ gradient @ right.mT, dim1=-2, dim2=-1)
    return left, right.mT, -depth * strengths ** (2 - 2 / depth) * along


def follow_product(
    start: Array,
    gradient: Callable[[Array], Array],
    depth: int,
    times: Array,
    tolerance: float,
    tick: Callable[[float], None],
) -> Array:
    """The product at the given times, by its own equation alone; NaN after a time at which the solver stopped.

    Args:
        start: W at time 0.
        gradient: from W to G.
        depth: L.
        times: rising, from 0 or later.
        tolerance: relative tolerance per step of DOP853; the absolute tolerance is a thousandth of it.
        tick: called with the time of the solver every few hundred evaluations; it may raise to stop the solver.

    Returns:
        Shape (points, n_L, n_0).
    """
    shape, evaluations = start.shape, 0

    def velocity(time: float, state: Array) -> Array:
        nonlocal evaluations
        evaluations += 1
        if evaluations % _REPORT_EVERY == 0:
            tick(time)
        matrix = state.reshape(shape)
        if evaluations > _MOST_EVALUATIONS or not np.isfinite(matrix).all():
            return np.full_like(state, np.nan)
        return end_to_end_velocity(matrix, gradient(matrix), depth).ravel()

    path = np.full((len(times), start.size), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(
            velocity,
            (0.0, float(times[-1])),
            start.ravel(),
            method="DOP853",
            t_eval=times,
            rtol=tolerance,
            atol=tolerance / 1000,
        )
    path[: solution.y.shape[1]] = solution.y.T
    return path.reshape(len(times), *shape)


def stencils(centres: Tensor, spacings: Tensor) -> Tensor:
    """Nine evenly spaced times around each centre, of shape (runs, centres, 9), from which `path_velocity` differs.

    Args:
        centres: of shape (centres,).
        spacings: the time between two points of a run, of shape (runs,).
    """
    offsets = torch.arange(-EDGE, EDGE + 1, dtype=torch.float64)
    return centres[:, None] + spacings[:, None, None] * offsets


def path_velocity(path: Tensor, spacings: Tensor) -> Tensor:
    """The velocity at the centres of `stencils`, by central differences of order eight.

    Args:
        path: matrices at the nine times of every stencil, of shape (runs, centres, 9, rows, columns).
        spacings: the time between two points of a run, of shape (runs,).

    Returns:
        Shape (runs, centres, rows, columns).
    """
    differences = [factor * (path[:, :, EDGE + far] - path[:, :, EDGE - far]) for far, factor in enumerate(_CENTRAL, 1)]
    return torch.stack(differences).sum(0) / spacings[:, None, None, None]


def singular_velocity_error(path: Tensor, velocity: Tensor, gradient: Tensor, depth: int) -> Tensor:
    """The largest error of `singular_velocity` along the path of each run, over the largest measured velocity.

    The velocity u_r^T (dW/dt) v_r is measured from the path alone, without a gradient and without layers.

    Args:
        path: W, of shape (runs, centres, n_L, n_0).
        velocity: dW/dt, measured from the path, of the same shape.
        gradient: dR/dW of the loss that the claim states, of the same shape.
        depth: L in the formula.

    Returns:
        Shape (runs,).
    """

    def error(own: Tensor, moving: Tensor, slope: Tensor) -> Tensor:
        left, right, formula = singular_velocity(own, slope, depth)
        measured = torch.diagonal(left.mT @ moving @ right, dim1=-2, dim2=-1)
        largest: Tensor = (measured - formula).abs().amax() / measured.abs().amax()
        return largest

    return each_run(error, path, velocity, gradient)


def layer_velocity_error(velocities: Sequence[Tensor], slopes: Sequence[Tensor]) -> Tensor:
    """The largest ||dW_l/dt + dR/dW_l||_F along the path of each run, over the largest ||dW_l/dt||_F, of shape (runs,).

    Args:
        velocities: dW_l/dt, measured from the path, each of shape (runs, centres, n_l, n_(l-1)).
        slopes: dR/dW_l, in the same shapes.
    """
    pairs = zip(velocities, slopes, strict=True)
    off = torch.stack([torch.linalg.matrix_norm(moving + slope) for moving, slope in pairs])
    fast = torch.stack([torch.linalg.matrix_norm(moving) for moving in velocities])
    return off.amax(0).amax(-1) / fast.amax(0).amax(-1)
