"""Gradient descents from one initialization over the same time, each at half the step size of the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import Field
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.step_halving import coarsest_steps, measured_descents
from dlnrepro.settings.base import Settings
from dlnrepro.settings.fields import Halvings, StepSize

DESCENT_POINTS = 25
"""The path of the weights is recorded at time 0, and then this many times at equal distances."""


class HalvedDescents(Settings):
    """The step size of the coarsest descent, and the number of finer descents that follow."""

    step_size: StepSize = Field(description="step size eta of the coarsest gradient descent")
    halvings: Halvings

    def coarse_steps(self, horizon: float) -> int:
        """The number of steps of the coarsest descent, a multiple of DESCENT_POINTS."""
        return coarsest_steps(horizon, self.step_size, DESCENT_POINTS)

    def descents(
        self,
        weights: Sequence[Tensor],
        gradient: Callable[[Weights], Sequence[Tensor]],
        horizon: float,
        measure: Callable[[Weights], Record],
        progress: Progress,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The step sizes, of shape (descents,), and the measurements of each path, of shape (runs, descents).

        Args:
            weights: the initial W_1 .. W_L of every descent.
            gradient: from weights to the gradients.
            horizon: step size times number of steps, the same for all descents.
            measure: from the path of the weights, with DESCENT_POINTS + 1 points, to numbers of shape (runs,).
            progress: of all descents together.
        """
        steps = self.coarse_steps(horizon)
        return measured_descents(weights, gradient, horizon, steps, self.halvings, DESCENT_POINTS, progress, measure)
