"""Two classes of points in the unit ball that a hyperplane through the origin separates, and classifiers of them.

Setting: Ji and Telgarsky 2019 (arXiv:1810.02032) and Soudry et al. 2018 (arXiv:1710.10345).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.separable_data import Classes, DataKind, drawing
from dlnrepro.dynamics.classification.training import start
from dlnrepro.dynamics.risks.margin_losses import LossName
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.settings.base import Contradiction, Settings
from dlnrepro.settings.networks import GaussianNetwork

Separable = Annotated[
    Literal["separable", "flipped"],
    Field(
        description="`separable` by a hyperplane, or `flipped`: with a fifth of these labels flipped, so that no"
        " hyperplane separates the classes"
    ),
]
Loss = Annotated[LossName, Field(description="the loss l(m) of a margin m: log(1 + exp(-m)), exp(-m) or (1 - m)^2 / 2")]
LeastShare = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="smallest allowed ratio of two multipliers of support vectors; other data are drawn again",
    ),
]
CoordinateRates = Annotated[
    float,
    Field(
        ge=1,
        le=100,
        description="learning rates of the coordinates of the data go from 1 / this to this, evenly in the logarithm;"
        " 1 makes them equal",
    ),
]


class TwoClasses(Settings):
    """The data set of each run: more than twice as many points as dimensions, or fewer points than dimensions."""

    data: DataKind = Field(
        description="`separable` by a hyperplane, `flipped`: with a fifth of these labels flipped, so that no"
        " hyperplane separates the classes, or `under-determined`: fewer points than dimensions, with random labels"
    )
    inputs: int = Field(ge=2, le=50, description="n_0, the dimension of the data")
    samples: int = Field(ge=2, le=1000, description="the number of points")
    gap: float = Field(
        ge=0,
        lt=0.5,
        description="smallest distance of a point from the hyperplane that labels the data; not used for"
        " `data: under-determined`",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Too many or too few points for the kind of data."""
        yield from super().contradictions()
        if self.data == "under-determined" and self.samples >= self.inputs:
            yield Contradiction("samples", f"fewer than {self.inputs}, the inputs, for `data: under-determined`")
        if self.data != "under-determined" and self.samples <= 2 * self.inputs:
            yield Contradiction(
                "samples", f"more than {2 * self.inputs}, twice as many as inputs, for `data: {self.data}`"
            )

    def classes(self, generator: Generator, least_share: float = 0.0, spanning: bool = True) -> Classes:
        """The data set of one run.

        Args:
            generator: the random generator of this run.
            least_share: the smallest multiplier of a support vector over the largest, in [0, 1).
            spanning: whether the support vectors span the space, or must not; not used for under-determined data.
        """
        draw = drawing(self.data, self.inputs, self.samples, self.gap, spanning, least_share)
        return draw(generator)


class DeepClassifier(TwoClasses, GaussianNetwork):
    """A deep linear network with one output, and the data that it classifies."""

    inputs: int = Field(ge=2, le=50, description="n_0, the dimension of the data")
    hidden: int = Field(ge=2, le=256, description="n_1 = ... = n_(L-1), the width of the hidden layers")

    def initialization(self, sets: Sequence[Array], loss: LossName, generators: Sequence[Generator]) -> list[Tensor]:
        """Gaussian weights of each run that are not worse than the zero network.

        `dynamics.classification.training.start` says how they are drawn. For under-determined data the rows of W_1 lie
        in the span of the data, where a flow would keep them.
        """
        return start(self.widths, self.scale, loss, sets, self.data == "under-determined", generators)
