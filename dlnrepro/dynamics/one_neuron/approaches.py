"""Initial directions at falling distances x from those of a saddle; the laws of the escape times are in `delays`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.one_neuron.delays import Approach, distance_units
from dlnrepro.dynamics.one_neuron.start import Pair, draw_pair, opposed_pairs, tilted
from dlnrepro.dynamics.starts.targets import Target


def approaching_pairs(
    approach: Approach,
    target: Target,
    depth: int,
    scales: Sequence[float],
    missing: int,
    sign: float,
    overlap: tuple[float, float],
    generators: Sequence[Generator],
) -> tuple[list[Pair], Tensor]:
    """The directions at each distance x, which differ in x only, and the distances.

    Args:
        approach: `small` has the same drawn directions at every x; `saddle` has drawn directions without the first
            modes, and adds x to their components along mode 1; `opposed` has u = u_1 and v = sign v_1, tilted by x.
        target: the target Z.
        depth: L.
        scales: the distances x, in the units of each run that `distance_units` gives.
        missing: for `saddle`: how many of the first modes the directions lack.
        sign: for `opposed`: the sign of v, which is -1 near the collapse to zero.
        overlap: for `small` and `saddle`: range of u^T Z v / sigma_2 of the drawn directions.
        generators: one per run.

    Returns:
        One pair for each distance, in their order, and x, of shape (runs, distances).
    """
    relative, runs = torch.tensor(tuple(scales), dtype=torch.float64), len(generators)
    if approach == "opposed":
        return opposed_pairs(target, sign, scales, generators), relative.expand(runs, -1)
    pair = draw_pair(target, missing if approach == "saddle" else 0, overlap, generators)
    distances = distance_units(approach, target.strengths, pair, depth)[:, None] * relative
    if approach == "saddle":
        return [tilted(pair, distance) for distance in distances.unbind(-1)], distances
    return [pair] * len(scales), distances
