"""Initializations (starts) of networks with a one-neuron layer: directions (u, v), and balanced layers of s u v^T.

A pair is given by its coordinates in the basis of the target, u = sum_k a_k u_k and v = sum_k b_k v_k, where components
along single modes can be exactly zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.balanced import hidden_frames, isometric_layers
from dlnrepro.dynamics.starts.draws import normal, uniform
from dlnrepro.dynamics.starts.targets import Target, draw_strengths
from dlnrepro.errors import NoSuchDraw

_BLOCK = 1024
_MOST_BLOCKS = 1000
_MOST_SPECTRA = 1000


class Pair(NamedTuple):
    """Unit vectors by their coordinates in the basis of the target: a (runs, rows) and b (runs, columns)."""

    left: Tensor
    right: Tensor

    def overlap(self, strengths: Tensor) -> Tensor:
        """u^T Z v = sum_k sigma_k a_k b_k, of shape (runs,).

        Args:
            strengths: sigma_k of the target in whose basis the coordinates are, of shape (runs, modes).
        """
        modes = strengths.shape[-1]
        return (strengths * self.left[:, :modes] * self.right[:, :modes]).sum(-1)


def separate_strengths(centre: Sequence[float], jitter: float, gap: float, generators: Sequence[Generator]) -> Tensor:
    """Strengths as `draw_strengths` draws them, drawn again until neighbours keep their order and a gap.

    Args:
        centre: the values before the jitter.
        jitter: relative spread of each value, in [0, 1).
        gap: the least (sigma_k - sigma_(k+1)) / sigma_k, in [0, 1).
        generators: one per run.

    Raises:
        NoSuchDraw: a thousand draws of a run contained no such strengths.
    """

    def drawn(generator: Generator) -> Tensor:
        for _ in range(_MOST_SPECTRA):
            values = draw_strengths(centre, jitter, [generator])
            if bool((values[:, 1:] < values[:, :-1]).all() and (values[:, 1:] <= (1 - gap) * values[:, :-1]).all()):
                return values
        raise NoSuchDraw(f"falling singular values with relative gaps of at least {gap:g}", _MOST_SPECTRA)

    return torch.cat([drawn(generator) for generator in generators])


def overlap_unit(strengths: Tensor) -> Tensor:
    """The unit of the overlaps u^T Z v: sigma_2, or sigma_1 if there is one mode only, of shape (...).

    Args:
        strengths: sigma_k, of shape (..., modes).
    """
    return strengths[..., min(1, strengths.shape[-1] - 1)]


def draw_pair(
    target: Target,
    missing: int,
    interval: tuple[float, float],
    generators: Sequence[Generator],
) -> Pair:
    """A pair that lacks the first modes, uniform among those whose u^T Z v / sigma_2 lies in an interval.

    It is drawn by rejection, from the generator of each run until a pair is accepted.

    Args:
        target: the target, with at least two columns.
        missing: how many leading coordinates of both vectors are exactly zero.
        interval: (low, high), open, in units of sigma_2 (of sigma_1 if there is one mode only).
        generators: one per run.

    Raises:
        NoSuchDraw: a million draws contained no such pair, so the interval is empty or nearly so.
    """
    rows, columns = target.left.shape[-1], target.right.shape[-1]
    lefts, rights = [], []
    for run, generator in enumerate(generators):
        left, right = _accepted(target.strengths[run], rows, columns, missing, interval, generator)
        lefts.append(left)
        rights.append(right)
    return Pair(torch.stack(lefts), torch.stack(rights))


def axis_pair(target: Target, left: int, right: int, sign: float) -> Pair:
    """The pair u = e_left, v = sign e_right of single basis vectors (counted from 1), the same in every run."""
    runs, rows, columns = target.strengths.shape[0], target.left.shape[-1], target.right.shape[-1]
    first, second = torch.zeros(runs, rows, dtype=torch.float64), torch.zeros(runs, columns, dtype=torch.float64)
    first[:, left - 1], second[:, right - 1] = 1.0, sign
    return Pair(first, second)


def opposed_pairs(target: Target, sign: float, tilts: Sequence[float], generators: Sequence[Generator]) -> list[Pair]:
    """For each tilt x the pair u ~ u_1 + x (y u_2 + ...), v ~ sign v_1 + x (z v_2 + ...), of unit length.

    The numbers y and z are uniform between 0.25 and 0.75, and between 0.75 and 1.25. The dots stand for components
    along the modes from 3 on, which are normal with standard deviation 0.3. All are the same at each tilt.

    Args:
        target: the target, with at least two modes.
        sign: the sign of v, 1 or -1.
        tilts: the tilts x.
        generators: one per run.
    """
    rows, columns = target.left.shape[-1], target.right.shape[-1]
    left, right = (0.3 * normal((size - 1,), generators) for size in (rows, columns))
    left[:, 0], right[:, 0] = uniform((), 0.25, 0.75, generators), uniform((), 0.75, 1.25, generators)
    return [Pair(_near_axis(1.0, tilt, left), _near_axis(sign, tilt, right)) for tilt in tilts]


def tilted(pair: Pair, tilt: Tensor | float) -> Pair:
    """The pair with `tilt` added to the first coordinate of both vectors; if it was zero, lengths are 1 + O(tilt^2).

    Args:
        pair: unit vectors.
        tilt: one number, or one for each run, of shape (runs,).
    """
    lean_left, lean_right = torch.zeros_like(pair.left), torch.zeros_like(pair.right)
    lean_left[:, 0] = lean_right[:, 0] = tilt
    return Pair(pair.left + lean_left, pair.right + lean_right)


def balanced(
    target: Target,
    pair: Pair,
    strength: Tensor,
    widths: Sequence[int],
    generators: Sequence[Generator],
) -> list[Tensor]:
    """Balanced weights W_l = s^(1/L) P_l P_(l-1)^T of rank r, the width of the narrowest layer.

    P_0 = v and P_L = u for r = 1. For r > 1, in a network whose bottleneck is wider than one neuron, both are completed
    by random directions perpendicular to them, all with the same strength s. The inner P_l are random and orthonormal.

    Args:
        target: the target in whose basis the pair is given.
        pair: u and v.
        strength: s > 0, of shape (runs,).
        widths: n_0 .. n_L.
        generators: one per run.
    """
    rank = min(widths)
    frames = [_completed(target.right, pair.right, rank, generators)]
    frames += hidden_frames(widths[1:-1], rank, generators)
    frames.append(_completed(target.left, pair.left, rank, generators))
    return isometric_layers(frames, strength)


def rank_one_layers(target: Target, pair: Pair, strength: Tensor, frames: Sequence[Tensor]) -> list[Tensor]:
    """Balanced weights of the product s u v^T, between given directions of the hidden layers.

    Args:
        target: the target in whose basis the pair is given.
        pair: u and v.
        strength: s > 0, of shape (runs,).
        frames: unit vectors, of shapes (runs, n_1, 1) .. (runs, n_{L-1}, 1).
    """
    first, last = target.right @ pair.right[..., None], target.left @ pair.left[..., None]
    return isometric_layers([first, *frames, last], strength)


def _near_axis(sign: float, tilt: float, rest: Tensor) -> Tensor:
    """Unit vectors (runs, size) along sign e_1 + tilt (0, rest)."""
    axis = torch.cat([torch.full_like(rest[:, :1], sign), tilt * rest], dim=-1)
    return axis.div(torch.linalg.vector_norm(axis, dim=-1, keepdim=True))


def _accepted(
    strengths: Tensor, rows: int, columns: int, missing: int, interval: tuple[float, float], generator: Generator
) -> tuple[Tensor, Tensor]:
    """The first pair from the generator of one run that lies in the interval."""
    modes, unit = strengths.shape[0], overlap_unit(strengths)
    for _ in range(_MOST_BLOCKS):
        draws = normal((_BLOCK, rows + columns), [generator])[0]
        left, right = draws[:, :rows].clone(), draws[:, rows:].clone()
        left[:, :missing] = 0
        right[:, :missing] = 0
        left = left / torch.linalg.vector_norm(left, dim=-1, keepdim=True)
        right = right / torch.linalg.vector_norm(right, dim=-1, keepdim=True)
        values = (strengths * left[:, :modes] * right[:, :modes]).sum(-1) / unit
        inside = ((values > interval[0]) & (values < interval[1])).nonzero()
        if inside.numel():
            index = int(inside[0, 0])
            return left[index], right[index]
    low, high = interval
    raise NoSuchDraw(f"initial directions with u^T Z v / sigma_2 between {low:g} and {high:g}", _BLOCK * _MOST_BLOCKS)


def _completed(basis: Tensor, coordinates: Tensor, rank: int, generators: Sequence[Generator]) -> Tensor:
    """An orthonormal frame (runs, size, rank) whose first column has the given coordinates in the basis."""
    first = basis @ coordinates[..., None]
    columns = [first]
    while len(columns) < rank:
        extra = normal((basis.shape[-1],), generators)[..., None]
        for _ in range(2):  # Gram-Schmidt loses orthogonality when done once, not when done twice
            for column in columns:
                extra = extra - column * (column.mT @ extra)
        columns.append(extra / torch.linalg.vector_norm(extra, dim=-2, keepdim=True))
    return torch.cat(columns, dim=-1)
