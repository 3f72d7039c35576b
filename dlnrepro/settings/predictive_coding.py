"""Linear networks for predictive coding, with and without multipliers, and the constants of their inference.

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
        description="the dual step alpha in the formulas: `same` is that of the network; a number makes them wrong on"
        " purpose, for a negative control"
    ),
]
Inputs = Annotated[int, Field(ge=1, le=64, description="n_0, the dimension of the inputs x")]
Samples = Annotated[int, Field(ge=1, le=256, description="number of pairs (x, y), whose entries are all normal")]


class PredictiveCodingSettings(Settings):
    """A random network whose hidden layers have one width, the penalty rho, and the dual step alpha."""

    hidden: int = Field(ge=1, le=64, description="n, the width of every hidden layer")
    outputs: int = Field(ge=1, le=64, description="n_L, the dimension of the outputs y")
    skip: Skip = Field(
        description="`identity`: hidden layers are I + spread G / sqrt(n L), G standard normal; `none`: they are"
        " spread G / sqrt(n)"
    )
    spread: float = Field(
        ge=0, le=4, description="scale of the random part of the hidden layers; 1 is the scaling of the authors"
    )
    penalty: Positive = Field(description="rho, the penalty on squared residuals")
    dual_step: float = Field(
        ge=0, le=100, description="alpha, the step of the multipliers; 0 is plain predictive coding, without them"
    )
    law_dual_step: LawDualStep

    @property
    def formula_dual_step(self) -> float:
        """The alpha in the formulas, as a number."""
        return law_value(self.law_dual_step, self.dual_step)

    def network(self, depth: int, inputs: int, samples: int, generators: Sequence[Generator]) -> Network:
        """A network of L layers with its data, drawn for each run."""
        return draw_network(depth, self.hidden, inputs, self.outputs, samples, self.skip, self.spread, generators)
