"""The plateaus between two modes: how close descents from ever smaller starts come to the sum of the first modes.

The distance of the closest approach is a power of the size epsilon of the start; `sequential` predicts which.
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
"""What the plateaus are: solutions of reduced-rank regression, or the first modes in the order of sigma."""


class Plateaus(NamedTuple):
    """How close descents come to W_1 .. W_(modes-1), each over ||W_k||_F.

    Attributes:
        least: the least distance along each descent, of shape (runs, modes - 1, points).
        powers: the fitted power of epsilon in it, of shape (runs, modes - 1).
        first: the distance to W_1 at every record of the last descent, of shape (runs, records).
    """

    least: Tensor
    powers: Tensor
    first: Tensor


def plateau_matrices(law: PlateauLaw, target: Target, moment: Tensor) -> list[Tensor]:
    """W_1 .. W_(modes-1), each of shape (runs, n_L, n_0).

    Args:
        law: what they are.
        target: Z.
        moment: S, of shape (runs, n_0, n_0).
    """
    ranks = range(1, target.strengths.shape[-1])
    if law == "reduced-rank":
        return [reduced_rank(moment, target.matrix, rank) for rank in ranks]
    return [leading_modes(target, moment, rank) for rank in ranks]


def approached_plateaus(path: Tensor, plateaus: Sequence[Tensor], starts: Tensor) -> Plateaus:
    """How close the descents come.

    Args:
        path: the product W, of shape (runs, points, records, n_L, n_0).
        plateaus: W_1 .. W_(modes-1), each of shape (runs, n_L, n_0).
        starts: epsilon, of shape (points,).
    """
    distances = [relative_distance(path, plateau[:, None, None]) for plateau in plateaus]
    least = torch.stack([distance.amin(-1) for distance in distances], 1)
    return Plateaus(least, slope(starts.log(), each_run(torch.log, least)), distances[0][:, -1])
