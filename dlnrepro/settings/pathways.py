"""Parallel deep linear paths, whose products add up to one matrix: aligned paths, and paths of full matrices.

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
from dlnrepro.settings.fields import FROM_LIST, NOT_RISING, ORDERED, Positive, Width
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.targets import at_most_as_many

StepRatio = Annotated[float, Field(gt=0, le=10)]
Paths = Annotated[int, Field(ge=2, le=8, description="P, the number of parallel paths")]
PartOfWinner = Annotated[float, Field(ge=0, le=1)]


class AlignedPathSettings(DeepSettings):
    """Aligned, balanced paths that share one mode: the weights of a path are one scalar, the same in every layer."""

    paths: Paths
    losers: Annotated[tuple[PartOfWinner, PartOfWinner], FROM_LIST, ORDERED] = Field(
        description="range of the layer scalars of all paths but the first at the start, over that of the first path,"
        " which is ahead; they are drawn uniformly"
    )

    def relative_start(self, generators: Sequence[Generator]) -> Tensor:
        """Layer scalars over that of the first path, which comes first, of shape (runs, paths)."""
        losers = uniform((self.paths - 1,), *self.losers, generators)
        return torch.cat([losers.new_ones(len(generators), 1), losers], -1)


class PathMatrixSettings(DeepSettings):
    """Paths of full matrices, and a target of two or more modes whose singular vectors are uniform (Haar)."""

    inputs: Width = Field(description="n_0, the dimension of the inputs")
    hidden: Width = Field(description="n_1 = ... = n_{L-1}, the widths of the hidden layers of each path")
    outputs: Width = Field(description="n_L, the dimension of the outputs")
    strengths: Annotated[tuple[Positive, ...], FROM_LIST, NOT_RISING] = Field(
        min_length=1, max_length=8, description="s_k, the singular values of the target, which do not rise"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More modes than the layers can carry."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ("inputs", "hidden", "outputs"))

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.outputs]

    @property
    def path_size(self) -> int:
        """How many weights a path has."""
        return sum(before * after for before, after in pairwise(self.widths))

    def frames(self, generators: Sequence[Generator]) -> tuple[Tensor, Tensor]:
        """U of shape (runs, outputs, modes) and V of shape (runs, inputs, modes), drawn in this order."""
        modes = len(self.strengths)
        return orthonormal(self.outputs, modes, generators), orthonormal(self.inputs, modes, generators)
