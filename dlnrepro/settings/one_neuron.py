"""The initialization (start) of networks with a one-neuron layer: balanced layers of the product W = s u v^T.

Setting: Eftekhari 2020 (arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761), which write N for the depth L.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.start import Pair, balanced, draw_pair, separate_strengths
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.starts.targets import Target, diagonal, rotated
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Depth, PositiveRange, Range, Width
from dlnrepro.settings.targets import TargetSettings


class OneNeuronSettings(TargetSettings):
    """A network whose first hidden layer has one neuron, with a balanced initialization W = s u v^T."""

    depth: Depth
    gap: float = Field(
        ge=0,
        lt=1,
        description="least relative gap (sigma_k - sigma_(k+1)) / sigma_k of neighbouring singular values of Z; the"
        " singular values of a run are drawn again until they have it",
    )
    hidden: Width = Field(description="n_2 = ... = n_(L-1), the width of every hidden layer after the one-neuron layer")
    overlap: Range = Field(
        description="range of u^T Z v / sigma_2 in which the initial directions u and v are drawn (sigma_1 in place of"
        " sigma_2 if Z has one mode only)"
    )
    start: PositiveRange = Field(
        description="range of the strength s of the initialization W = s u v^T, which is drawn log-uniformly"
    )

    @property
    def widths(self) -> list[int]:
        """The widths n_0 .. n_L."""
        return [self.inputs, 1, *[self.hidden] * (self.depth - 2), self.outputs]

    @property
    def entries(self) -> int:
        """How many entries the weights and their product have together."""
        return sum(before * after for before, after in pairwise(self.widths)) + self.inputs * self.outputs

    def contradictions(self) -> Iterable[Contradiction]:
        """Singular values that are not drawn and lack the gap."""
        yield from super().contradictions()
        if not self.jitter and any(after > (1 - self.gap) * before for before, after in pairwise(self.strengths)):
            yield Contradiction("strengths", "values with the relative gap of `gap`, because the jitter is 0")

    def target(self, generators: Sequence[Generator]) -> Target:
        """The target of each run: first its singular values, then its bases."""
        return rotated(self.outputs, self.inputs, self._strengths(generators), generators)

    def draw(self, generators: Sequence[Generator]) -> OneNeuronStart:
        """The target, then the directions, the strength and the layers of each run, drawn in this order."""
        target = self.target(generators)
        return self.start_from(target, draw_pair(target, 0, self.overlap, generators), generators)

    def diagonal_target(self, generators: Sequence[Generator]) -> Target:
        """A target whose singular vectors are the unit vectors, with the drawn strengths."""
        return diagonal(self.outputs, self.inputs, self._strengths(generators))

    def _strengths(self, generators: Sequence[Generator]) -> Tensor:
        """The singular values of each run, which keep the gap."""
        return separate_strengths(self.strengths, self.jitter, self.gap, generators)

    def start_from(self, target: Target, pair: Pair, generators: Sequence[Generator]) -> OneNeuronStart:
        """The strength, then the layers for given directions, drawn in this order."""
        strength = draw_strength(*self.start, generators)
        return OneNeuronStart(target, pair, strength, balanced(target, pair, strength, self.widths, generators))
