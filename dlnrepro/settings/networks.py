"""The depth of a network and the depth in its formulas; networks whose weights are drawn independently."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.settings.base import Settings
from dlnrepro.settings.fields import Depth, LawDepth, law_value


class DeepSettings(Settings):
    """A network of some depth, from 2 to 8; a runner with another range has its own field `depth`."""

    depth: Depth
    law_depth: LawDepth

    @property
    def formula_depth(self) -> int:
        """The depth L in the formulas: the depth of the network, or another value in a negative control."""
        return law_value(self.law_depth, self.depth)


class GaussianNetwork(Settings):
    """A network with one output, unless a subclass says how many, and a Gaussian initialization."""

    depth: Depth
    inputs: int = Field(ge=1, le=64, description="n_0, the dimension of the inputs")
    hidden: int = Field(ge=1, le=64, description="n_1 = ... = n_(L-1), the width of the hidden layers")
    scale: float = Field(
        gt=0,
        le=10,
        description="scale of the initialization: the entries of W_l are normal with standard deviation"
        " scale / sqrt(n_(l-1)), where n_(l-1) is the number of inputs of the layer; such layers are not balanced",
    )

    @property
    def last_width(self) -> int:
        """n_L, the dimension of the outputs."""
        return 1

    @property
    def widths(self) -> list[int]:
        """The widths n_0 .. n_L, from the inputs to the outputs."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.last_width]

    @property
    def weight_count(self) -> int:
        """The number of weights in all layers."""
        return sum(before * after for before, after in pairwise(self.widths))

    def weights(self, generators: Sequence[Generator]) -> list[Tensor]:
        """The weights W_1 .. W_L, W_l of shape (runs, n_l, n_(l-1)), drawn from each run's generator in this order."""
        return gaussian(self.widths, self.scale, generators)
