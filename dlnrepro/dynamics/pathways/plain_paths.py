"""Parallel paths as a plain program with automatic differentiation: a second route to gradients and sharpness.

It shares no code with `parallel_paths`, `aligned_paths` and `dlnrepro.dynamics.networks`: paths and layers are
multiplied in plain loops, and every derivative comes from autograd. The runners compare their own gradients with it in
every run.

Conventions: W_l has shape (runs, ..., paths, n_l, n_(l-1)), and the loss is 1/2 ||sum_p W_(p,L) ... W_(p,1) - M*||_F^2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.errors import Disagreement

ROUNDING = 1e-9
"""The relative difference that rounding may leave between two routes to a gradient or to a sharpness."""


def plain_network(weights: Sequence[Tensor]) -> Tensor:
    """The matrix sum_p W_(p,L) ... W_(p,1), by loops over paths and layers, of shape (runs, ..., n_L, n_0)."""
    paths = []
    for path in range(weights[0].shape[-3]):
        matrix = weights[0][..., path, :, :]
        for layer in weights[1:]:
            matrix = torch.matmul(layer[..., path, :, :], matrix)
        paths.append(matrix)
    return sum(paths[1:], paths[0])


@torch.inference_mode(False)  # the caller may have switched autograd off
def plain_gradient(weights: Sequence[Tensor], target: Tensor) -> Weights:
    """The gradient of the loss in all weights, by autograd, shaped as the weights."""
    layers = [weight.clone().requires_grad_() for weight in weights]
    with torch.enable_grad():
        loss = 0.5 * torch.sum((plain_network(layers) - target.clone()) ** 2)
        return list(torch.autograd.grad(loss, layers))


@torch.inference_mode(False)
def plain_sharpness(weights: Sequence[Tensor]) -> Tensor:
    """The largest eigenvalue of J J^T, with the rows of J by autograd: the sharpness at zero loss, of shape (runs,)."""
    layers = [weight.clone().requires_grad_() for weight in weights]
    with torch.enable_grad():
        entries = plain_network(layers).flatten(1)
        rows = []
        for entry in range(entries.shape[1]):
            row = torch.autograd.grad(entries[:, entry].sum(), layers, retain_graph=True)
            rows.append(torch.cat([part.flatten(1) for part in row], -1))
    jacobian = torch.stack(rows, 1)
    finite = torch.isfinite(jacobian).all(-1).all(-1)
    square = torch.where(finite[:, None, None], jacobian @ jacobian.mT, 0.0)
    return torch.where(finite, torch.linalg.eigvalsh(square.cpu())[:, -1].to(square.device), torch.nan)


def plain_descent(
    weights: Sequence[Tensor], target: Tensor, step_size: float | Tensor, steps: int, progress: Progress
) -> Weights:
    """The weights after steps W <- W - eta dR/dW with gradients by autograd.

    Args:
        weights: W_1 .. W_L; left unchanged.
        target: M*, of shape (runs, ..., n_L, n_0).
        step_size: eta, one number or a tensor that broadcasts with the weights.
        steps: the number of updates.
        progress: called with the fraction done about a hundred times; may raise to stop.
    """
    current = list(weights)
    for step in range(steps):
        if step % max(1, steps // 100) == 0:
            progress(step / steps, f"step {step} of {steps} by automatic differentiation")
        gradient = plain_gradient(current, target)
        current = [layer - step_size * slope for layer, slope in zip(current, gradient, strict=True)]
    return current


def aligned_matrices(layer_scalars: Tensor, depth: int) -> Weights:
    """Layers w_p I of 2 x 2 matrices, the same L times, of shape (runs, ..., paths, 2, 2).

    Args:
        layer_scalars: w_p, of shape (runs, ..., paths).
        depth: L, the number of layers.
    """
    layer = layer_scalars[..., None, None] * torch.eye(2, dtype=layer_scalars.dtype)
    return [layer] * depth


def check_aligned_steps(found: Tensor, start: Tensor, strength: float, depth: int, sizes: Tensor, steps: int) -> None:
    """Compare a few steps of layer scalars with those of full matrices by autograd.

    Args:
        found: layer scalars w_p after the steps, of shape (runs, points, paths).
        start: layer scalars at the initialization, of the same shape.
        strength: s; the target is s I.
        depth: L, the number of layers.
        sizes: eta, of shape (points,).
        steps: the number of steps.

    Raises:
        Disagreement: the moves differ by more than rounding, relative to the largest one, or to 1e-5 of the largest
            layer scalar if all moves are smaller than that.
    """
    layers, target = aligned_matrices(start, depth), strength * torch.eye(2, dtype=start.dtype)
    moved = plain_descent(layers, target, sizes[:, None, None, None], steps, lambda *_: None)
    moves = [after - before for after, before in zip(moved, layers, strict=True)]
    ours = (found - start)[..., None, None] * torch.eye(2, dtype=start.dtype)
    size = torch.maximum(ours.abs().amax(), 1e-5 * start.abs().amax())
    worst = max(float((move - ours).abs().amax() / size) for move in moves)
    _agree("the first steps", worst)


def check_gradient(found: Sequence[Tensor], weights: Sequence[Tensor], target: Tensor) -> None:
    """Compare a gradient of the loss, shaped as the weights, with that of autograd.

    Raises:
        Disagreement: a layer differs by more than rounding, relative to its largest entry in any run.
    """
    worst = 0.0
    for ours, plain in zip(found, plain_gradient(weights, target), strict=True):
        size = plain.abs().amax()
        worst = max(worst, float((ours - plain).abs().amax() / size))
    _agree("the gradient", worst)


def check_sharpness(found: Tensor, weights: Sequence[Tensor]) -> None:
    """Compare a largest eigenvalue of J J^T, of shape (runs,), with that of the Jacobian by autograd.

    Raises:
        Disagreement: some run differs by more than rounding.
    """
    plain = plain_sharpness(weights)
    gaps = (found / plain - 1).abs()[torch.isfinite(plain)]
    _agree("the sharpness", float(gaps.max()) if len(gaps) else 0.0)


def _agree(name: str, worst: float) -> None:
    if not worst <= ROUNDING:
        share = f"{worst:.1e}".replace("e-0", "e-").replace("e+0", "e+")
        raise Disagreement(f"{name}: the program and automatic differentiation differ relatively by {share}")
