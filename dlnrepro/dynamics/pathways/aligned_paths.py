"""Gradient descent of aligned, balanced paths: one scalar per path and mode moves exactly as the matrices do.

    w_p <- w_p - eta w_p^(L-1) (sum_r w_r^L - s)

If every layer of path p is w_p I, and the target is s I, gradient descent on the full matrices keeps this form, and the
layer scalars w_p move in this way. The same holds, mode by mode, for rotated layers that share the singular vectors of
the target. Derived here; a test compares it with descent on full matrices.

Conventions: layer scalars have the shape (runs, ..., paths); path p carries q_p = w_p^L of the mode. Only products and
sums are used, because their bits do not depend on the place of a run in its batch; those of vectorised powers may. The
steps are taken by a compiled kernel, or through tensors on a GPU and without a compiler.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from dlnrepro.dynamics.compiled.library import kernels
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.training.repetition import repeated

MOST_PATHS = 64
"""The largest number of paths that the kernel takes."""


@dataclass(frozen=True)
class AlignedDescent:
    """The end of a descent, and its records.

    Attributes:
        weights: the layer scalars at the end, of shape (runs, ..., paths).
        mean: the contributions q_p, averaged over the last steps, of shape (runs, ..., paths).
        recorded: the layer scalars at the recorded steps, of shape (runs, ..., paths, records).
    """

    weights: Tensor
    mean: Tensor
    recorded: Tensor


def descend_aligned(
    start: Tensor,
    strength: float,
    depth: int,
    step_sizes: Tensor,
    steps: int,
    window: int,
    records: Sequence[int],
    progress: Progress,
) -> AlignedDescent:
    """The end and the records of gradient descent from aligned, balanced paths.

    Args:
        start: layer scalars w_p at the initialization, of shape (runs, ..., paths); left unchanged.
        strength: s, the singular value of the mode.
        depth: L >= 2, the number of layers.
        step_sizes: eta, which broadcasts with the shape (runs, ...).
        steps: the number of updates.
        window: the number of steps at the end over which contributions are averaged; it is even, because the residual
            alternates in sign above the stability limit.
        records: the steps, in rising order and within [0, steps], before which the layer scalars are recorded.
        progress: called with the fraction done about a hundred times; may raise to stop.
    """
    moving = _Compiled if can_descend_aligned(start) else _ByTensors
    descent: _Moving = moving(start, strength, depth, step_sizes)
    wanted, kept = set(records), []
    reported = range(0, steps, max(1, steps // 100))
    averaged = max(0, steps - window)
    for step, onward in pairwise(sorted({*wanted, *reported, 0, averaged, steps})):
        if step in reported:
            progress(step / steps, f"step {step} of {steps}")
        if step in wanted:
            kept.append(descent.weights.clone())
        descent.advance(onward - step, step >= averaged)
    if steps in wanted:
        kept.append(descent.weights.clone())
    recorded = torch.stack(kept, -1).movedim(0, -2) if kept else start.new_zeros((*start.shape, 0))
    mean = descent.total.div_(window)
    return AlignedDescent(descent.weights.movedim(0, -1).clone(), mean.movedim(0, -1).clone(), recorded)


class _Moving(Protocol):
    """Layer scalars and what moves them.

    Attributes:
        weights: w_p, of shape (paths, runs, ...); they change in place.
        total: the sum of the contributions before the steps that were to be added, of the same shape.
    """

    weights: Tensor
    total: Tensor

    def advance(self, steps: int, adding: bool) -> None:
        """Take some steps, and add up the contributions before them or not."""


class _Compiled:
    """The steps of the kernel `compiled/aligned.c`, bitwise identical to those through tensors."""

    def __init__(self, start: Tensor, strength: float, depth: int, step_sizes: Tensor) -> None:
        self.weights = start.movedim(-1, 0).clone(memory_format=torch.contiguous_format)
        self.total = torch.zeros_like(self.weights)
        self._sizes = step_sizes.expand_as(self.weights[0]).contiguous()
        self._strength, self._depth = strength, depth

    def advance(self, steps: int, adding: bool) -> None:
        """Take some steps, and add up the contributions before them or not."""
        networks, paths = self._sizes.numel(), len(self.weights)
        total = self.total.data_ptr() if adding else None
        _kernel()(
            networks, paths, self._depth, self._strength, self.weights.data_ptr(), total, self._sizes.data_ptr(), steps
        )


class _ByTensors:
    """Steps through tensors; on a GPU they are replayed."""

    def __init__(self, start: Tensor, strength: float, depth: int, step_sizes: Tensor) -> None:
        self.weights = weights = start.movedim(-1, 0).clone(memory_format=torch.contiguous_format)
        self.total = total = torch.zeros_like(weights)
        powers = [weights, *(torch.empty_like(weights) for _ in range(depth - 1))]
        gradient, contributions = powers[-2] if depth > 2 else torch.empty_like(weights), powers[-1]
        parts = list(contributions.unbind(0))
        residual = torch.empty_like(parts[0])
        sizes = step_sizes.expand_as(residual).contiguous()

        def raise_powers() -> None:
            for below, power in pairwise(powers):
                torch.mul(below, weights, out=power)

        def move() -> None:
            torch.sub(parts[0], strength, out=residual)
            for part in parts[1:]:
                residual.add_(part)
            residual.mul_(sizes)
            torch.mul(powers[-2], residual, out=gradient)
            weights.sub_(gradient)

        def advance() -> None:
            raise_powers()
            move()

        def advance_and_add() -> None:
            raise_powers()
            total.add_(contributions)
            move()

        self._plain, self._adding = repeated(advance, weights), repeated(advance_and_add, weights)

    def advance(self, steps: int, adding: bool) -> None:
        """Take some steps, and add up the contributions before them or not."""
        for _ in range(steps):
            (self._adding if adding else self._plain)()


def can_descend_aligned(start: Tensor) -> bool:
    """Whether there is a compiled kernel for these layer scalars."""
    known = start.dtype == torch.float64 and start.device.type == "cpu" and start.shape[-1] <= MOST_PATHS
    return known and kernels() is not None


@cache
def _kernel() -> Any:
    """The kernel with the types of its arguments."""
    found = kernels()
    assert found is not None
    place, whole, long, number = ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_double
    function = found.dln_descend_aligned
    function.argtypes, function.restype = [long, whole, whole, number, place, place, place, long], None
    return function


def aligned_contributions(weights: Tensor, depth: int) -> Tensor:
    """What each path carries of the mode, q = w^L, by repeated multiplication, shaped as the layer scalars."""
    power = weights
    for _ in range(depth - 1):
        power = power * weights
    return power


def aligned_sharpness(weights: Tensor, depth: int) -> Tensor:
    """The largest Hessian eigenvalue at zero loss, L sum_p w_p^(2L-2), of shape (runs, ...), by products only."""
    squares = weights * weights
    powers = aligned_contributions(squares, depth - 1) if depth > 2 else squares
    total = powers[..., 0]
    for path in range(1, powers.shape[-1]):
        total = total + powers[..., path]
    return depth * total


def aligned_shares(contributions: Tensor) -> Tensor:
    """The shares x_p = q_p / sum_r q_r of the paths, from contributions q >= 0 of shape (..., paths)."""
    return contributions / contributions.sum(-1, keepdim=True)


def scaled_start(relative: Tensor, strength: float, depth: int, scale: float) -> Tensor:
    """Layer scalars in given proportions whose paths together carry scale^L of the mode, of shape (runs, paths).

    Args:
        relative: the proportions of the layer scalars, of shape (runs, paths).
        strength: s, the singular value of the mode.
        depth: L, the number of layers.
        scale: the layer scalars relative to those at which the paths carry the whole mode.
    """

    def scaled(row: Tensor) -> Tensor:
        return scale * (strength / aligned_contributions(row, depth).sum()) ** (1 / depth) * row

    return each_run(scaled, relative)
