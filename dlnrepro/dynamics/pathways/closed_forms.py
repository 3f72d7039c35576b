"""Closed forms for parallel deep linear paths: sharpness, the stability limit on shares, and the race's end.

The model is M = sum_p W_{p,L} ... W_{p,1} with loss 1/2 ||M - M*||_F^2. A mode of M* has strength s; path p
carries q_p of it, and its share is x_p = |q_p| / sum |q|. Throughout b = 2 - 2/L, S1 = L s^b is the sharpness of a
depth-balanced minimum that one path carries alone, and gamma = (step size) x S1 is the step ratio. Depth L counts
weight matrices.

Sources: Kim, Lee 2026 (arXiv:2606.05219) for the sharpness, its factor P^(2/L-1) and the limits 2 and
2 P^(1-2/L) on gamma; the conservation law and the curve x*(gamma) are derived here.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from dlnrepro.dynamics.fits.bisection import bisect
from dlnrepro.dynamics.tensors.arrays import array_of
from dlnrepro.dynamics.tensors.per_run import each_run


def balanced_sharpness(contributions: Tensor, depth: int) -> Tensor:
    """max_k L sum_p |q_{p,k}|^(2-2/L): the largest Hessian eigenvalue at an aligned, balanced, zero-loss solution.

    Aligned: every path has the singular vectors of the target; balanced: the layers of a path share its singular
    values evenly, q^(1/L) each. The Hessian is then J^T J, with eigenvalues
    lambda_ij = sum_p sum_l q_{p,i}^(2(L-l)/L) q_{p,j}^(2(l-1)/L) <= (lambda_ii + lambda_jj)/2.

    Args:
        contributions: q_{p,k} of shape (..., paths, modes).
        depth: L.
    """
    return depth * (contributions.abs() ** (2 - 2 / depth)).sum(-2).amax(-1)


def single_path_sharpness(strength: float, depth: int) -> float:
    """S1 = L s^(2-2/L), the sharpness when one path carries a mode of strength s alone."""
    return float(depth * strength ** (2 - 2 / depth))


def equal_split_factor(paths: int, depth: int) -> float:
    """P^(2/L-1): the sharpness of an equal split over that of a single path; 1 at depth 2."""
    return float(paths ** (2 / depth - 1))


def equality_limit(paths: int, depth: int) -> float:
    """2 P^(1-2/L): the step ratio from which no zero-loss solution is stable but, at most, the equal split."""
    return 2 / equal_split_factor(paths, depth)


def largest_stable_share(step_ratios: Tensor, paths: int, depth: int) -> Tensor:
    """x*(gamma): the largest share one path can have at a zero-loss solution that gradient descent does not leave.

    Any weights have sharpness >= L sum_p |u^T M_p v|^b, and among splits with largest share x the flattest shares
    the rest evenly, so a linearly stable solution obeys x^b + (P-1)^(1-b) (1-x)^b <= 2/gamma. The left side rises
    from P^(1-b) at x = 1/P to 1 at x = 1, hence x <= x*: the root inside the window, 1 up to gamma = 2, and 1/P
    from 2 P^(1-2/L) on, where nothing is stable but the equal split at best. At depth 2 the window is empty.

    Args:
        step_ratios: gamma > 0, of any shape.
        paths: P >= 2.
        depth: L >= 2.

    Returns:
        x* in [1/P, 1], shaped as the step ratios. Derived here.
    """
    power = 2 - 2 / depth

    def excess(share: Tensor) -> Tensor:
        rest = ((1 - share) ** power).mul((paths - 1) ** (1 - power))
        return share**power + rest - 2 / step_ratios

    root = bisect(excess, torch.full_like(step_ratios, 1 / paths), torch.ones_like(step_ratios))
    share = torch.where(step_ratios >= equality_limit(paths, depth), torch.full_like(root, 1 / paths), root)
    return torch.where(step_ratios <= 2, torch.ones_like(root), share)


def race_end(start: Tensor, strength: float, depth: int, law_depth: int) -> Tensor:
    """The contributions at which gradient flow of aligned, balanced paths ends, by their conservation law.

    dw_p/dt = w_p^(L-1) (s - sum_r w_r^L) gives d(w_p^-(L-2))/dt the same for every path, so for L >= 3 the
    differences w_p^-(L-2) - w_r^-(L-2) are conserved; at depth 2 the quotients w_p / w_r are. With sum_p w_p^L = s
    they fix the end. Derived here.

    Args:
        start: layer scalars w_p(0) > 0, of shape (..., paths); the sum of w^L lies below s.
        strength: s.
        depth: L of the model, which makes q = w^L.
        law_depth: the depth whose conservation law is used; another one than L is a deliberate error.

    Returns:
        q_p at the end, of shape (..., paths), zero for a path that starts at zero.
    """
    power = law_depth - 2
    lead = start.amax(-1, keepdim=True)

    def end(winner: Tensor) -> Tensor:
        if power == 0:
            return start / lead * winner
        return (start**-power - lead**-power + winner**-power) ** (-1 / power)

    def excess(winner: Tensor) -> Tensor:
        return (end(winner) ** depth).sum(-1, keepdim=True) - strength

    ceiling = torch.full_like(lead, strength ** (1 / depth))
    return end(bisect(excess, torch.minimum(lead, ceiling), ceiling)) ** depth


def stability_exponents(step_ratios: Tensor, shares: Tensor, used: Tensor) -> Tensor:
    """The exponent beta for which x^beta + (1-x)^beta = gamma_c / gamma fits best, one number per run.

    Least squares in the logarithm: beta makes log(gamma) + log(x^beta + (1-x)^beta) vary least over the points
    used, and gamma_c is free. The law has beta = 2 - 2/L and gamma_c = 2, for two paths.

    Args:
        step_ratios: gamma, of shape (points,).
        shares: the larger share x of each run, of shape (runs, points).
        used: which points to use, of shape (runs, points).

    Returns:
        beta in [1, 3], of shape (runs,); 0 where fewer than three points are to be used; NaN if one is not finite.
    """

    def fitted(share: Tensor, mask: Tensor) -> Tensor:
        gamma, x = array_of(step_ratios[mask]), array_of(share[mask])
        if len(x) < 3:
            return share.new_zeros(())
        if not np.isfinite(x).all():
            return share.new_full((), torch.nan)

        def scatter(beta: float) -> float:
            return float(np.var(np.log(gamma) + np.log(x**beta + (1 - x) ** beta)))

        best = minimize_scalar(scatter, bounds=(1, 3), method="bounded", options={"xatol": 1e-9})
        return share.new_tensor(best.x)

    return each_run(fitted, shares, used)
