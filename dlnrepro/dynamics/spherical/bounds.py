"""How fast a balanced linear network turns towards the teacher on spherically symmetric data, and bounds on the angle.

W_1 .. W_L follow the gradient flow of the logistic population risk, from a balanced initialization. w = (W_L ... W_1)^T
is the predictor, theta its angle to the teacher, h = c_0 / pi (`symmetric_inputs.teacher_pull`), and
Y = -ln tan(theta / 2). Then

    d cos(theta) / dt = h sin^2(theta) |w|^(1-2/L),   so   Y(t) = Y(0) + h int_0^t |w|^(1-2/L) dt.

Bounds on 1 - cos(theta) = 2 / (e^(2Y) + 1) follow from bounds on the norm, which falls until a time T (0 if it never
falls) and rises afterwards. The bounds are 1 - cos(theta) <= 2 / (e^X + 1) with the following X <= 2 Y:

    L = 1   X = 2 Y(0) + 2 h t / |w(0)|                                  until T,
            X = 2 Y(T) + (4 h / q) (sqrt(|w(T)|^2 + q s) - |w(T)|)       at T + s;
    L = 2   X = 2 Y(0) + 2 h t;
    L > 2   X = 2 Y(0) + (2 / ((L-2) pi)) ln(1 + (L-2) c_0 t |w(0)|^(1-2/L))    until T,
            X = 2 Y(T) + 2 h |w(T)|^(1-2/L) s                            at T + s.

q = 0.6 bounds 2 z / (1 + e^z), and with it d|w|^(2/L)/dt: |w| <= (|w(0)|^(2/L) + q t)^(L/2). The lower bound of the
norm is |w| >= (|w(0)|^(2/L-1) + (L-2) c_0 t)^(-L/(L-2)), which is |w(0)| e^(-2 c_0 t) for L = 2.

The submission prints other constants for L > 2: the factor before the logarithm is 2 h, and the last power of |w(T)| is
2 - 2/L. Its lemmas give the constants above.

Source: Lin, Sun and Zhang, NeurIPS 2021, Theorems 1 and 5 and Lemmas 3 and 4 of the submission, which writes N for L.
The constants for L > 2 were derived here from the lemmas.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import each_run

Constants = Literal["derived", "printed"]

_FASTEST = 0.6


def log_cotangent(predictor: Tensor) -> Tensor:
    """Y = -ln tan(theta / 2) of predictors w (..., dimension), where theta is the angle to the first basis vector.

    tan(theta / 2) = |w_perp| / (|w| + w_1) if w_1 > 0, and else (|w| - w_1) / |w_perp|. Both avoid cancellation.
    """
    along, across = predictor[..., 0], torch.linalg.vector_norm(predictor[..., 1:], dim=-1)
    whole = torch.linalg.vector_norm(predictor, dim=-1)
    return torch.where(along > 0, (whole + along) / across, across / (whole - along)).log()


def clock_rate(norm: Tensor, depth: int) -> Tensor:
    """|w|^(1-2/L): Y grows at h times this rate."""
    return norm ** (1 - 2 / depth)


def turning_point(norm: Tensor) -> int:
    """The first record at which the norm (times,) rises: 0 if it never falls, else the record after its minimum."""
    least = int(norm.argmin())
    return 0 if least == 0 else min(least + 1, len(norm) - 1)


def doubled_bound(
    times: Tensor, cotangent: Tensor, norm: Tensor, depth: int, pull: float, constants: Constants
) -> Tensor:
    """The lower bound X on 2 Y along one run, of shape (times,); equal to 2 Y at time 0 and at T.

    Args:
        times: from 0 on, of shape (times,).
        cotangent: Y, of shape (times,).
        norm: |w|, of shape (times,).
        depth: L.
        pull: h = c_0 / pi.
        constants: for L > 2, the constants that follow from the lemmas, or those that the submission prints.
    """
    turn = turning_point(norm)
    first = 2 * cotangent[0] + _first_phase(times, norm[0], depth, pull, constants)
    second = 2 * cotangent[turn] + _second_phase(times - times[turn], norm[turn], depth, pull, constants)
    return torch.where(torch.arange(len(times)) < turn, first, second)


def norm_bounds(times: Tensor, start: Tensor, depth: int, pull: float) -> tuple[Tensor, Tensor]:
    """The lower and the upper bound on |w| along one run, each of shape (times,).

    For L = 1 the lower bound falls to 0 and stays there.

    Args:
        times: from 0 on, of shape (times,).
        start: |w(0)|, a single number.
        depth: L.
        pull: h = c_0 / pi.
    """
    upper = (start ** (2 / depth) + _FASTEST * times) ** (depth / 2)
    if depth == 2:
        return start * torch.exp(-2 * math.pi * pull * times), upper
    base = start ** (2 / depth - 1) + (depth - 2) * math.pi * pull * times
    return base.clamp_min(0) ** (depth / (2 - depth)), upper


def share_of_bound(cotangent: Tensor, bound: Tensor) -> Tensor:
    """The ratio of 1 - cos(theta) to its bound, (e^X + 1) / (e^(2 Y) + 1): at most 1 if the bound holds."""
    return torch.exp(_softplus(bound) - _softplus(2 * cotangent))


def _first_phase(times: Tensor, start: Tensor, depth: int, pull: float, constants: Constants) -> Tensor:
    """The growth of X while the norm falls."""
    if depth == 1:
        return 2 * pull * times / start
    if depth == 2:
        return 2 * pull * times
    growth = (depth - 2) * math.pi * pull * times * start ** (1 - 2 / depth)
    power = 2 * pull if constants == "printed" else 2 / ((depth - 2) * math.pi)
    return power * torch.log1p(growth)


def _second_phase(since: Tensor, norm: Tensor, depth: int, pull: float, constants: Constants) -> Tensor:
    """The growth of X after the norm has started to rise; `since` is negative before."""
    if depth == 1:
        return 4 * pull / _FASTEST * (torch.sqrt(norm**2 + _FASTEST * since.clamp_min(0)) - norm)
    power = (2 if constants == "printed" else 1) - 2 / depth
    return 2 * pull * norm**power * since


def _softplus(values: Tensor) -> Tensor:
    """ln(1 + e^x) without overflow."""
    return values.clamp_min(0) + torch.log1p(torch.exp(-values.abs()))


class BoundShares(NamedTuple):
    """Ratios to the bounds; a ratio above 1 violates a bound.

    Attributes:
        share: the ratio of 1 - cos(theta) to its bound at every time, of shape (runs, times).
        first: the largest `share` until the norm starts to rise, of shape (runs,).
        second: the largest `share` afterwards, of shape (runs,).
        norm: the largest ratio of |w| to its upper bound, or of its lower bound to |w|, of shape (runs,).
        turning_time: the first of the times at which the norm rises, of shape (runs,); NaN for a run that is not
            finite.
    """

    share: Tensor
    first: Tensor
    second: Tensor
    norm: Tensor
    turning_time: Tensor


def shares_of_bounds(
    times: Tensor, cotangent: Tensor, norm: Tensor, depth: int, pulls: Tensor, constants: Constants
) -> BoundShares:
    """The ratios of 1 - cos(theta) and of |w| to their bounds along paths.

    Args:
        times: of shape (times,).
        cotangent: Y = -ln tan(theta / 2) along each path, of shape (runs, times).
        norm: |w|, of shape (runs, times).
        depth: L in the bounds.
        pulls: h = c_0 / pi of each run, of shape (runs,).
        constants: the constants of the bounds, as derived or as printed.
    """
    given = list(zip(cotangent, norm, pulls.tolist(), strict=True))
    bound = torch.stack([doubled_bound(times, own, size, depth, pull, constants) for own, size, pull in given])
    share = each_run(share_of_bound, cotangent, bound)
    turns = torch.tensor([turning_point(row) for row in norm])
    falling = torch.arange(len(times)) <= turns[:, None]
    bounds = [norm_bounds(times, size[0], depth, pull) for _, size, pull in given]
    beyond = [torch.maximum(low / row, row / high).amax() for row, (low, high) in zip(norm, bounds, strict=True)]
    return BoundShares(
        share,
        first=torch.where(falling, share, 0.0).amax(-1),
        second=torch.where(falling, 0.0, share).amax(-1),
        norm=torch.stack(beyond),
        turning_time=torch.where(torch.isfinite(norm[:, -1]), times[turns], torch.nan),
    )
