"""When a losing path of an aligned descent begins to gain, how fast it gains, and when it carries 5 % of the mode.

Let w be the layer scalar of the largest losing path, n the depth in the theoretical formula, and z the mean of w^-(n-2)
over two neighbouring steps. Let z_learned be the value of z at the first step at which the mode is learned, and t_1 and
t_2 the first steps at which z is at most 0.9 z_learned and 0.6 z_learned. The drift is (z(t_1) - z(t_2)) / (t_2 - t_1),
the fall of z per step.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dlnrepro.dynamics.pathways.aligned_paths import aligned_contributions, descend_aligned
from dlnrepro.dynamics.tensors.progress import Progress

LEARNED = 0.9
"""The mode is learned once the paths together carry this part of it."""

BEGUN, GONE = 0.9, 0.6
"""The parts of z_learned between which the drift of z is measured."""

REGAINED = 0.05
"""The losing path has regained the mode once it carries this part of it."""

CHUNK = 500


@dataclass(frozen=True)
class Drift:
    """The drift of the largest losing path; all of shape (runs, points), and NaN where a moment was not reached.

    Attributes:
        lag: z_learned.
        share: the part of the mode that the path carries when the mode is learned.
        drift: (z(t_1) - z(t_2)) / (t_2 - t_1).
        fall: 1 - z / z_learned at the end; 0 for a path that stays at zero.
        regained: steps from when the mode is learned until the path carries 0.05 of it; at least 1.
        diverged: whether the weights are not finite at the end.
    """

    lag: Tensor
    share: Tensor
    drift: Tensor
    fall: Tensor
    regained: Tensor
    diverged: Tensor


@dataclass
class _Moment:
    """The first step at which a condition held, and a value at this step; both are NaN before it."""

    step: Tensor
    value: Tensor

    def note(self, holds: Tensor, values: Tensor, first: int) -> None:
        """Look through a chunk of steps that begins at `first`; both tensors have the shape (runs, points, steps)."""
        found = holds.any(-1) & self.step.isnan()
        index = holds.to(torch.int8).argmax(-1)
        self.step = torch.where(found, (first + index).to(self.step.dtype), self.step)
        self.value = torch.where(found, values.gather(-1, index[..., None])[..., 0], self.value)


def observe_drift(
    start: Tensor,
    depth: int,
    law_depth: int,
    step_sizes: Tensor,
    steps: int,
    progress: Progress,
) -> Drift:
    """`Drift` along gradient descent of paths that share a mode of strength 1.

    Args:
        start: layer scalars w_p at the initialization, of shape (runs, points, paths), the winner first.
        depth: L, the number of layers.
        law_depth: n, the depth in the formula, at least 3.
        step_sizes: eta, of shape (points,).
        steps: the least number of updates; it is rounded up to a multiple of `CHUNK`.
        progress: called with the fraction done; may raise to stop.
    """
    blank = torch.full(start.shape[:2], torch.nan, dtype=start.dtype)
    learned, loser_share, begun, gone, regained = (_Moment(blank, blank) for _ in range(5))
    weights, paired = start, start.new_zeros((*start.shape[:2], 1))
    for first in range(0, steps, CHUNK):
        progress(first / steps, f"step {first} of {steps}")
        trained = descend_aligned(weights, 1.0, depth, step_sizes, CHUNK, 2, range(CHUNK + 1), lambda *_: None)
        weights, path = trained.weights, trained.recorded
        carried = aligned_contributions(path, depth)
        total = carried[:, :, 0]
        for index in range(1, path.shape[2]):
            total = total + carried[:, :, index]
        loser = path[:, :, 1:].amax(2)  # paths keep their order
        lags, held = _lag(loser, law_depth), aligned_contributions(loser, depth)
        paired = (lags[..., :-1] + lags[..., 1:]) / 2  # the residual alternates in sign
        learned.note(total[..., :-1] >= LEARNED, paired, first)
        loser_share.note(total[..., :-1] >= LEARNED, held[..., :-1], first)
        for moment, part in ((begun, BEGUN), (gone, GONE)):
            moment.note(paired <= part * learned.value[..., None], paired, first)
        regained.note(held[..., :-1] >= REGAINED, paired, first)
    return Drift(
        learned.value,
        loser_share.value,
        (begun.value - gone.value) / (gone.step - begun.step),
        torch.where(paired[..., -1] == learned.value, 0.0, 1 - paired[..., -1] / learned.value),
        (regained.step - learned.step).clamp_min(1),
        ~torch.isfinite(weights).all(-1),
    )


def _lag(weight: Tensor, law_depth: int) -> Tensor:
    """w^-(n-2), infinite at w = 0, by products and one division, whose bits do not depend on the place of a run."""
    power = weight
    for _ in range(law_depth - 3):
        power = power * weight
    return 1 / power
