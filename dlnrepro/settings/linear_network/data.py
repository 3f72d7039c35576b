"""The data that a network is trained on, by second moments or as samples, and the loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.checkpoints.data_file import read_data
from dlnrepro.dynamics.classification.maximum_margin import maximum_margin
from dlnrepro.dynamics.classification.separable_data import Classes, drawing, with_slack
from dlnrepro.dynamics.general.losses import Loss, MarginLoss, SampleLoss, moment_loss
from dlnrepro.dynamics.general.margins import MaximumMargins, maximum_margins
from dlnrepro.dynamics.general.population import population_loss, squared_population_loss
from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw
from dlnrepro.dynamics.starts.draws import normal, uniform
from dlnrepro.dynamics.starts.targets import Target, diagonal
from dlnrepro.dynamics.tensors.arrays import Array, tensor_of
from dlnrepro.dynamics.training_clocks.class_means import around_circle, labels, one_hot
from dlnrepro.errors import UsageError
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import DrawnAboveZero
from dlnrepro.settings.input_files import NO_FILE, InputFile
from dlnrepro.settings.linear_network.kinds import unused
from dlnrepro.settings.linear_network.target import TargetSettings

LossKind = Literal["squared", "logistic", "exponential", "cross-entropy"]
DataKind = Literal[
    "file",
    "moments",
    "teacher",
    "gaussian",
    "separable",
    "flipped",
    "under-determined",
    "sphere",
    "circle",
    "population",
]
BY_MARGIN = ("separable", "flipped", "under-determined")
BY_CLASS = ("sphere", "circle")


@dataclass(frozen=True)
class Problem:
    """What all runs are trained on.

    Attributes:
        loss: R.
        target: the target by its modes, if the data have one.
        sets: the signed points of each run, for two classes.
        margins: the maximum margins of two classes.
        labels: one-hot labels, for several classes.
        fresh: fresh inputs (runs, count, n_0) and their classes (count,).
        constants: what each run drew, by the name that formulas use.
    """

    loss: Loss
    target: Target | None = None
    sets: Sequence[Array] | None = None
    margins: MaximumMargins | None = None
    labels: Tensor | None = None
    fresh: tuple[Tensor, Tensor] | None = None
    constants: dict[str, Tensor] = field(default_factory=dict)


class DataSettings(TargetSettings):
    """The data by second moments, or samples of a regression or of classes."""

    loss: LossKind = Field(default="squared", description="the loss (default: squared)")
    data: DataKind = Field(
        default="moments",
        description="`moments`: the squared loss by the second moments of inputs and outputs; `teacher`: Gaussian"
        " inputs with outputs Z x; `gaussian`: Gaussian inputs with Gaussian outputs; two classes of points that are"
        " `separable`, `flipped` (separable, then a fifth of the labels is flipped) or `under-determined` (fewer points"
        " than dimensions); `sphere`: points on the unit sphere with classes in turn; `circle`: class means on a circle"
        " in two coordinates, with noise in all other coordinates; `population`: all inputs that have the law"
        " `input_law`, with the labels sgn(x_1) of a teacher, whose direction is the mode 1; `file`: the samples in"
        " `file`, the same in each run"
        " (default: moments)",
    )
    samples: int | None = Field(default=None, ge=1, le=10**5, description="the number of samples")
    input_law: InputLaw | None = Field(
        default=None,
        description="for `population`: the law of the inputs, uniform on the unit `sphere` or standard normal"
        " (`gaussian`); the logistic loss is computed for ||M|| up to about 60",
    )
    file: InputFile = Field(
        default=NO_FILE,
        description="for `data: file`: an .npz file with x (samples, inputs) and y (samples, ...), or a .csv file with"
        " columns y, y1, ... or the last column as y; its path is relative to the claim. Labels are -1 and 1 for losses"
        " of margins, and 0, 1, 2, ... for the cross-entropy (default: none)",
    )
    spanning: bool = Field(
        default=True, description="for two classes: whether the support vectors span the space (default: true)"
    )
    least_share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="for two classes: the smallest multiplier of a support vector over the largest (default: 0)",
    )
    least_slack: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="for two classes: the smallest relative excess of the margins of other points over that of the"
        " support vectors (default: 0)",
    )
    radius: DrawnAboveZero = Field(
        default=(1.0, 1.0),
        description="for `circle`: radius of the circle of the class means, a number or a range from which each run"
        " draws (default: 1)",
    )
    noise: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="for `circle`: standard deviation of the noise in the other coordinates (default: 1)",
    )
    fresh: int = Field(
        default=0, ge=0, le=10**5, description="for `circle`: number of fresh inputs for tests (default: 0)"
    )

    @property
    def by_margin(self) -> bool:
        """Whether the data are two classes with a loss of margins."""
        return self.data in BY_MARGIN or (self.data == "file" and self.loss in ("logistic", "exponential"))

    @property
    def wants_target(self) -> bool:
        """Whether the data have a target."""
        return self.data in ("moments", "teacher")

    def contradictions(self) -> Iterable[Contradiction]:
        """Samples that are missing, losses that do not fit, and settings of other data."""
        yield from super().contradictions()
        if self.data in ("moments", "file", "population"):
            if self.samples is not None:
                yield unused("samples", "drawn samples, such as `data: teacher`")
        elif self.samples is None:
            yield Contradiction("samples", f"the number of samples of `data: {self.data}`")
        if not self._admits(self.loss):
            fitting = [loss for loss in ("squared", "logistic", "exponential", "cross-entropy") if self._admits(loss)]
            yield Contradiction("loss", f"{' or '.join(fitting)} for `data: {self.data}`")
        if (self.file == NO_FILE) == (self.data == "file"):
            wanted = "the path of a file for `data: file`" if self.data == "file" else "no file, unless `data: file`"
            yield Contradiction("file", wanted)
        if (self.input_law is None) == (self.data == "population"):
            if self.input_law is None:
                yield Contradiction("input_law", "sphere or gaussian, the law of the inputs of `data: population`")
            else:
                yield unused("input_law", "`data: population`")
        if self.data == "teacher" and (self.variances is not None or self.moment is not None):
            yield unused("moment" if self.variances is None else "variances", "`data: moments`")
        for key, plain, kinds in (
            ("spanning", True, BY_MARGIN),
            ("least_share", 0, BY_MARGIN),
            ("least_slack", 0, BY_MARGIN),
            ("radius", (1, 1), ("circle",)),
            ("noise", 1, ("circle",)),
            ("fresh", 0, ("circle",)),
        ):
            if getattr(self, key) != plain and self.data not in kinds:
                yield unused(key, " or ".join(f"`data: {kind}`" for kind in kinds))
        if self._known and self.samples is not None:
            yield from self._samples_fit(self.samples)
        if self._known and self.data in (*BY_MARGIN, "population"):
            yield from self._ends_fit()

    def _admits(self, loss: str) -> bool:
        """Whether the data have this loss."""
        if self.data == "file":
            return True
        if self.data in BY_MARGIN:
            return loss != "cross-entropy"
        if self.data == "population":
            return loss in ("squared", "logistic")
        return loss == ("cross-entropy" if self.data in BY_CLASS else "squared")

    def _samples_fit(self, samples: int) -> Iterable[Contradiction]:
        """Too many or too few samples for the kind of data."""
        columns = self.ends[1]
        if self.data in BY_MARGIN:
            if self.data == "under-determined" and samples >= columns:
                yield Contradiction("samples", f"fewer than {columns}, the inputs, for `data: under-determined`")
            if self.data != "under-determined" and samples <= 2 * columns:
                yield Contradiction("samples", f"more than {2 * columns}, twice as many as inputs")
        if self.data == "circle" and samples >= columns:
            yield Contradiction("samples", f"fewer than {columns}, the inputs, for `data: circle`")

    def _ends_fit(self) -> Iterable[Contradiction]:
        """Several outputs for two classes, and too few inputs for a direction."""
        rows, columns = self.ends
        if rows != 1:
            key = "outputs" if self.widths is None else "widths"
            yield Contradiction(key, f"one output for `data: {self.data}`", f"{rows} outputs")
        if self.data == "population" and columns < 2:
            key = "widths" if self.widths is not None else "width" if self.inputs is None else "inputs"
            yield Contradiction(key, "at least 2 inputs for `data: population`", "1 input")

    def problem(self, generators: Sequence[Generator]) -> Problem:
        """The data of each run, drawn from its generator, with the loss."""
        if self.data in BY_MARGIN:
            return self._two_classes(generators)
        if self.data in BY_CLASS:
            return self._classes(generators)
        if self.data == "file":
            return self._from_file(len(generators))
        if self.data == "population":
            return self._population(len(generators))
        rows, columns = self.ends
        count = self.samples or 1
        if self.data == "gaussian":
            x, y = normal((columns, count), generators).mT, normal((rows, count), generators).mT
            return Problem(SampleLoss("squared", x, y))
        target = self.drawn_target(generators)
        constants = {"strengths": target.strengths}
        if self.data == "teacher":
            x = normal((count, columns), generators)
            return Problem(SampleLoss("squared", x, x @ target.matrix.mT), target, constants=constants)
        return Problem(moment_loss(target.matrix, self.input_moment(target)), target, constants=constants)

    def input_faults(self) -> Iterator[tuple[str, str]]:
        """The setting that names a file without samples for this network, and the reason; the file is read for it."""
        if self.data == "file":
            try:
                self._from_file(1)
            except (UsageError, ValueError) as error:
                yield "file", str(error)

    def _from_file(self, runs: int) -> Problem:
        """The samples of a file, which are the same in each run.

        Raises:
            ValueError: the numbers of inputs and outputs are not those of the network, or the labels do not fit the
                loss.
        """
        data, (rows, columns) = read_data(self.file), self.ends
        name = Path(self.file).name
        x = tensor_of(data.inputs).expand(runs, -1, -1)
        if data.inputs.shape[1] != columns:
            raise ValueError(f"{name}: expected {columns} inputs, as the network has, found {data.inputs.shape[1]}")
        if self.loss == "squared":
            if data.targets.shape[1] != rows:
                raise ValueError(f"{name}: expected {rows} outputs, as the network has, found {data.targets.shape[1]}")
            return Problem(SampleLoss("squared", x, tensor_of(data.targets).expand(runs, -1, -1)))
        if self.loss == "cross-entropy":
            if data.classes is None or data.classes.min() < 0 or data.classes.max() >= rows:
                raise ValueError(f"{name}: expected one label from 0 to {rows - 1} for each sample")
            hot = tensor_of(np.eye(rows)[data.classes]).expand(runs, -1, -1)
            return Problem(SampleLoss("cross-entropy", x, hot), labels=hot)
        if not data.is_binary or rows != 1:
            raise ValueError(f"{name}: expected labels -1 and 1, and a network with one output")
        signed = data.inputs * data.targets
        solution = maximum_margin(signed)
        if solution is None:
            raise ValueError(f"{name}: expected two classes that a hyperplane through the origin separates")
        sets = [Classes(signed, signed, solution)] * runs
        margins = maximum_margins(sets)
        loss = MarginLoss(self.loss, tensor_of(signed).expand(runs, -1, -1))
        constants = {"maximum_margin": margins.margin}
        return Problem(loss, sets=[signed] * runs, margins=margins, constants=constants)

    def _population(self, runs: int) -> Problem:
        """All inputs that have a law, with the direction of the teacher as the target."""
        assert self.input_law is not None
        loss = population_loss if self.loss == "logistic" else squared_population_loss
        columns = self.ends[1]
        teacher = diagonal(1, columns, torch.ones(runs, 1, dtype=torch.float64))
        return Problem(loss(self.input_law, columns, runs), teacher)

    def _classes(self, generators: Sequence[Generator]) -> Problem:
        """Points of several classes, with classes in turn."""
        (classes, columns), count = self.ends, self.samples or 1
        hot = one_hot(len(generators), count, classes)
        if self.data == "sphere":
            x = normal((count, columns), generators)
            x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
            return Problem(SampleLoss("cross-entropy", x, hot), labels=hot)
        radius = uniform((), *self.radius, generators)
        x = around_circle(count, classes, columns, radius, self.noise, generators)
        fresh = None
        if self.fresh:
            tests = around_circle(self.fresh, classes, columns, radius, self.noise, generators)
            fresh = tests, labels(self.fresh, classes)
        return Problem(SampleLoss("cross-entropy", x, hot), labels=hot, fresh=fresh, constants={"radius": radius})

    def _two_classes(self, generators: Sequence[Generator]) -> Problem:
        """Points of two classes, with their maximum margin."""
        assert self.samples is not None
        assert self.data in ("separable", "flipped", "under-determined")
        assert self.loss != "cross-entropy"
        draw = drawing(self.data, self.ends[1], self.samples, self.gap, self.spanning, self.least_share)
        if self.least_slack:
            wanted = f"data whose other margins exceed the maximum margin by {self.least_slack:g} of it"
            classes = [with_slack(draw, self.least_slack, wanted, generator) for generator in generators]
        else:
            classes = [draw(generator) for generator in generators]
        sets = [one.signed for one in classes]
        margins = maximum_margins(classes)
        loss = MarginLoss(self.loss, tensor_of(np.stack(sets)))
        return Problem(loss, sets=sets, margins=margins, constants={"maximum_margin": margins.margin})
