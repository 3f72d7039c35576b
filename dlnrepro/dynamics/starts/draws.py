"""Random initializations: weights, target matrices and directions, drawn from the generator of each run.

Every draw visits the runs in turn and takes from the generator of a run a number of values that depends on the shapes
alone. So the initialization of a run is bitwise identical whether it is drawn alone or in a batch. The generators draw
on the processor, whatever the default device of torch is, so that it is bitwise identical on every device, too. All
values are float64.
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
    """Independent uniform values on [low, high), of shape (runs, *shape)."""
    return low + (high - low) * _drawn(torch.rand, shape, generators)


def _drawn(law: Callable[..., Tensor], shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """One draw of this shape per run, made on the device of its generator and moved to the default device."""
    draws = [
        law(tuple(shape), generator=generator, dtype=torch.float64, device=generator.device) for generator in generators
    ]
    return torch.stack(draws).to(torch.get_default_device())


def gaussian(widths: Sequence[int], scale: float, generators: Sequence[Generator]) -> list[Tensor]:
    """Weights W_1 .. W_L whose entries are normal with mean 0 and standard deviation scale / sqrt(n_(l-1)).

    If no layer changes the width, each layer multiplies the squared length of a vector by scale^2 on average.

    Args:
        widths: n_0 .. n_L.
        scale: the factor on every layer; 1 keeps lengths of order one, and a small factor is a small initialization.
        generators: one per run; W_1 is drawn first.

    Returns:
        A list of L tensors, W_l of shape (runs, n_l, n_(l-1)).
    """
    return [scale / math.sqrt(before) * normal((after, before), generators) for before, after in pairwise(widths)]


def directions(size: int, generators: Sequence[Generator]) -> Tensor:
    """Unit vectors that are uniform on the sphere, of shape (runs, size)."""
    draws = normal((size,), generators)
    return draws.div(torch.linalg.vector_norm(draws, dim=-1, keepdim=True))


def orthonormal(rows: int, columns: int, generators: Sequence[Generator]) -> Tensor:
    """Matrices with orthonormal columns, uniform (Haar), of shape (runs, rows, columns) with columns <= rows.

    The signs of the diagonal of R are moved into Q, because Q of a QR factorisation alone is not uniform (Mezzadri
    2007, arXiv:math-ph/0609050).
    """
    return each_run(_frame, normal((rows, columns), generators))


def _frame(draw: Tensor) -> Tensor:
    """Q of one matrix. In a batch the rounding of LAPACK may depend on the place of the matrix in memory."""
    factor, triangle = torch.linalg.qr(draw)
    frame: Tensor = factor * torch.sign(torch.diagonal(triangle))[None]
    return frame


def semi_orthogonal(widths: Sequence[int], generators: Sequence[Generator]) -> list[Tensor]:
    """Weights W_1 .. W_L with orthonormal rows, or with orthonormal columns where a layer widens, uniform (Haar).

    Args:
        widths: n_0 .. n_L.
        generators: one per run; W_1 is drawn first.

    Returns:
        A list of L tensors, W_l of shape (runs, n_l, n_(l-1)).
    """
    return [
        orthonormal(after, before, generators) if after > before else orthonormal(before, after, generators).mT
        for before, after in pairwise(widths)
    ]


def uniform_layers(widths: Sequence[int], generators: Sequence[Generator]) -> list[Tensor]:
    """Weights W_1 .. W_L, uniform in +-1 / sqrt(n_(l-1)): the default of the linear layers of PyTorch.

    Args:
        widths: n_0 .. n_L.
        generators: one per run; W_1 is drawn first.

    Returns:
        A list of L tensors, W_l of shape (runs, n_l, n_(l-1)).
    """
    bounds = [(before, after, 1 / math.sqrt(before)) for before, after in pairwise(widths)]
    return [uniform((after, before), -bound, bound, generators) for before, after, bound in bounds]
