"""Predictors whose coordinates differ widely in size, so that one norm cannot be mistaken for another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.formulas import Architecture
from dlnrepro.dynamics.starts.draws import normal, orthonormal, uniform
from dlnrepro.dynamics.tensors.per_run import each_run


def draw_spiky(
    law: Architecture, shape: tuple[int, int, int], part: int, spread: float, generators: Sequence[Generator]
) -> Tensor:
    """Predictors of shape (runs, predictors, inputs, outputs) with log-normal coordinates of an architecture's kind.

    The size of each coordinate is exp(spread x), where x is standard normal. With several outputs the coordinates are
    singular values, in random frames. With one output they are the lengths of groups in random directions (`group`),
    the sizes of Fourier coefficients with random phases (`convolutional`), or those of entries with random signs.

    Args:
        law: the architecture.
        shape: (predictors, inputs, outputs).
        part: the size of a group.
        spread: the standard deviation of the natural logarithm of a size; 0 makes all sizes 1.
        generators: one per run.
    """
    predictors, inputs, outputs = shape
    if outputs > 1:
        return torch.stack([_matrix(inputs, outputs, spread, generators) for _ in range(predictors)], 1)
    if law == "group":
        return _groups(predictors, inputs, part, spread, generators)
    if law == "convolutional":
        return _waves(predictors, inputs, spread, generators)
    return _sizes((predictors, inputs), spread, generators)[..., None] * _signs((predictors, inputs), generators)


def _sizes(shape: Sequence[int], spread: float, generators: Sequence[Generator]) -> Tensor:
    """Log-normal sizes of shape (runs, *shape)."""
    return each_run(torch.exp, spread * normal(shape, generators))


def _signs(shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """Signs +-1 of shape (runs, *shape, 1)."""
    return torch.where(uniform(shape, -1, 1, generators) < 0, -1.0, 1.0).to(torch.float64)[..., None]


def _matrix(inputs: int, outputs: int, spread: float, generators: Sequence[Generator]) -> Tensor:
    """A matrix with log-normal singular values in random frames, of shape (runs, inputs, outputs)."""
    modes = min(inputs, outputs)
    left, right = orthonormal(inputs, modes, generators), orthonormal(outputs, modes, generators)
    matrix: Tensor = left * _sizes((1, modes), spread, generators) @ right.mT
    return matrix


def _groups(predictors: int, inputs: int, part: int, spread: float, generators: Sequence[Generator]) -> Tensor:
    """Groups with log-normal lengths in random directions, of shape (runs, predictors, inputs, 1)."""
    shape = (predictors, inputs // part)
    pointing = normal((*shape, part), generators)
    units: Tensor = pointing / torch.linalg.vector_norm(pointing, dim=-1, keepdim=True)
    return (units * _sizes(shape, spread, generators)[..., None]).flatten(-2)[..., None]


def _waves(predictors: int, inputs: int, spread: float, generators: Sequence[Generator]) -> Tensor:
    """Sums of cosines of frequencies 0 .. D/2 with log-normal amplitudes, of shape (runs, predictors, inputs, 1)."""
    many = inputs // 2 + 1
    sizes = _sizes((predictors, many), spread, generators)
    phases = uniform((predictors, many), 0, 2 * math.pi, generators)
    turns = torch.arange(inputs)[:, None] * torch.arange(many)[None, :] % inputs
    angles = 2 * math.pi / inputs * turns.to(torch.float64)
    waves = each_run(torch.cos, angles + phases[:, :, None, :])
    return (sizes[..., None, :] * waves).sum(-1)[..., None]
