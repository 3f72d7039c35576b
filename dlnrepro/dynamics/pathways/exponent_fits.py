"""The exponent of the law of stable shares, fitted to measured shares.

It has a module of its own because scipy's optimisers, which it needs, take longer to import than a small claim takes to
compute, and most runners need only the closed forms.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import array_of
from dlnrepro.dynamics.tensors.per_run import each_run


def stability_exponents(step_ratios: Tensor, shares: Tensor, used: Tensor) -> Tensor:
    """The exponent beta for which x^beta + (1-x)^beta = gamma_c / gamma fits best, one number per run.

    The fit is by least squares in the logarithm: beta minimises the variance of log(gamma) + log(x^beta + (1-x)^beta)
    over the points that are used, and gamma_c is free. Theory for two paths is beta = 2 - 2/L and gamma_c = 2.

    Args:
        step_ratios: gamma, of shape (points,).
        shares: the larger share x of each run, of shape (runs, points).
        used: whether a point is used, of shape (runs, points).

    Returns:
        beta in [1, 3], of shape (runs,); NaN if fewer than three points are used or a share is not finite.
    """

    def fitted(share: Tensor, mask: Tensor) -> Tensor:
        gamma, x = array_of(step_ratios[mask]), array_of(share[mask])
        if len(x) < 3 or not np.isfinite(x).all():
            return share.new_full((), torch.nan)

        def scatter(beta: float) -> float:
            return float(np.var(np.log(gamma) + np.log(x**beta + (1 - x) ** beta)))

        best = minimize_scalar(scatter, bounds=(1, 3), method="bounded", options={"xatol": 1e-9})
        return share.new_tensor(best.x)

    return each_run(fitted, shares, used)
