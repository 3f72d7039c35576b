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
    """A network of some depth; a runner that admits other depths declares its own field `depth`."""

    depth: Depth
    law_depth: LawDepth

    @property
    def formula_depth(self) -> int:
        """The depth in the formulas: the trained one, unless a negative control names another one."""
        return law_value(self.law_depth, self.depth)


class GaussianNetwork(Settings):
    """A network with one output, unless a subclass says how many, and a Gaussian initialization."""

    depth: Depth
    inputs: int = Field(ge=1, le=64, description="n_0, the dimension of the inputs")
    hidden: int = Field(ge=1, le=64, description="n_1 = ... = n_{L-1}, the width of the hidden layers")
    scale: float = Field(
        gt=0,
        le=10,
        description="scale of the initialization: the entries of W_l are normal with standard deviation"
        " scale / sqrt(n_{l-1}), so 1 is of order one; such layers are not balanced",
    )

    @property
    def last_width(self) -> int:
        """n_L."""
        return 1

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.last_width]

    @property
    def weight_count(self) -> int:
        """The number of weights in all layers."""
        return sum(before * after for before, after in pairwise(self.widths))

    def weights(self, generators: Sequence[Generator]) -> list[Tensor]:
        """W_1 .. W_L of each run, drawn from its generator in this order."""
        return gaussian(self.widths, self.scale, generators)
