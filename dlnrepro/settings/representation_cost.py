"""Linear networks of several architectures, and predictors whose coordinates differ widely in size.

Setting: Dai, Karzand, Srebro (NeurIPS 2021).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.formulas import Architecture
from dlnrepro.dynamics.representation_cost.spiky_predictors import draw_spiky
from dlnrepro.dynamics.representation_cost.tied_layers import Patterns, build
from dlnrepro.settings.base import Contradiction, Settings

ENTRYWISE = ("fully-connected", "diagonal")
"""Architectures whose formulas hold for several outputs: they are about singular values, and about entries."""


class ArchitectureSettings(Settings):
    """An architecture with its sizes, the architecture in the formula, and the spread of drawn predictors."""

    architecture: Architecture = Field(description="architecture of the network: how the weights fill its layers")
    law: Literal["same", Architecture] = Field(
        description="architecture in the formula: that of the network (`same`), or another one, which makes the formula"
        " wrong on purpose, for a negative control"
    )
    depth: int = Field(ge=2, le=6, description="L, the number of layers; it is 2 for the architecture `k-support`")
    inputs: int = Field(ge=2, le=16, description="D, the dimension of the inputs")
    outputs: int = Field(
        ge=1, le=8, description="dimension of the outputs; it is 1 unless the layers are fully connected"
    )
    hidden: int = Field(ge=1, le=16, description="for the architecture `fully-connected`: width of the hidden layers")
    part: int = Field(
        ge=1,
        le=8,
        description="for the architecture `group`: size of the groups, which divides `inputs`; for `k-support`: size"
        " of the subsets",
    )
    spread: float = Field(
        ge=0,
        le=3,
        description="standard deviation of the natural logarithm of the sizes of the coordinates of drawn predictors",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Sizes that an architecture cannot have."""
        yield from super().contradictions()
        if self.part > self.inputs:
            yield Contradiction("part", f"at most {self.inputs}, as many as inputs")
        elif "group" in (self.architecture, self.law) and self.inputs % self.part:
            yield Contradiction("part", f"a divisor of inputs, which is {self.inputs}")
        if self.architecture == "k-support" and self.depth != 2:
            yield Contradiction("depth", "2 for the architecture k-support")
        if self.architecture == "fully-connected" and self.hidden < (least := min(self.inputs, self.outputs)):
            yield Contradiction("hidden", f"at least {least}, the smaller one of inputs and outputs")
        if self.outputs > 1 and self.architecture != "fully-connected":
            yield Contradiction("outputs", f"1 for the architecture {self.architecture}")
        elif self.outputs > 1 and self.formula not in ENTRYWISE:
            yield Contradiction("law", "`same`, fully-connected or diagonal for several outputs")

    @property
    def formula(self) -> Architecture:
        """The architecture in the formula."""
        return self.architecture if self.law == "same" else self.law

    @property
    def taps(self) -> int:
        """The number of taps of all convolutions but the first: the full width."""
        return self.inputs

    @property
    def layers(self) -> Patterns:
        """The layers of the network."""
        return build(self.architecture, self.depth, self.inputs, self.outputs, self.hidden, self.taps, self.part)

    def draw(self, count: int, generators: Sequence[Generator]) -> Tensor:
        """Predictors with log-normal coordinates of the network's kind, of shape (runs, count, inputs, outputs)."""
        shape = (count, self.inputs, self.outputs)
        return draw_spiky(self.architecture, shape, self.part, self.spread, generators)
