"""Random starts: weights, target matrices and directions, drawn run by run from each run's own generator.

Every draw visits the runs in turn and takes from a run's generator a number of values that depends on the
shapes alone, so a run starts from the same bits whether it is drawn alone or in a batch. All are float64. The
generators draw on the processor, whatever torch's default device is, so that a run starts from the same bits anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.tensors.per_run import each_run


def normal(shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """Independent standard normal values of shape (runs, *shape)."""
    return _drawn(torch.randn, shape, generators)


def uniform(shape: Sequence[int], low: float, high: float, generators: Sequence[Generator]) -> Tensor:
    """Independent values, uniform on [low, high), of shape (runs, *shape)."""
    return low + (high - low) * _drawn(torch.rand, shape, generators)


def _drawn(law: Callable[..., Tensor], shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """A draw of this shape from each run's generator, made where the generator is and moved to the default device."""
    draws = [
        law(tuple(shape), generator=generator, dtype=torch.float64, device=generator.device) for generator in generators
    ]
    return torch.stack(draws).to(torch.get_default_device())


def gaussian(widths: Sequence[int], scale: float, generators: Sequence[Generator]) -> list[Tensor]:
    """Weights W_1 .. W_L whose entries are normal with mean 0 and standard deviation scale / sqrt(n_{l-1}).

    Dividing by the root of the fan-in, a layer multiplies the length of a vector by `scale` on average.

    Args:
        widths: n_0 .. n_L.
        scale: the factor on every layer; 1 is of order one, and a small one is a small start.
        generators: one per run; W_1 is drawn first.

    Returns:
        A list of L tensors, W_l of shape (runs, n_l, n_{l-1}).
    """
    return [scale / math.sqrt(before) * normal((after, before), generators) for before, after in pairwise(widths)]


def directions(size: int, generators: Sequence[Generator]) -> Tensor:
    """Unit vectors, uniform on the sphere, of shape (runs, size)."""
    draws = normal((size,), generators)
    return draws.div(torch.linalg.vector_norm(draws, dim=-1, keepdim=True))


def orthonormal(rows: int, columns: int, generators: Sequence[Generator]) -> Tensor:
    """Matrices with orthonormal columns, uniform (Haar), of shape (runs, rows, columns) with columns <= rows.

    The signs of R's diagonal are moved into Q, for the bare QR factorisation is not uniform (Mezzadri 2007,
    arXiv:math-ph/0609050).
    """
    return each_run(_frame, normal((rows, columns), generators))


def _frame(draw: Tensor) -> Tensor:
    """The Q of one matrix. In a batch, LAPACK rounds by where a matrix lies in memory, if its size is no round one."""
    factor, triangle = torch.linalg.qr(draw)
    frame: Tensor = factor * torch.sign(torch.diagonal(triangle))[None]
    return frame


def semi_orthogonal(widths: Sequence[int], generators: Sequence[Generator]) -> list[Tensor]:
    """Weights W_1 .. W_L with orthonormal rows, or columns where a layer widens, each uniform (Haar).

    Args:
        widths: n_0 .. n_L.
        generators: one per run; W_1 is drawn first.

    Returns:
        A list of L tensors, W_l of shape (runs, n_l, n_{l-1}).
    """
    return [
        orthonormal(after, before, generators) if after > before else orthonormal(before, after, generators).mT
        for before, after in pairwise(widths)
    ]


def uniform_layers(widths: Sequence[int], generators: Sequence[Generator]) -> list[Tensor]:
    """Weights W_1 .. W_L, uniform on +-1 / sqrt(n_{l-1}): the default of PyTorch's linear layers."""
    bounds = [(before, after, 1 / math.sqrt(before)) for before, after in pairwise(widths)]
    return [uniform((after, before), -bound, bound, generators) for before, after, bound in bounds]
