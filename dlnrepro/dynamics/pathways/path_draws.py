"""Initializations (starts) of paths of full matrices: Gaussian layers, and a solution of the first path alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.balanced import hidden_frames, layers_between
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.tensors.arrays import Weights


def gaussian_paths(scales: Sequence[float], widths: Sequence[int], generators: Sequence[Generator]) -> Weights:
    """Gaussian layers W_1 .. W_L, each of shape (runs, paths, n_l, n_(l-1)), drawn one path after the other.

    Args:
        scales: for each path, the standard deviation of an entry times the square root of the fan-in.
        widths: n_0 .. n_L.
        generators: one per run.
    """
    drawn = [gaussian(widths, scale, generators) for scale in scales]
    return [torch.stack(layers, 1) for layers in zip(*drawn, strict=True)]


def first_path_alone(
    left: Tensor,
    strengths: Tensor,
    right: Tensor,
    hidden: Sequence[int],
    paths: int,
    generators: Sequence[Generator],
) -> Weights:
    """Aligned, balanced layers of a first path that carries U diag(s) V^T alone; all other paths are zero.

    Args:
        left: U, of shape (runs, n_L, modes).
        strengths: s, the singular values, of shape (runs, modes).
        right: V, of shape (runs, n_0, modes).
        hidden: n_1 .. n_(L-1); their frames are drawn, that of the first hidden layer first.
        paths: P, the number of paths.
        generators: one per run.

    Returns:
        W_1 .. W_L, each of shape (runs, P, n_l, n_(l-1)).
    """
    frames = [right, *hidden_frames(hidden, strengths.shape[-1], generators), left]
    nothing = torch.zeros_like(strengths)[:, None].expand(-1, paths - 1, -1)
    carried = torch.cat([strengths[:, None], nothing], 1)
    return layers_between([frame[:, None].expand(-1, paths, -1, -1) for frame in frames], carried)
