"""Parallel deep linear networks (paths) whose matrices add up to one: aligned paths, and paths of full matrices.

Setting: Kim, Lee 2026 (arXiv:2606.05219).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import orthonormal, uniform
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, NOT_RISING, ORDERED, Jitter, Positive, Width
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.targets import at_most_as_many

StepRatio = Annotated[float, Field(gt=0, le=10)]
Paths = Annotated[
    int, Field(ge=2, le=8, description="P, the number of parallel paths (deep linear networks that add up)")
]
PartOfWinner = Annotated[float, Field(ge=0, le=1)]


class AlignedPathSettings(DeepSettings):
    """Aligned, balanced paths that share one mode: every layer of path p is the layer scalar w_p times the identity."""

    paths: Paths
    losers: Annotated[tuple[PartOfWinner, PartOfWinner], FROM_LIST, ORDERED] = Field(
        description="range of w_p / w_1 at the initialization for all paths p but the first, each drawn uniformly,"
        " where every layer of path p is w_p times the identity"
    )

    def relative_start(self, generators: Sequence[Generator]) -> Tensor:
        """Layer scalars relative to that of the first path, of shape (runs, paths); the first column is 1."""
        losers = uniform((self.paths - 1,), *self.losers, generators)
        return torch.cat([losers.new_ones(len(generators), 1), losers], -1)


class PathMatrixSettings(DeepSettings):
    """Paths of full matrices, and a target with one or more modes whose singular vectors are uniform (Haar)."""

    inputs: Width = Field(description="n_0, the dimension of the inputs")
    hidden: Width = Field(description="n_1 = ... = n_(L-1), the width of the hidden layers of each path")
    outputs: Width = Field(description="n_L, the dimension of the outputs")
    strengths: Annotated[tuple[Positive, ...], FROM_LIST, NOT_RISING] = Field(
        min_length=1,
        max_length=8,
        description="s_k, the singular values of the target M*, each at most the one before it; with a jitter, the"
        " centres of the ranges from which all but the first are drawn",
    )
    jitter: Jitter = Field(
        description="relative spread of the singular values over the runs: each run multiplies each singular value but"
        " the first one by 1 + jitter x, with x uniform in [-1, 1]",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More modes than the layers can carry, and a jitter that may change the order of two modes."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ("inputs", "hidden", "outputs"))
        lowest = [self.strengths[0], *(strength * (1 - self.jitter) for strength in self.strengths[1:])]
        highest = [strength * (1 + self.jitter) for strength in self.strengths]
        if self.jitter and any(after > before for before, after in zip(lowest, highest[1:], strict=False)):
            yield Contradiction("jitter", "a spread that cannot change the order of the singular values")

    @property
    def widths(self) -> list[int]:
        """The widths n_0 .. n_L of the layers of a path."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.outputs]

    @property
    def path_size(self) -> int:
        """The number of weights of one path."""
        return sum(before * after for before, after in pairwise(self.widths))

    def drawn_strengths(self, generators: Sequence[Generator]) -> Tensor:
        """The singular values s_k of each run, of shape (runs, modes); nothing is drawn if the jitter is zero."""
        centres = torch.tensor(self.strengths, dtype=torch.float64).expand(len(generators), -1)
        if self.jitter == 0 or len(self.strengths) == 1:
            return centres
        factors = 1 + uniform((len(self.strengths) - 1,), -self.jitter, self.jitter, generators)
        return torch.cat([centres[:, :1], centres[:, 1:] * factors], -1)

    def frames(self, generators: Sequence[Generator]) -> tuple[Tensor, Tensor]:
        """U of shape (runs, outputs, modes) and V of shape (runs, inputs, modes), drawn in this order."""
        modes = len(self.strengths)
        return orthonormal(self.outputs, modes, generators), orthonormal(self.inputs, modes, generators)
