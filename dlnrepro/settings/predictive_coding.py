"""Linear networks for predictive coding, with or without multipliers, and the constants of their inference.

Setting: Seely, Gould 2026 (arXiv:2605.31022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.predictive_coding.network import Network, Skip, draw_network
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.settings.base import Settings
from dlnrepro.settings.fields import DrawnAboveZero, DrawnFromZero, Same, same_or_number

LawDualStep = Annotated[
    Same | float,
    same_or_number(0, 100),
    Field(
        description="dual step alpha used in the theoretical formula: `same` is the value of `dual_step`; another value"
        " is a deliberately wrong formula, for negative controls"
    ),
]
Inputs = Annotated[int, Field(ge=1, le=64, description="n_0, the dimension of the inputs x")]
Leak = Annotated[
    float,
    Field(ge=0, lt=1, description="fraction of a multiplier that is lost at each step; 0 in the theory"),
]
Samples = Annotated[int, Field(ge=1, le=256, description="number of pairs (x, y), whose entries are standard normal")]


class Constants(NamedTuple):
    """Constants of a step, each of shape (runs,).

    Attributes:
        penalty: rho.
        dual_step: alpha.
        formula: the alpha in the formulas: that of the network, or another value in a negative control.
    """

    penalty: Tensor
    dual_step: Tensor
    formula: Tensor


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
    penalty: DrawnAboveZero = Field(
        description="penalty rho on the squared residuals: a number, or a range [low, high] from which each run draws"
    )
    dual_step: DrawnFromZero = Field(
        description="dual step alpha, the step size of the multipliers: a number, or a range [low, high] from which"
        " each run draws; 0 is plain predictive coding, which has no multipliers"
    )
    law_dual_step: LawDualStep

    def constants(self, generators: Sequence[Generator]) -> Constants:
        """Penalty rho and dual step alpha of each run, and the alpha of the formulas, drawn in this order."""
        penalty, dual_step = uniform((), *self.penalty, generators), uniform((), *self.dual_step, generators)
        formula = dual_step if self.law_dual_step == "same" else torch.full_like(dual_step, self.law_dual_step)
        return Constants(penalty, dual_step, formula)

    def network(self, depth: int, inputs: int, samples: int, generators: Sequence[Generator]) -> Network:
        """A network of L layers with its data, drawn from the generator of each run."""
        return draw_network(depth, self.hidden, inputs, self.outputs, samples, self.skip, self.spread, generators)
