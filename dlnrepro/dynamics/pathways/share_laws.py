"""The predicted shares of aligned paths at every step ratio of a sweep.

By its conservation law, gradient flow ends with shares x_law. Stability allows a largest share of x*(gamma). So the
largest share is min(x_law, x*), and stability limits a run where x* is the smaller one. From gamma = 2 P^(1-2/L) on,
all shares are equal. Conventions and sources are those of `dlnrepro.dynamics.pathways.closed_forms`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.pathways.aligned_paths import aligned_shares
from dlnrepro.dynamics.pathways.closed_forms import equality_limit, largest_stable_share, race_end
from dlnrepro.dynamics.tensors.per_run import each_run

MARGIN = 0.01
"""A run counts as limited by stability where x* is smaller than the largest x_law by more than this."""


class ShareLaw(NamedTuple):
    """The predicted shares along a sweep.

    Attributes:
        ratios: gamma, of shape (points,).
        race: x_law of every path, where gradient flow ends, the winner first, of shape (runs, paths).
        stable: x*(gamma), the largest share that stability allows, of shape (points,).
        limit: 2 P^(1-2/L), the step ratio from which on all shares are equal.
    """

    ratios: Tensor
    race: Tensor
    stable: Tensor
    limit: float

    @property
    def lead(self) -> Tensor:
        """The largest x_law of each run, of shape (runs, 1)."""
        return self.race.amax(-1, keepdim=True)

    @property
    def largest(self) -> Tensor:
        """The predicted largest share, min(x_law, x*), of shape (runs, points)."""
        return torch.minimum(self.lead, self.stable)

    @property
    def equal(self) -> Tensor:
        """Whether all shares are predicted to be equal, of shape (runs, points)."""
        return (self.ratios >= self.limit).expand(len(self.race), -1)

    @property
    def limited(self) -> Tensor:
        """Whether stability limits the largest share without making shares equal, of shape (runs, points)."""
        return ~self.equal & (self.stable < self.lead - MARGIN)

    def losers_error(self, shares: Tensor) -> Tensor:
        """The errors |x / x_law - 1| of losing paths, of shape (runs, points, paths - 1); |x| if x_law is 0.

        Args:
            shares: x, the measured shares, of shape (runs, points, paths).
        """
        losers = self.race[:, 1:][:, None].expand_as(shares[..., 1:])
        return torch.where(losers > 0, shares[..., 1:] / losers - 1, shares[..., 1:]).abs()


def share_law(ratios: Tensor, start: Tensor, strength: float, depth: int, law_depth: int) -> ShareLaw:
    """The predicted shares of paths with a given initialization.

    Args:
        ratios: gamma, of shape (points,).
        start: layer scalars at the initialization, of shape (runs, paths).
        strength: s, the singular value of the mode.
        depth: L of the model.
        law_depth: the depth in the formulas; a value other than L makes them wrong on purpose.
    """
    paths = start.shape[-1]
    race = aligned_shares(each_run(lambda row: race_end(row, strength, depth, law_depth), start))
    stable = largest_stable_share(ratios, paths, law_depth)
    return ShareLaw(ratios, race, stable, equality_limit(paths, law_depth))
