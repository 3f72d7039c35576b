"""What theory says of the shares of aligned paths at every step ratio of a sweep.

The race of the paths, by its conservation law, ends with shares x_law. Stability allows a largest share of x*(gamma).
So the largest share is min(x_law, x*): a run is limited by stability where x* is the lower one. From gamma =
2 P^(1-2/L) on, all shares are equal. Conventions and sources of `dynamics.pathways.closed_forms`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.pathways.aligned_paths import aligned_shares
from dlnrepro.dynamics.pathways.closed_forms import equality_limit, largest_stable_share, race_end
from dlnrepro.dynamics.tensors.per_run import each_run

MARGIN = 0.01
"""A run counts as limited by stability where x* lies this far below the share at which its race would end."""


class ShareLaw(NamedTuple):
    """The laws along a sweep.

    Attributes:
        ratios: gamma, of shape (points,).
        race: x_law of every path, the winner first, of shape (runs, paths).
        stable: x*(gamma), of shape (points,).
        limit: 2 P^(1-2/L), the step ratio from which all shares are equal.
    """

    ratios: Tensor
    race: Tensor
    stable: Tensor
    limit: float

    @property
    def lead(self) -> Tensor:
        """The largest x_law, of shape (runs, 1)."""
        return self.race.amax(-1, keepdim=True)

    @property
    def largest(self) -> Tensor:
        """The largest share, min(x_law, x*), of shape (runs, points)."""
        return torch.minimum(self.lead, self.stable)

    @property
    def equal(self) -> Tensor:
        """Whether all shares are equal, of shape (runs, points)."""
        return (self.ratios >= self.limit).expand(len(self.race), -1)

    @property
    def limited(self) -> Tensor:
        """Whether stability limits the largest share, and leaves some of it unequal, of shape (runs, points)."""
        return ~self.equal & (self.stable < self.lead - MARGIN)

    def losers_error(self, shares: Tensor) -> Tensor:
        """The |x / x_law - 1| of losing paths, of shape (runs, points, paths - 1); |x| for a path with x_law = 0.

        Args:
            shares: x, of shape (runs, points, paths).
        """
        losers = self.race[:, 1:][:, None].expand_as(shares[..., 1:])
        return torch.where(losers > 0, shares[..., 1:] / losers - 1, shares[..., 1:]).abs()


def share_law(ratios: Tensor, start: Tensor, strength: float, depth: int, law_depth: int) -> ShareLaw:
    """The laws for paths that race from a start.

    Args:
        ratios: gamma, of shape (points,).
        start: layer scalars, of shape (runs, paths).
        strength: s.
        depth: L of the model.
        law_depth: the depth in the laws; another one than L makes them wrong on purpose.
    """
    paths = start.shape[-1]
    race = aligned_shares(each_run(lambda row: race_end(row, strength, depth, law_depth), start))
    stable = largest_stable_share(ratios, paths, law_depth)
    return ShareLaw(ratios, race, stable, equality_limit(paths, law_depth))
