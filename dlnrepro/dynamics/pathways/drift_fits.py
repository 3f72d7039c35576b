"""Numbers from a sweep of the drift of a losing path: its onset, its size, and the growth of the restoration time.

The drift is the fall of z = w^-(L-2) per step, where w is the layer scalar of the losing path.

Conventions: series have the shape (runs, points), and what is swept (points,). An entry that is not finite means that z
does not fall, or that the time is not reached, at this point.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import array_of
from dlnrepro.dynamics.tensors.per_run import each_run


def farthest_ratio(drift: Tensor, law: Tensor) -> Tensor:
    """The quotient drift / law that is farthest from 1 in the sweep, of shape (runs,); NaN where one is missing."""
    ratios = torch.where(torch.isfinite(drift) & (law > 0), drift / law, torch.nan)
    farthest = ratios.take_along_dim((ratios - 1).abs().argmax(-1, keepdim=True), -1)[:, 0]
    return torch.where(ratios.isnan().any(-1), torch.nan, farthest)


def onset(drift: Tensor, ratios: Tensor) -> tuple[Tensor, Tensor]:
    """The gamma / 2 - 1 at which the drift vanishes, and the slope of the drift in gamma there, by a cubic in gamma.

    For a run without drift at some point, and if gamma is not swept, they are NaN.

    Args:
        drift: the fall of z per step, of shape (runs, points).
        ratios: gamma, of shape (points,), with at least four points.

    Returns:
        Two tensors of shape (runs,).
    """

    def fitted(row: Tensor) -> Tensor:
        if not bool(torch.isfinite(row).all()) or bool(ratios[0] == ratios[-1]):
            return row.new_full((2,), torch.nan)
        cubic = np.polynomial.Polynomial.fit(array_of(ratios - 2), array_of(row), 3)
        roots = cubic.roots()
        root = float(roots[np.abs(roots).argmin()].real)
        return row.new_tensor([root / 2, float(cubic.deriv()(root))])

    gap, slope = each_run(fitted, drift).unbind(-1)
    return gap, slope


def restoration(times: Tensor, lags: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
    """The exponent of a time in the initialization scale, and its slope in the lag, by least-squares lines.

    Both are NaN for a run in which some time is not reached, and if the scale is not swept.

    Args:
        times: restoration times, of shape (runs, points).
        lags: z when the mode is learned, of shape (runs, points).
        scales: initialization scales, of shape (points,).

    Returns:
        Two tensors of shape (runs,).
    """

    def fitted(row: Tensor, lag: Tensor) -> Tensor:
        if not bool(torch.isfinite(row).all()) or bool(scales[0] == scales[-1]):
            return torch.full_like(scales[:2], torch.nan)
        return scales.new_tensor([_line_slope(scales.log(), row.log()), _line_slope(lag, row)])

    exponent, rise = each_run(fitted, times, lags).unbind(-1)
    return exponent, rise


def _line_slope(x: Tensor, y: Tensor) -> float:
    """The slope of the least-squares line through the points of one run."""
    return float(np.polynomial.Polynomial.fit(array_of(x), array_of(y), 1).deriv()(0.0))
