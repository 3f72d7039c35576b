"""Linear networks for predictive coding, with or without multipliers, and the constants of their inference.

Setting: Seely, Gould 2026 (arXiv:2605.31022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.predictive_coding.network import Network, Skip, draw_network
from dlnrepro.settings.base import Settings
from dlnrepro.settings.fields import Positive, Same, law_value, same_or_number

LawDualStep = Annotated[
    Same | float,
    same_or_number(0, 100),
    Field(
        description="dual step alpha used in the theoretical formula: `same` is the value of `dual_step`; another value"
        " is a deliberately wrong formula, for negative controls"
    ),
]
Inputs = Annotated[int, Field(ge=1, le=64, description="n_0, the dimension of the inputs x")]
Samples = Annotated[int, Field(ge=1, le=256, description="number of pairs (x, y), whose entries are standard normal")]


class PredictiveCodingSettings(Settings):
    """A random network whose hidden layers have one width, the penalty rho, and the dual step alpha."""

    hidden: int = Field(ge=1, le=64, description="n, the width of every hidden layer")
    outputs: int = Field(ge=1, le=64, description="n_L, the dimension of the outputs y")
    skip: Skip = Field(
        description="hidden layers: `identity` is I + spread G / sqrt(n L), `none` is spread G / sqrt(n), where n is"
        " the width, L the depth, and G has standard normal entries"
    )
    spread: float = Field(
        ge=0, le=4, description="scale of the random part G of the hidden layers; 1 is the scaling of the authors"
    )
    penalty: Positive = Field(description="penalty rho on the squared residuals")
    dual_step: float = Field(
        ge=0,
        le=100,
        description="dual step alpha, the step size of the multipliers; 0 is plain predictive coding, which has none",
    )
    law_dual_step: LawDualStep

    @property
    def formula_dual_step(self) -> float:
        """The dual step alpha in the formulas: that of the network, or another value in a negative control."""
        return law_value(self.law_dual_step, self.dual_step)

    def network(self, depth: int, inputs: int, samples: int, generators: Sequence[Generator]) -> Network:
        """A network of L layers with its data, drawn from the generator of each run."""
        return draw_network(depth, self.hidden, inputs, self.outputs, samples, self.skip, self.spread, generators)
