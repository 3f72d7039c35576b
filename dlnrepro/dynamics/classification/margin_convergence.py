"""How the predictor of one run converges to the maximum-margin direction, and the asymptotic laws of its approach.

Conventions: w is the predictor W_L ... W_1, of shape (points, dimension) along a path; ubar, gamma and rho are those of
`dynamics.classification.maximum_margin`. As log(1/R) grows, w = c ubar + rho + o(1) and c gamma ~ log(1/R), for every
depth L. So

    sin(w, ubar) log(1/R)                        -> gamma ||rho||
    (1 - min_i <w, z_i> / (gamma ||w||)) log(1/R)  -> max over support vectors of -<rho, z_i>.

If the support vectors do not span the data, the part of W_1 outside their span stays as it starts, while the rest of
the network grows. Then sin(w, ubar) ~ ||w||^(-1/L) instead. Source: derived here; Ji and Telgarsky 2019
(arXiv:1810.02032) state no rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.classification.maximum_margin import MaximumMargin, limit_offset, maximum_margin
from dlnrepro.dynamics.fits.slopes import windowed_ratio, windowed_slope, within
from dlnrepro.dynamics.networks.gaps import sine
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of


@dataclass(frozen=True)
class Direction:
    """The predictor along a path, compared with the maximum margin.

    Attributes:
        sine: sin(w, ubar), of shape (points,).
        margin_gap: 1 - min_i <w, z_i> / (gamma ||w||), of shape (points,): 0 for the maximum margin, above 1 if a
            point is misclassified.
        sine_constant: gamma ||rho||, a number.
        margin_constant: max over support vectors of -<rho, z_i>, a number.
    """

    sine: Tensor
    margin_gap: Tensor
    sine_constant: Tensor
    margin_constant: Tensor


class DirectionFit(NamedTuple):
    """Fits of the two laws to a path, each a number; NaN for a path that does not reach the window.

    Attributes:
        slope: exponent of sin(w, ubar) as a power of log(1/R): -1 in the limit.
        margin_slope: exponent of the margin gap as a power of log(1/R): -1 in the limit.
        constant: sin(w, ubar) log(1/R) over its limit, where the ratio is farthest from 1.
        margin_constant: the margin gap times log(1/R) over its limit, where the ratio is farthest from 1.
    """

    slope: Tensor
    margin_slope: Tensor
    constant: Tensor
    margin_constant: Tensor


def fit_direction(
    turn: Direction, reached: Tensor, window: tuple[float, float], late: tuple[float, float]
) -> DirectionFit:
    """`DirectionFit` of one run.

    Args:
        turn: the run's path.
        reached: log(1/R) along it, of shape (points,).
        window: the range of log(1/R) in which exponents are fitted, ends included.
        late: the range of log(1/R) in which constants are compared, ends included.
    """
    inside, last = within(reached, window), within(reached, late)
    return DirectionFit(
        slope=windowed_slope(reached, turn.sine, inside),
        margin_slope=windowed_slope(reached, turn.margin_gap, inside),
        constant=windowed_ratio(turn.sine * reached, turn.sine_constant, last),
        margin_constant=windowed_ratio(turn.margin_gap * reached, turn.margin_constant, last),
    )


def observe_direction(predictor: Tensor, signed: Tensor, solution: MaximumMargin) -> Direction:
    """`Direction` of one run.

    With w = c ubar + p, p perpendicular, the margin gap times gamma ||w|| is

        gamma (||w|| - c) + max_i (-c (<ubar, z_i> - gamma) - <p, z_i>),    ||w|| - c = ||p||^2 / (||w|| + c),

    where <ubar, z_i> - gamma is exactly 0 for support vectors. So the only cancellation is in p itself.

    Args:
        predictor: w, of shape (points, dimension).
        signed: Z, of shape (samples, dimension), whose maximum margin is `solution`.
        solution: the maximum margin of `signed`, by the oracle.
    """
    axis = tensor_of(solution.direction)
    along = predictor @ axis
    across = predictor - along[:, None] * axis
    length = torch.linalg.vector_norm(predictor, dim=-1)
    slack = signed @ axis - solution.margin
    slack[tensor_of(solution.support)] = 0
    least = (-along[:, None] * slack - across @ signed.mT).amax(-1)
    square = (across**2).sum(-1)
    lead = torch.where(along > 0, square / (length + along.clamp_min(0)), length - along)
    offset = tensor_of(limit_offset(array_of(signed), solution))
    support = signed[tensor_of(solution.support)]
    return Direction(
        sine=square.sqrt() / length,
        margin_gap=(least + solution.margin * lead) / (solution.margin * length),
        sine_constant=solution.margin * torch.linalg.vector_norm(offset),
        margin_constant=-(support @ offset).min(),
    )


def sine_to_scaled(predictor: Tensor, signed: Tensor, rates: Tensor) -> Tensor:
    """sin(w, D^(1/2) u), with u the maximum-margin direction of Z D^(1/2): 0 in the limit of learning rates D.

    D holds the learning rates of W_1's columns. With W_1 = V D^(1/2), the flow of V and the other layers is plain
    gradient flow on the data Z D^(1/2).

    Args:
        predictor: w, of shape (dimension,).
        signed: separable Z, of shape (samples, dimension); scaling its columns keeps it separable.
        rates: D, of shape (dimension,).
    """
    roots = rates.sqrt()
    scaled = maximum_margin(array_of(signed * roots))
    if scaled is None:
        return torch.full((), torch.nan, dtype=torch.float64)
    return sine(predictor, roots * tensor_of(scaled.direction))
