"""The initialization (start) of networks with a one-neuron layer: balanced layers of the product W = s u v^T.

Setting: Eftekhari 2020 (arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761), which write N for the depth L.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.start import Pair, balanced, draw_pair
from dlnrepro.dynamics.starts.balanced import draw_strength
from dlnrepro.dynamics.starts.targets import Target, diagonal, draw_strengths
from dlnrepro.settings.fields import Depth, PositiveRange, Range, Width
from dlnrepro.settings.targets import TargetSettings


class OneNeuronSettings(TargetSettings):
    """A network whose first hidden layer has one neuron, with a balanced initialization W = s u v^T."""

    depth: Depth
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

    def draw(self, generators: Sequence[Generator]) -> OneNeuronStart:
        """The target, then the directions, the strength and the layers of each run, drawn in this order."""
        target = self.target(generators)
        return self.start_from(target, draw_pair(target, 0, self.overlap, generators), generators)

    def diagonal_target(self, generators: Sequence[Generator]) -> Target:
        """A target whose singular vectors are the unit vectors, with the drawn strengths."""
        return diagonal(self.outputs, self.inputs, draw_strengths(self.strengths, self.jitter, generators))

    def start_from(self, target: Target, pair: Pair, generators: Sequence[Generator]) -> OneNeuronStart:
        """The strength, then the layers for given directions, drawn in this order."""
        strength = draw_strength(*self.start, generators)
        return OneNeuronStart(target, pair, strength, balanced(target, pair, strength, self.widths, generators))
