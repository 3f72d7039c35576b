"""The weights that realise a given linear predictor: a point of that fibre, and the point of least norm.

    R(w) = min { ||theta||^2 : f_theta = w }

f is homogeneous of degree L, hence J theta = L f with J = df/dtheta. Linearised at theta, the problem is that of the
point of least norm with J theta' = w + (L - 1) f, which is theta' = J^T (J J^T)^-1 (w + (L - 1) f). Stepping half way
to it leaves a fixed point only where f = w and theta is in the range of J^T: on the fibre, and stationary there. Half
way, because across the fibre's curvature ||theta||^2 grows about twice as fast as in the linearised problem: for
w = theta_1 theta_2 the full step would go from one side of the minimum to the other for ever.

Nothing here knows a formula for R. What is found is a stationary point; that it is a minimum is a matter of theory.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.representation_cost.tied_layers import Patterns, jacobian, predictor, squared_norm
from dlnrepro.dynamics.tensors.progress import Progress, part_of

Parameters = list[Tensor]

LANDING = 40
"""Steps onto the fibre; from there quadratic convergence has long reached rounding."""

TOUCHING = 4
"""Steps back onto it at the end, where a slow search has left it by a little."""

ON_FIBRE = 1e-9
"""The largest ||f_theta - w|| / ||w|| of a point that counts as lying on the fibre."""


def cheapest_points(
    layers: Patterns, starts: Sequence[Tensor], target: Tensor, iterations: int, progress: Progress
) -> Parameters:
    """The points of least norm among those that are found from several starts, theta_l of shape (runs, ..., count).

    They are NaN where no start has come onto the fibre.

    Args:
        layers: the network.
        starts: theta_1 .. theta_L, each of shape (runs, ..., starts, count).
        target: w, of shape (runs, ..., inputs, outputs).
        iterations: how many steps along the fibre; with 0 the points are those at which the fibre is met.
        progress: of the search.
    """
    count = starts[0].shape[-2]
    wanted = target.unsqueeze(-3).expand(*target.shape[:-2], count, *target.shape[-2:])
    steps = LANDING + iterations + (TOUCHING if iterations else 0)
    values = onto_fibre(layers, starts, wanted, LANDING, part_of(progress, 0, LANDING / max(steps, 1)))
    if iterations:
        values = least_norm_point(
            layers, values, wanted, iterations, part_of(progress, LANDING / steps, iterations / steps)
        )
        back = part_of(progress, (LANDING + iterations) / steps, TOUCHING / steps)
        values = onto_fibre(layers, values, wanted, TOUCHING, back)
    missed = ~(infeasibility(layers, values, wanted) <= ON_FIBRE)
    best = torch.where(missed, torch.inf, squared_norm(values)).argmin(-1)[..., None, None]
    nowhere = missed.all(-1)[..., None]
    return [torch.where(nowhere, torch.nan, value.take_along_dim(best, -2)[..., 0, :]) for value in values]


def onto_fibre(
    layers: Patterns,
    start: Sequence[Tensor],
    target: Tensor,
    iterations: int,
    progress: Progress,
) -> Parameters:
    """A point with f_theta = w near the start, by steps theta <- theta + J^T (J J^T + mu I)^-1 (w - f).

    mu = mean of diag(J J^T) x min(1, ||w - f||^2 / ||w||^2) keeps the steps short far from the fibre (Levenberg,
    Marquardt) and vanishes so fast that near it they are Newton's.

    Args:
        layers: the network.
        start: theta_1 .. theta_L, each of shape (runs, ..., count).
        target: w, of shape (runs, ..., inputs, outputs).
        iterations: how many steps.
        progress: called with the fraction done and a note; may raise to stop.
    """
    values = list(start)
    for iteration in range(iterations):
        progress(iteration / iterations, f"search for weights of the predictor: step {iteration} of {iterations}")
        lack = target - predictor(layers, values)
        ratio = torch.linalg.matrix_norm(lack) / torch.linalg.matrix_norm(target)
        step = _least_norm(layers, jacobian(layers, values), lack, (ratio * ratio).clamp_max(1))
        values = [old + new for old, new in zip(values, step, strict=True)]
    return values


def least_norm_point(
    layers: Patterns,
    start: Sequence[Tensor],
    target: Tensor,
    iterations: int,
    progress: Progress,
) -> Parameters:
    """A stationary point of ||theta||^2 on the fibre of w; arguments as in `onto_fibre`."""
    values = list(start)
    for iteration in range(iterations):
        progress(iteration / iterations, f"search for the least norm: step {iteration} of {iterations}")
        slopes = jacobian(layers, values)
        right = target + (len(layers) - 1) * predictor(layers, values)
        values = [(old + new) / 2 for old, new in zip(values, _least_norm(layers, slopes, right), strict=True)]
    return values


def infeasibility(layers: Patterns, values: Sequence[Tensor], target: Tensor) -> Tensor:
    """||f_theta - w||_F / ||w||_F, of shape (runs, ...)."""
    lack = predictor(layers, values) - target
    return ((lack * lack).sum((-2, -1)) / (target * target).sum((-2, -1))).sqrt()


def non_stationarity(layers: Patterns, values: Sequence[Tensor]) -> Tensor:
    """The length of theta's part along the fibre, over ||theta||: 0 where ||theta||^2 is stationary on it."""
    slopes = jacobian(layers, values)
    normal = _least_norm(layers, slopes, len(layers) * predictor(layers, values))
    whole = torch.cat(list(values), dim=-1)
    along = whole - torch.cat(normal, dim=-1)
    return ((along * along).sum(-1) / (whole * whole).sum(-1)).sqrt()


def _least_norm(layers: Patterns, slopes: Tensor, right: Tensor, damping: Tensor | None = None) -> Parameters:
    """The shortest step with J step = right, cut into layers; shorter still with a damping, relative to J J^T."""
    gram = slopes @ slopes.mT
    if damping is not None:
        mean = gram.diagonal(dim1=-2, dim2=-1).mean(-1)
        gram = gram + (damping * mean)[..., None, None] * torch.eye(gram.shape[-1], dtype=gram.dtype)
    multipliers, _ = torch.linalg.solve_ex(gram, right.flatten(-2)[..., None])
    step = (slopes.mT @ multipliers)[..., 0]
    return list(step.split([layer.count for layer in layers], dim=-1))
