"""The margin and the direction of the predictors of two classes, relative to their maximum margin.

With w = c ubar + p, where ubar is the maximum-margin direction and p is perpendicular to it, the gap of the margin is

    1 - margin(w) / gamma = (max_i (-c (<ubar, z_i> - gamma) - <p, z_i>) + gamma (||w|| - c)) / (gamma ||w||),

where <ubar, z_i> - gamma is exactly 0 for support vectors and ||w|| - c = ||p||^2 / (||w|| + c). So the only
cancellation is in p itself. This is the formula of `dlnrepro.dynamics.classification.margin_convergence` for all runs
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.classification.separable_data import Classes
from dlnrepro.dynamics.tensors.arrays import tensor_of


@dataclass(frozen=True)
class MaximumMargins:
    """The maximum margin of the data of each run, with the labels that a hyperplane gives.

    Attributes:
        direction: ubar, of shape (runs, n_0).
        margin: gamma, of shape (runs,).
        signed: z_i = y_i x_i, of shape (runs, samples, n_0).
        slack: <ubar, z_i> - gamma, exactly 0 for support vectors, of shape (runs, samples).
    """

    direction: Tensor
    margin: Tensor
    signed: Tensor
    slack: Tensor

    def margin_of(self, predictor: Tensor) -> Tensor:
        """min_i <w, z_i> / ||w||, of shape (runs,), from w of shape (runs, n_0)."""
        least = (self.signed @ predictor[..., None])[..., 0].amin(-1)
        margin: Tensor = least / torch.linalg.vector_norm(predictor, dim=-1)
        return margin

    def sine_to(self, predictor: Tensor) -> Tensor:
        """The sine of the angle between w and ubar, of shape (runs,)."""
        _, across = self._parts(predictor)
        sine: Tensor = torch.linalg.vector_norm(across, dim=-1) / torch.linalg.vector_norm(predictor, dim=-1)
        return sine

    def gap_of(self, predictor: Tensor) -> Tensor:
        """1 - margin(w) / gamma, of shape (runs,)."""
        along, across = self._parts(predictor)
        length = torch.linalg.vector_norm(predictor, dim=-1)
        least = (-along[:, None] * self.slack - (self.signed @ across[..., None])[..., 0]).amax(-1)
        square = (across * across).sum(-1)
        lead = torch.where(along > 0, square / (length + along.clamp_min(0)), length - along)
        gap: Tensor = (least + self.margin * lead) / (self.margin * length)
        return gap

    def _parts(self, predictor: Tensor) -> tuple[Tensor, Tensor]:
        """C and p."""
        along = (predictor * self.direction).sum(-1)
        return along, predictor - along[:, None] * self.direction


def maximum_margins(sets: Sequence[Classes]) -> MaximumMargins:
    """The maximum margins of the data of all runs."""
    slacks = []
    for one in sets:
        slack = one.truth @ one.solution.direction - one.solution.margin
        slack[one.solution.support] = 0
        slacks.append(slack)
    return MaximumMargins(
        direction=tensor_of(np.stack([one.solution.direction for one in sets])),
        margin=torch.tensor([one.solution.margin for one in sets], dtype=torch.float64),
        signed=tensor_of(np.stack([one.truth for one in sets])),
        slack=tensor_of(np.stack(slacks)),
    )
