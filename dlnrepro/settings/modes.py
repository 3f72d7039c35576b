"""What the regressions share whose modes are learned one after another.

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
    """A linear regression with a target Z, by two layers, or by one layer in a control; trained by gradient descent."""

    depth: int = Field(ge=1, le=2, description="L, the number of weight matrices; the theory is for two")
    hidden: Width = Field(description="for `depth: 2`: n_1, the width of the hidden layer")
    steps: int = Field(ge=2, le=10**5, description="how many gradient steps are taken")

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.inputs, *[self.hidden] * (self.depth - 1), self.outputs]
