"""The closed form of one mode's learning curve in a deep linear network, from an aligned and balanced initialization.

Every layer has the scalar x of the mode, and the product has a = x^L. Gradient flow on white inputs is

    x' = x^(L-1) (s - x^L),     that is     a' = L a^(2-2/L) (s - a).

As 1 / (x^(L-1) (s - x^L)) = (x^(1-L) + x / (s - x^L)) / s, the time has a closed form. With the L complex roots r_j of
r^L = s,

    s t(x) = e(x) - sum_j r_j^2 log(1 - x / r_j) / (L s) + constant,

where e(x) is log x for L = 2 and x^(2-L) / (2-L) for L > 2. For L = 2 this is the logistic curve
a = s / (1 + (s / a_0 - 1) e^(-2 s t)).

Source: Saxe, McClelland, Ganguli 2014 (arXiv:1312.6120) for the curves; the closed form for every L is derived here.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of

_HALVINGS = 64


def mode_clock(scalars: Array, strengths: Array, depth: int) -> Array:
    """The time t(x) of the closed form, which rises with x; only differences of times have a meaning.

    Args:
        scalars: x in (0, s^(1/L)), of a shape that broadcasts with that of the strengths.
        strengths: s > 0.
        depth: L >= 2.

    Returns:
        Times, of the common shape.
    """
    roots = strengths[..., None] ** (1 / depth) * np.exp(2j * np.pi * np.arange(depth) / depth)
    early = np.log(scalars) if depth == 2 else scalars ** (2 - depth) / (2 - depth)
    with np.errstate(divide="ignore", invalid="ignore"):  # at the end of a curve t is infinite or NaN
        late = (roots**2 * np.log(1 - scalars[..., None] / roots)).real.sum(-1) / (depth * strengths)
    return np.asarray((early - late) / strengths)


def mode_curves(strengths: Tensor, starts: Tensor, depth: int, times: Tensor) -> Tensor:
    """The values a(t) of the modes in the product at the given times, found by bisection on `mode_clock`.

    Runs are computed one after another, because the rounding of powers and logarithms would otherwise depend on a run's
    place in its batch.

    Args:
        strengths: s, of shape (runs, modes).
        starts: a(0) in (0, s), of shape (runs, modes).
        depth: L >= 2.
        times: t >= 0, of shape (points,).

    Returns:
        Shape (runs, points, modes).
    """
    curves = [
        _curve(row, start, depth, array_of(times))
        for row, start in zip(array_of(strengths), array_of(starts), strict=True)
    ]
    return tensor_of(np.stack(curves))


def _curve(strengths: Array, starts: Array, depth: int, times: Array) -> Array:
    """The curves of one run, of shape (points, modes)."""
    low = np.broadcast_to(starts ** (1 / depth), (len(times), len(starts))).copy()
    high = np.broadcast_to(strengths ** (1 / depth), low.shape).copy()
    wanted = mode_clock(low[:1], strengths, depth) + times[:, None]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        early = mode_clock(middle, strengths, depth) < wanted
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return np.asarray(((low + high) / 2) ** depth)
