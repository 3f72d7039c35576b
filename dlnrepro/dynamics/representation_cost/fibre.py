"""The weights that realise a given linear predictor w (the fibre of w), and among them those of least norm.

    R(w) = min { ||theta||^2 : f_theta = w }

f is homogeneous of degree L, so J theta = L f with the Jacobian J = df/dtheta. Linearised at theta, the problem asks
for the theta' of least norm with J theta' = w + (L - 1) f; this is theta' = J^T (J J^T)^-1 (w + (L - 1) f). Each step
goes half way from theta to theta'. A fixed point has f = w, and theta is in the range of J^T: it lies on the fibre, and
||theta||^2 is stationary there. The step goes only half way because the fibre is curved, and along it ||theta||^2 grows
about twice as fast as in the linearised problem: for w = theta_1 theta_2, full steps would jump from one side of the
minimum to the other forever.

No formula for R is used. The point that is found is stationary; only theory shows that it is a minimum.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.representation_cost.tied_layers import Patterns, jacobian, predictor, squared_norm
from dlnrepro.dynamics.tensors.progress import Progress, part_of

Parameters = list[Tensor]

LANDING = 40
"""The number of steps onto the fibre; by then, quadratic convergence has reached rounding."""

TOUCHING = 4
"""The number of steps back onto the fibre at the end of a search, which leaves it slightly if it is slow."""

ON_FIBRE = 1e-9
"""A point counts as lying on the fibre if ||f_theta - w|| / ||w|| is at most this."""


def cheapest_points(
    layers: Patterns, starts: Sequence[Tensor], target: Tensor, iterations: int, progress: Progress
) -> Parameters:
    """The weights of least norm among those found from several initializations; layer l has shape (runs, ..., count).

    They are NaN for a predictor whose fibre was not reached from any initialization.

    Args:
        layers: the patterns of the layers.
        starts: the initializations theta_1 .. theta_L, each of shape (runs, ..., starts, count).
        target: the predictor w, of shape (runs, ..., inputs, outputs).
        iterations: the number of steps along the fibre; with 0, the first points on the fibre are returned.
        progress: called with the fraction done and a note; may raise to stop.
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
    """A point with f_theta = w near the initialization, by steps theta <- theta + J^T (J J^T + mu I)^-1 (w - f).

    The damping mu is the mean of diag(J J^T) times min(1, ||w - f||^2 / ||w||^2). It keeps steps short far from the
    fibre (Levenberg, Marquardt), and vanishes so fast near the fibre that steps become those of Newton's method.

    Args:
        layers: the patterns of the layers.
        start: theta_1 .. theta_L, each of shape (runs, ..., count).
        target: the predictor w, of shape (runs, ..., inputs, outputs).
        iterations: the number of steps.
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
    """A point near the fibre of w at which ||theta||^2 is stationary along it; arguments as in `onto_fibre`."""
    values = list(start)
    for iteration in range(iterations):
        progress(iteration / iterations, f"search for the least norm: step {iteration} of {iterations}")
        slopes = jacobian(layers, values)
        right = target + (len(layers) - 1) * predictor(layers, values)
        values = [(old + new) / 2 for old, new in zip(values, _least_norm(layers, slopes, right), strict=True)]
    return values


def infeasibility(layers: Patterns, values: Sequence[Tensor], target: Tensor) -> Tensor:
    """The relative error ||f_theta - w||_F / ||w||_F, of shape (runs, ...)."""
    lack = predictor(layers, values) - target
    return ((lack * lack).sum((-2, -1)) / (target * target).sum((-2, -1))).sqrt()


def non_stationarity(layers: Patterns, values: Sequence[Tensor]) -> Tensor:
    """The length of the part of theta that is tangent to its fibre, over ||theta||; 0 at a stationary point."""
    slopes = jacobian(layers, values)
    normal = _least_norm(layers, slopes, len(layers) * predictor(layers, values))
    whole = torch.cat(list(values), dim=-1)
    along = whole - torch.cat(normal, dim=-1)
    return ((along * along).sum(-1) / (whole * whole).sum(-1)).sqrt()


def _least_norm(layers: Patterns, slopes: Tensor, right: Tensor, damping: Tensor | None = None) -> Parameters:
    """The shortest step with J step = right, cut into layers; a damping (relative to J J^T) makes it shorter."""
    gram = slopes @ slopes.mT
    if damping is not None:
        mean = gram.diagonal(dim1=-2, dim2=-1).mean(-1)
        gram = gram + (damping * mean)[..., None, None] * torch.eye(gram.shape[-1], dtype=gram.dtype)
    multipliers, _ = torch.linalg.solve_ex(gram, right.flatten(-2)[..., None])
    step = (slopes.mT @ multipliers)[..., 0]
    return list(step.split([layer.count for layer in layers], dim=-1))
