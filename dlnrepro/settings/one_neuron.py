"""The initialization of networks with a one-neuron layer: balanced layers of the product W = s u v^T.

Setting: Eftekhari 2020 (arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761), which write N for the depth L.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.one_neuron.start import Pair, balanced, draw_pair
from dlnrepro.dynamics.starts.balanced import draw_strength, unbalanced
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Depth, LayerFactor, PositiveRange, Range, Width
from dlnrepro.settings.targets import TargetSettings


class OneNeuronStart(NamedTuple):
    """A drawn initialization: the target, the pair (u, v), and the weights W_1 .. W_L."""

    target: Target
    pair: Pair
    weights: list[Tensor]


class OneNeuronSettings(TargetSettings):
    """A network whose first hidden layer has one neuron, for a target of full row rank; W = s u v^T at the start."""

    depth: Depth
    hidden: Width = Field(description="n_2 = ... = n_{L-1}, the widths of the hidden layers after the one-neuron layer")
    overlap: Range = Field(description="range of u^T Z v / sigma_2 at the start, in which the directions are drawn")
    start: PositiveRange = Field(description="range of the strength s at the start, which is drawn log-uniformly")
    layer_factor: LayerFactor

    def contradictions(self) -> Iterable[Contradiction]:
        """A target that has not full row rank."""
        yield from super().contradictions()
        if self.outputs > self.inputs:
            yield Contradiction("outputs", f"at most {self.inputs}, as many as inputs")
        if len(self.strengths) < self.outputs:
            yield Contradiction(
                "strengths", f"{self.outputs} values, as many as outputs", f"{len(self.strengths)} values"
            )

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, 1, *[self.hidden] * (self.depth - 2), self.outputs]

    def draw(self, generators: Sequence[Generator]) -> OneNeuronStart:
        """The target, then the directions, the strength and the layers of each run, drawn in this order."""
        target = self.target(generators)
        pair = draw_pair(target, 0, self.overlap, generators)
        strength = draw_strength(*self.start, generators)
        layers = balanced(target, pair, strength, self.widths, generators)
        return OneNeuronStart(target, pair, unbalanced(layers, self.layer_factor))
