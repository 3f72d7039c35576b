"""Settings of regressions that learn the modes of their target one after another.

Setting: Gidel, Bach, Lacoste-Julien 2019 (arXiv:1904.13262).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dlnrepro.settings.fields import FROM_LIST, SPREAD, Positive, Width
from dlnrepro.settings.targets import TargetSettings

Sweep = Annotated[tuple[Positive, Positive], FROM_LIST, SPREAD]
"""The range [low, high] of a sweep."""


class RegressionSettings(TargetSettings):
    """A linear regression with the target Z, trained by gradient descent; it has two layers, or one in a control."""

    depth: int = Field(
        ge=1, le=2, description="depth L, the number of weight matrices: 2 in the theory, 1 in a control"
    )
    hidden: Width = Field(description="n_1, the width of the hidden layer; not used at depth 1")
    steps: int = Field(ge=2, le=10**5, description="number of gradient steps")

    @property
    def widths(self) -> list[int]:
        """The widths n_0 .. n_L, from the inputs to the outputs."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.outputs]
