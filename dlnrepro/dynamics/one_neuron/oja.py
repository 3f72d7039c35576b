"""Oja's flow of the directions of a balanced network with a one-neuron layer, on the clock dtau = s^(1-2/L) dt.

    u' = (I - u u^T) Z v,   v' = (I - v v^T) Z^T u

is Oja's flow of the symmetric matrix H = [[0, Z], [Z^T, 0]]: (u; v) is e^(H tau) (u_0; v_0), normalised. In the
eigenvectors of H, with p = (a + b)/2 and q = (a - b)/2 from the coordinates a_k = u_k^T u and b_k = v_k^T v,

    p_k -> p_k e^(sigma_k tau),   q_k -> q_k e^(-sigma_k tau),

and the coordinates outside the range of Z stay constant. Neither the depth L nor the strength s enters. This was
derived for this project; the flow is from Oja (1982, J. Math. Biology 15).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.one_neuron.start import Pair
from dlnrepro.dynamics.tensors.per_run import each_run


def linear_modes(strengths: Tensor, pair: Pair) -> tuple[Tensor, Tensor]:
    """Growth rates and coefficients of the linear flow of (u; v)/sqrt(2): p_k, q_k, then the constant coordinates.

    Args:
        strengths: sigma_k of the target, of shape (runs, modes).
        pair: the initial unit vectors, in the basis of the target.

    Returns:
        Two tensors of shape (runs, rows + columns); the coefficients have norm 1.
    """
    modes = strengths.shape[-1]
    a, b = pair.left, pair.right
    rest = torch.cat([a[:, modes:], b[:, modes:]], dim=-1) / 2**0.5
    coefficients = torch.cat([(a[:, :modes] + b[:, :modes]) / 2, (a[:, :modes] - b[:, :modes]) / 2, rest], dim=-1)
    return torch.cat([strengths, -strengths, torch.zeros_like(rest)], dim=-1), coefficients


def pair_coordinates(coefficients: Tensor, modes: int, rows: int) -> tuple[Tensor, Tensor]:
    """The coordinates a (..., rows) and b (..., columns) of u and v from coefficients as `linear_modes` orders them."""
    p, q, rest = (
        coefficients[..., :modes],
        coefficients[..., modes : 2 * modes],
        coefficients[..., 2 * modes :] * 2**0.5,
    )
    left = torch.cat([p + q, rest[..., : rows - modes]], dim=-1)
    return left, torch.cat([p - q, rest[..., rows - modes :]], dim=-1)


def directions_at(strengths: Tensor, pair: Pair, clock: Tensor) -> tuple[Tensor, Tensor]:
    """The coordinates of u and v in the basis of the target, at given times of the clock.

    Args:
        strengths: sigma_k of the target, of shape (runs, modes).
        pair: the initial unit vectors, in the basis of the target.
        clock: tau >= 0, of shape (runs, points).

    Returns:
        a of shape (runs, points, rows) and b of shape (runs, points, columns).
    """
    growth, coefficients = linear_modes(strengths, pair)

    def directions(rates: Tensor, parts: Tensor, times: Tensor) -> Tensor:
        grown = parts * torch.exp((rates - rates.max()) * times[:, None])
        return grown.div(torch.linalg.vector_norm(grown, dim=-1, keepdim=True))

    grown = each_run(directions, growth, coefficients, clock)
    return pair_coordinates(grown, strengths.shape[-1], pair.left.shape[-1])
