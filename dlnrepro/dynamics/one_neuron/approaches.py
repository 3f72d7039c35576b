"""Initial directions at falling distances x from those of a saddle; the laws of the escape times are in `delays`."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Generator

from dlnrepro.dynamics.one_neuron.delays import Approach
from dlnrepro.dynamics.one_neuron.start import Pair, draw_pair, opposed_pairs, tilted
from dlnrepro.dynamics.starts.targets import Target


def approaching_pairs(
    approach: Approach,
    target: Target,
    scales: Sequence[float],
    missing: int,
    sign: float,
    overlap: tuple[float, float],
    generators: Sequence[Generator],
) -> list[Pair]:
    """The directions at each distance x, which differ in x only.

    Args:
        approach: `small` has the same drawn directions at every x; `saddle` has drawn directions without the first
            modes, and adds x to their components along mode 1; `opposed` has u = u_1 and v = sign v_1, tilted by x.
        target: the target Z.
        scales: the distances x.
        missing: for `saddle`: how many of the first modes the directions lack.
        sign: for `opposed`: the sign of v, which is -1 near the collapse to zero.
        overlap: for `small` and `saddle`: range of u^T Z v / sigma_2 of the drawn directions.
        generators: one per run.

    Returns:
        One pair for each distance, in their order.
    """
    if approach == "opposed":
        return opposed_pairs(target, sign, scales, generators)
    if approach == "saddle":
        pair = draw_pair(target, missing, overlap, generators)
        return [tilted(pair, scale) for scale in scales]
    return [draw_pair(target, 0, overlap, generators)] * len(scales)
