"""Descents along which learning times, plateaus and factors are measured: the product or its error at every step.

Twelve steps of every descent are taken a second time, by autograd of the loss.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from dlnrepro.dynamics.modes.learning_times import mode_shares
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.plain import ROUNDING, Loss, check_agreement, stepped
from dlnrepro.dynamics.networks.squared_gradient import SquaredGradient
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend

CHECKS = 12
"""How many steps of a descent are taken a second time, by autograd."""


def product_path(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Weights],
    loss: Loss,
    step_size: float,
    steps: int,
    every: int,
    progress: Progress,
) -> Tensor:
    """The product W along gradient descent, of shape (runs, ..., records, n_L, n_0).

    Args:
        weights: the initial W_1 .. W_L, each of shape (runs, ..., n_l, n_(l-1)).
        gradient: from weights to the gradients.
        loss: the loss of these gradients, for the check by autograd.
        step_size: eta.
        steps: the number of steps, a multiple of `every`.
        every: the number of steps between two records; the first record is made at step 0.
        progress: of the descent.

    Raises:
        Disagreement: autograd of the loss takes another step.
    """
    records = range(0, steps + 1, every)
    observe, kept = watched(_product, len(records))
    _, recorded = descend(weights, gradient, lambda _: step_size, steps, records, observe, progress)
    check_steps(kept, loss, step_size, every)
    return recorded["product"].movedim(-1, -3)


def settling_path(
    weights: Sequence[Tensor],
    gradient: SquaredGradient,
    loss: Loss,
    step_sizes: Tensor,
    target: Target,
    finals: Tensor,
    steps: int,
    progress: Progress,
) -> dict[str, Tensor]:
    """The distance of W from the solution sum_k a_k u_k v_k^T at every step, for several step sizes.

    Args:
        weights: the initial W_1 .. W_L, the same at all step sizes, each of shape (runs, n_l, n_(l-1)).
        gradient: from weights of shape (runs, points, ...) to the gradients.
        loss: the loss of these gradients, for the check by autograd.
        step_sizes: eta, of shape (runs, points).
        target: the target Z, which has the singular vectors u_k and v_k.
        finals: the final values a_k, of shape (runs, modes).
        steps: the number of steps.
        progress: of all descents together.

    Returns:
        `error` is u_1^T W v_1 / a_1 - 1, and `distance` the relative distance of W from the solution in the Frobenius
        norm; both have the shape (runs, points, steps + 1).

    Raises:
        Disagreement: autograd of the loss takes another step.
    """
    solution, sizes = target.with_strengths(finals), step_sizes[..., None, None]
    length = torch.linalg.matrix_norm(solution)[:, None]

    def errors(weights: Weights) -> Record:
        whole = product(weights)
        error = mode_shares(whole, target, finals)[..., 0] - 1
        return {"error": error, "distance": torch.linalg.matrix_norm(whole - solution[:, None]) / length}

    swept = [layer[:, None].expand(-1, step_sizes.shape[-1], -1, -1) for layer in weights]
    observe, kept = watched(errors, steps + 1)
    moves, records = replace(gradient, factors=sizes), range(steps + 1)
    _, recorded = descend(swept, moves, lambda _: 1.0, steps, records, observe, progress)
    check_steps(kept, loss, sizes, 1)
    return recorded


def watched(
    observe: Callable[[Weights], Record], records: int
) -> tuple[Callable[[Weights], Record], dict[int, list[Weights]]]:
    """The same observation, which also keeps the weights at twelve pairs of successive records, and what it keeps.

    Args:
        observe: from weights to a record.
        records: how many there are.

    Returns:
        The observation, and a table that it fills: the number of the first record of a pair -> the weights at both.
    """
    firsts = sorted({round(place * (records - 2) / CHECKS) for place in range(CHECKS)})
    kept: dict[int, list[Weights]] = {first: [] for first in firsts}
    numbers = itertools.count()

    def observing(weights: Weights) -> Record:
        number = next(numbers)
        for first in (number, number - 1):
            if first in kept:
                kept[first].append([weight.clone() for weight in weights])
        return observe(weights)

    return observing, kept


def check_steps(kept: Mapping[int, Sequence[Weights]], loss: Loss, sizes: Tensor | float, every: int) -> None:
    """Take the steps between two records again, by autograd of the loss.

    Args:
        kept: what `watched` keeps.
        loss: the loss of the descent.
        sizes: eta, of a shape that broadcasts with the weights.
        every: the number of steps between two records.

    Raises:
        Disagreement: autograd takes another step.
    """
    for number, (before, after) in kept.items():
        plain = stepped(loss, before, sizes, every)
        check_agreement(after, plain, ROUNDING, f"the descent after step {number * every}")


def _product(weights: Weights) -> Record:
    return {"product": product(weights)}


def relative_distance(matrix: Tensor, other: Tensor) -> Tensor:
    """||W - W'||_F / ||W'||_F, of shape (...).

    Args:
        matrix: W, of shape (..., rows, columns).
        other: W', of a shape that broadcasts with it.
    """
    distance: Tensor = torch.linalg.matrix_norm(matrix - other) / torch.linalg.matrix_norm(other)
    return distance
