"""How a descent converges: the factor by which one step multiplies an error."""

from __future__ import annotations

import torch
from torch import Tensor


def settling_factors(errors: Tensor, window: tuple[float, float]) -> Tensor:
    """The median of e_(t+1) / e_t over the steps whose error lies in a window, of shape (runs, points).

    The factor is NaN if no error lies in the window, or if an error is not finite.

    Args:
        errors: e_t, which may have either sign, at every step, of shape (runs, points, steps + 1).
        window: the smallest and the largest |e_t| that count.
    """
    return torch.stack([torch.stack([_factor(row, *window) for row in rows]) for rows in errors])


def _factor(errors: Tensor, least: float, largest: float) -> Tensor:
    """The factor of one descent."""
    sizes = errors[:-1].abs()
    inside = (sizes > least) & (sizes < largest)
    if not bool(torch.isfinite(errors).all()) or not bool(inside.any()):
        return torch.full((), torch.nan, dtype=errors.dtype)
    return (errors[1:][inside] / errors[:-1][inside]).median()
