"""The plateaus between two modes: how close descents from smaller and smaller initializations come to them.

A plateau W_k is a solution of reduced-rank regression, or the sum of the first k modes. The smallest distance from W_k
is a power of the scale epsilon of the initialization (start); `sequential` predicts this power.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.modes.descents import relative_distance
from dlnrepro.dynamics.risks.squared_loss import leading_modes, reduced_rank
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run

PlateauLaw = Literal["reduced-rank", "strengths"]
"""The kind of plateaus: solutions of reduced-rank regression, or sums of the first modes in the order of sigma."""


class Plateaus(NamedTuple):
    """The distances of descents from the plateaus W_1 .. W_(modes-1), each relative to ||W_k||_F.

    Attributes:
        least: the smallest distance along each descent, of shape (runs, modes - 1, points).
        powers: the fitted power of epsilon in the smallest distance, of shape (runs, modes - 1).
        limits: the smallest distance that is left as epsilon vanishes, of shape (runs, modes - 1): the intercept of
            the line through the smallest distances against epsilon to the predicted power.
        first: the distance to W_1 at every record of the last descent, of shape (runs, records).
    """

    least: Tensor
    powers: Tensor
    limits: Tensor
    first: Tensor


def plateau_matrices(law: PlateauLaw, target: Target, moment: Tensor) -> list[Tensor]:
    """The plateaus W_1 .. W_(modes-1), each of shape (runs, n_L, n_0).

    Args:
        law: the kind of plateaus.
        target: Z.
        moment: the second moment S of the inputs, of shape (runs, n_0, n_0).
    """
    ranks = range(1, target.strengths.shape[-1])
    if law == "reduced-rank":
        return [reduced_rank(moment, target.matrix, rank) for rank in ranks]
    return [leading_modes(target, moment, rank) for rank in ranks]


def approached_plateaus(path: Tensor, plateaus: Sequence[Tensor], starts: Tensor, predicted: Tensor) -> Plateaus:
    """The distances of descents from the plateaus.

    Args:
        path: the product W, of shape (runs, points, records, n_L, n_0).
        plateaus: W_1 .. W_(modes-1), each of shape (runs, n_L, n_0).
        starts: the scales epsilon of the initializations, of shape (points,).
        predicted: the predicted power of epsilon in each distance, of shape (runs, modes - 1).
    """
    distances = [relative_distance(path, plateau[:, None, None]) for plateau in plateaus]
    least = torch.stack([distance.amin(-1) for distance in distances], 1)
    powers = slope(starts.log(), each_run(torch.log, least))
    shrunk = each_run(lambda row: starts ** row[:, None], predicted)
    limits = least.mean(-1) - slope(shrunk, least) * shrunk.mean(-1)
    return Plateaus(least, powers, limits, distances[0][:, -1])
