"""Gradient descent to one time at step sizes that are halved repeatedly, which shows an order in the step size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress, part_of
from dlnrepro.dynamics.tensors.records import Record, stack
from dlnrepro.dynamics.training.descent import descend


def refined_descents(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Sequence[Tensor]],
    horizon: float,
    steps: int,
    halvings: int,
    points: int,
    progress: Progress,
) -> Iterator[tuple[float, Weights]]:
    """Each step size, from the largest on, with the path of the weights; all paths are recorded at the same times.

    Args:
        weights: W_1 .. W_L, each of shape (runs, n_l, n_{l-1}).
        gradient: from weights to the gradients.
        horizon: step size times steps, the same for all descents.
        steps: the number of steps of the coarsest descent, a multiple of `points`.
        halvings: the number of finer descents that follow, each with twice as many steps.
        points: the paths are recorded at this many equal distances in time, and at the start.
        progress: called with the fraction of all descents together; may raise to stop.

    Yields:
        The step size, and W_1 .. W_L of shape (runs, points + 1, n_l, n_{l-1}).
    """
    done, total = 0, steps * (2 ** (halvings + 1) - 1)
    for halving in range(halvings + 1):
        count = steps * 2**halving
        size = horizon / count
        part = part_of(progress, done / total, count / total)
        records = range(0, count + 1, count // points)
        _, path = descend(weights, gradient, _constant(size), count, records, _whole, part)
        yield size, [layer.movedim(-1, 1) for layer in path.values()]
        done += count


def measured_descents(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Sequence[Tensor]],
    horizon: float,
    steps: int,
    halvings: int,
    points: int,
    progress: Progress,
    measure: Callable[[Weights], Record],
) -> tuple[Tensor, dict[str, Tensor]]:
    """The step sizes, of shape (descents,), and what is measured of the paths of `refined_descents`.

    Args:
        weights: W_1 .. W_L, each of shape (runs, n_l, n_{l-1}).
        gradient: from weights to the gradients.
        horizon: step size times steps, the same for all descents.
        steps: the number of steps of the coarsest descent, a multiple of `points`.
        halvings: the number of finer descents that follow.
        points: the paths are recorded at this many equal distances in time, and at the start.
        progress: called with the fraction of all descents together; may raise to stop.
        measure: from the path of the weights to numbers, each of shape (runs,).

    Returns:
        The measured numbers have the shape (runs, descents).
    """
    sizes, measured = [], []
    for size, path in refined_descents(weights, gradient, horizon, steps, halvings, points, progress):
        sizes.append(size)
        measured.append(measure(path))
    return torch.tensor(sizes, dtype=torch.float64), stack(measured)


def coarsest_steps(horizon: float, step_size: float, points: int) -> int:
    """About horizon / step_size steps, and a multiple of `points`, as `refined_descents` needs them."""
    return points * max(1, round(horizon / step_size / points))


def _whole(weights: Weights) -> Record:
    return {str(layer): weight for layer, weight in enumerate(weights)}


def _constant(size: float) -> Callable[[int], float]:
    return lambda _: size
