"""Least squares with a norm as penalty, solved by proximal gradient descent with a certificate.

    min_w  1/(2n) ||X w - Y||_F^2 + penalty Omega(w)

Omega is half the representation cost of a two-layer network, which is half the least squared norm of weights that
realise w:

    fully-connected   nuclear norm; ||w||_2 with one output
    diagonal          sum_i |w_i|
    convolutional     D^(-1/2) sum_k |(F w)_k|, F the unitary Fourier transform in D dimensions
    group             sum_g ||w_g||_2

The problem is strongly convex if the least eigenvalue mu of X^T X / n is above 0. Its dual is the maximum of
<Y, nu> - n/2 ||nu||^2 over all nu with Omega*(X^T nu) <= penalty, where Omega* is the dual norm. A dual point made from
the residual bounds the objective from below. So ||w - w_min||^2 <= 2 gap / mu, however w was computed.

Conventions: X has the shape (runs, n, inputs), Y (runs, n, outputs), and w (runs, inputs, outputs). This module does
not use a network.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import modulus
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.dynamics.tensors.progress import Progress

Penalty = Literal["fully-connected", "diagonal", "convolutional", "group"]


def minimise(
    law: Penalty,
    x: Tensor,
    y: Tensor,
    penalty: float,
    part: int,
    iterations: int,
    progress: Progress,
) -> Tensor:
    """The minimiser, by w <- prox(w - step (S w - B)) with S = X^T X / n, B = X^T Y / n and step 1 / ||S||.

    The error falls at least as (1 - mu / ||S||)^iterations, where mu is the least eigenvalue of S.

    Args:
        law: the architecture to which the norm belongs.
        x: X, the inputs.
        y: Y, the outputs.
        penalty: the factor on the norm, at least 0.
        part: the size of a group.
        iterations: the number of steps.
        progress: called with the fraction done; may raise to stop.
    """
    samples = x.shape[-2]
    moment, cross = x.mT @ x / samples, x.mT @ y / samples
    step = 1 / decomposed(torch.linalg.eigvalsh, moment)[:, -1][:, None, None]
    w = torch.zeros_like(cross)
    for iteration in range(iterations):
        if iteration % 50 == 0:
            progress(iteration / iterations, f"convex problem: step {iteration} of {iterations}")
        w = shrink(law, w - step * (moment @ w - cross), step * penalty, part)
    return w


def certified_distance(law: Penalty, w: Tensor, x: Tensor, y: Tensor, penalty: float, part: int) -> Tensor:
    """A bound on ||w - w_min||_F / ||w||_F, sqrt(2 gap / mu) / ||w||_F with the duality gap, of shape (runs,)."""
    samples = x.shape[-2]
    residual = y - x @ w
    dual = residual / samples
    reach = dual_norm(law, x.mT @ dual, part)
    dual = dual * (penalty / torch.maximum(reach, torch.full_like(reach, penalty)))[:, None, None]
    above = (residual**2).sum((-2, -1)) / (2 * samples) + penalty * norm(law, w, part)
    below = (y * dual).sum((-2, -1)) - samples / 2 * (dual**2).sum((-2, -1))
    least: Tensor = decomposed(torch.linalg.eigvalsh, x.mT @ x / samples)[:, 0]
    size = (w * w).sum((-2, -1))
    return (2 * (above - below).clamp_min(0) / least / size).sqrt()


def norm(law: Penalty, w: Tensor, part: int) -> Tensor:
    """The norm Omega(w), of shape (runs,)."""
    sizes = _sizes(law, w, part)
    return sizes.sum(-1) / math.sqrt(w.shape[-2]) if law == "convolutional" else sizes.sum(-1)


def dual_norm(law: Penalty, gradient: Tensor, part: int) -> Tensor:
    """The dual norm Omega*(g) = max <g, w> over Omega(w) <= 1, of shape (runs,)."""
    largest = _sizes(law, gradient, part).amax(-1)
    return largest * math.sqrt(gradient.shape[-2]) if law == "convolutional" else largest


def shrink(law: Penalty, w: Tensor, by: Tensor, part: int) -> Tensor:
    """The proximal map: the minimiser of 1/2 ||v - w||^2 + by Omega(v) over v; `by` broadcasts with w."""
    if law == "fully-connected":
        left, sizes, right = decomposed(torch.linalg.svd, w, full_matrices=False)
        shrunk: Tensor = left * (sizes[..., None, :] - by).clamp_min(0) @ right
        return shrunk
    if law == "convolutional":
        # F is unitary: the coefficients are shrunk, each along its own phase.
        real, imaginary = fourier(w[..., 0])
        sizes = modulus(real, imaginary)
        kept = (1 - by[..., 0] / math.sqrt(w.shape[-2]) / sizes.clamp_min(1e-300)).clamp_min(0)
        return inverse_fourier(real * kept, imaginary * kept)[..., None]
    groups = _cut(w, part) if law == "group" else w[..., None, :]
    sizes = (groups * groups).sum(-2, keepdim=True).sqrt()
    kept = (1 - by[..., None] / sizes.clamp_min(1e-300)).clamp_min(0)
    return (groups * kept).flatten(-3, -2)


def fourier(w: Tensor) -> tuple[Tensor, Tensor]:
    """The real and the imaginary part of F w along the last dimension, F_jk = exp(-2 pi i j k / D) / sqrt(D)."""
    cosine, sine = _waves(w)
    return (cosine * w[..., None, :]).sum(-1), -(sine * w[..., None, :]).sum(-1)


def inverse_fourier(real: Tensor, imaginary: Tensor) -> Tensor:
    """The real part of F^H z, where F^H is the inverse of `fourier` and z is given by its two parts."""
    cosine, sine = _waves(real)
    return (cosine * real[..., None, :]).sum(-1) - (sine * imaginary[..., None, :]).sum(-1)


def _waves(w: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines over sqrt(D), for sums row by row: the bits of a matrix product depend on the batch."""
    size = w.shape[-1]
    turns = torch.arange(size)
    angles = 2 * math.pi / size * (turns[:, None] * turns[None, :] % size).to(w.dtype)
    return angles.cos() / math.sqrt(size), angles.sin() / math.sqrt(size)


def _sizes(law: Penalty, w: Tensor, part: int) -> Tensor:
    """Singular values, sizes of entries or of Fourier coefficients, or lengths of groups, of shape (runs, count)."""
    if law == "fully-connected":
        sizes: Tensor = decomposed(torch.linalg.svdvals, w)
        return sizes
    if law == "convolutional":
        return modulus(*fourier(w[..., 0]))
    if law == "group":
        return (_cut(w, part) ** 2).sum((-2, -1)).sqrt()
    return w.flatten(-2).abs()


def _cut(w: Tensor, part: int) -> Tensor:
    """The rows of w in groups, of shape (runs, groups, part, outputs)."""
    return w.view(*w.shape[:-2], -1, part, w.shape[-1])
