"""A deep linear network that separates several classes, with fewer samples than dimensions of the inputs.

Setting: Tan, Gai, Zhang 2026 (arXiv:2606.05863).
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field
from torch import Tensor

from dlnrepro.dynamics.training_clocks.class_means import one_hot
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.networks import GaussianNetwork


class ManyClasses(GaussianNetwork):
    """A network with one output for each class, and how many samples it is trained on."""

    classes: int = Field(
        ge=2, le=16, description="K, the number of classes; their numbers of samples differ by one at most"
    )
    samples: int = Field(
        ge=8,
        le=64,
        multiple_of=8,
        description="number of samples for training: at most the dimension of the inputs, so that a linear map "
        "separates any labels, and a multiple of 8, so that the results of a run are bitwise identical in any batch",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More samples than a linear map can always separate."""
        yield from super().contradictions()
        if self.samples > self.inputs:
            yield Contradiction("samples", f"at most {self.inputs}, as many as inputs")

    @property
    def last_width(self) -> int:
        """The width n_L of the last layer, one output for each class."""
        return self.classes

    def one_hot(self, runs: int) -> Tensor:
        """The labels of the samples, which are the same in each run, of shape (runs, samples, classes)."""
        return one_hot(runs, self.samples, self.classes)
