"""Closed forms for parallel deep linear paths: sharpness, the stability limit on shares, and the end of gradient flow.

The model is M = sum_p W_(p,L) ... W_(p,1) with the loss 1/2 ||M - M*||_F^2. A mode of M* has the strength (singular
value) s; path p carries q_p of it, and its share is x_p = |q_p| / sum_r |q_r|. In all formulas b = 2 - 2/L, where the
depth L is the number of weight matrices. S1 = L s^b is the sharpness of a balanced minimum that one path carries alone,
and gamma = eta S1 is the step ratio, where eta is the step size.

Sources: Kim, Lee 2026 (arXiv:2606.05219) for the sharpness, its factor P^(2/L-1) and the limits 2 and
2 P^(1-2/L) on gamma; the conservation law and the curve x*(gamma) are derived here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.bisection import bisect


def balanced_sharpness(contributions: Tensor, depth: int) -> Tensor:
    """The sharpness of an aligned, balanced solution at zero loss, max_k L sum_p |q_(p,k)|^(2-2/L), of shape (...).

    Aligned means that every path has the singular vectors of the target, and balanced that every layer of a path has
    the singular values q^(1/L). The Hessian is then J^T J, with the eigenvalues
    lambda_ij = sum_p sum_l q_(p,i)^(2(L-l)/L) q_(p,j)^(2(l-1)/L) <= (lambda_ii + lambda_jj)/2.

    Args:
        contributions: q_(p,k), of shape (..., paths, modes).
        depth: L, the number of layers.
    """
    return depth * (contributions.abs() ** (2 - 2 / depth)).sum(-2).amax(-1)


def single_path_sharpness(strength: float, depth: int) -> float:
    """The sharpness when one path carries a mode of strength s alone, S1 = L s^(2-2/L)."""
    return float(depth * strength ** (2 - 2 / depth))


def equal_split_factor(paths: int, depth: int) -> float:
    """The sharpness of an equal split over that of a single path, P^(2/L-1); it is 1 at depth 2."""
    return float(paths ** (2 / depth - 1))


def equality_limit(paths: int, depth: int) -> float:
    """The step ratio from which on no zero-loss solution but the equal split can be stable, 2 P^(1-2/L)."""
    return 2 / equal_split_factor(paths, depth)


def largest_stable_share(step_ratios: Tensor, paths: int, depth: int) -> Tensor:
    """The largest share x*(gamma) of one path at a zero-loss solution that is stable under gradient descent.

    The sharpness of any weights is at least L sum_p |u^T M_p v|^b, where M_p is the matrix of path p. Among the splits
    with the largest share x, the flattest one shares the rest evenly. So a linearly stable solution has
    x^b + (P-1)^(1-b) (1-x)^b <= 2/gamma. The left side rises from P^(1-b) at x = 1/P to 1 at x = 1, so x <= x*. Here x*
    is 1 up to gamma = 2, the root from there to 2 P^(1-2/L), and 1/P above, where at most the equal split is stable. At
    depth 2 this window is empty.

    Args:
        step_ratios: gamma > 0, of any shape.
        paths: P >= 2.
        depth: L >= 2.

    Returns:
        x* in [1/P, 1], shaped as the step ratios. Source: derived here.
    """
    power = 2 - 2 / depth

    def excess(share: Tensor) -> Tensor:
        rest = ((1 - share) ** power).mul((paths - 1) ** (1 - power))
        return share**power + rest - 2 / step_ratios

    root = bisect(excess, torch.full_like(step_ratios, 1 / paths), torch.ones_like(step_ratios))
    share = torch.where(step_ratios >= equality_limit(paths, depth), torch.full_like(root, 1 / paths), root)
    return torch.where(step_ratios <= 2, torch.ones_like(root), share)


def race_end(start: Tensor, strength: float, depth: int, law_depth: int) -> Tensor:
    """The contributions q_p at which gradient flow of aligned, balanced paths ends, by their conservation law.

    dw_p/dt = w_p^(L-1) (s - sum_r w_r^L) makes d(w_p^-(L-2))/dt the same for all paths. So the differences
    w_p^-(L-2) - w_r^-(L-2) are conserved for L >= 3, and the quotients w_p / w_r at depth 2. Together with
    sum_p w_p^L = s they determine the end.

    Args:
        start: layer scalars w_p >= 0 at the initialization, of shape (..., paths); the sum of w_p^L is below s.
        strength: s, the singular value of the mode.
        depth: L of the model, for which q = w^L.
        law_depth: the depth whose conservation law is used; a value other than L makes it wrong on purpose.

    Returns:
        q_p at the end, of shape (..., paths); zero for a path that starts at zero. Source: derived here.
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


def most_kept(start: Tensor, strength: float, depth: int) -> Tensor:
    """A bound on the part of its share at the initialization that a losing path can have at the end of gradient flow.

    By the conservation law of `race_end`, a losing path p ends with w_p^-(L-2) >= w_p(0)^-(L-2) - w_1(0)^-(L-2), where
    path 1 leads. With rho = w_p(0) / w_1(0), and c^L = sum_r w_r(0)^L / s for the part of the mode that is learned at
    the initialization, it keeps at most

        c^L (1 - rho^(L-2))^(-L/(L-2))

    of its share. At depth 2 every path keeps its share.

    Args:
        start: layer scalars w_p >= 0 at the initialization, of shape (..., paths), with at least two paths.
        strength: s, the singular value of the mode.
        depth: L, the number of layers.

    Returns:
        The bound for the losing path next to the winner, which is the largest one, of shape (...), at most 1. Source:
        derived here.
    """
    if depth == 2:
        return torch.ones_like(start[..., 0])
    lead, next_one = start.topk(2, -1).values.unbind(-1)
    learned = (start**depth).sum(-1) / strength
    room = 1 - (next_one / lead) ** (depth - 2)
    return (learned * room ** (-depth / (depth - 2))).clamp(max=1.0)
