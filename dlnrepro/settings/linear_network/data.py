"""The target or the samples that a network is trained on, and the loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification.maximum_margin import maximum_margin
from dlnrepro.dynamics.classification.separable_data import drawing
from dlnrepro.dynamics.general.losses import Loss, MarginLoss, SampleLoss, moment_loss
from dlnrepro.dynamics.one_neuron.start import separate_strengths
from dlnrepro.dynamics.risks.squared_loss import commuting_moment, spread_moment
from dlnrepro.dynamics.starts.draws import normal, orthonormal, uniform
from dlnrepro.dynamics.starts.targets import Target, diagonal, draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Array, tensor_of
from dlnrepro.dynamics.training_clocks.class_means import one_hot
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import NOT_RISING
from dlnrepro.settings.linear_network.architecture import ArchitectureSettings
from dlnrepro.settings.linear_network.kinds import Matrix, Vector, unused

LossKind = Literal["squared", "logistic", "exponential", "cross-entropy"]
DataKind = Literal["moments", "teacher", "separable", "flipped", "under-determined", "sphere"]
BY_MARGIN = ("separable", "flipped", "under-determined")


class Problem(NamedTuple):
    """What all runs are trained on.

    Attributes:
        loss: R.
        target: the target by its modes, for data by second moments.
        sets: the signed points of each run, for two classes.
        maximum_margin: the direction (runs, n_0) and the margin (runs,) of two classes.
        labels: one-hot labels, for several classes.
        constants: what each run drew, by the name of the setting that it replaces.
    """

    loss: Loss
    target: Target | None = None
    sets: Sequence[Array] | None = None
    maximum_margin: tuple[Tensor, Tensor] | None = None
    labels: Tensor | None = None
    constants: dict[str, Tensor] = {}  # noqa: RUF012 - an empty mapping that nothing changes


class DataSettings(ArchitectureSettings):
    """The data by second moments, a teacher, or samples of classes."""

    loss: LossKind = Field(default="squared", description="the loss (default: squared)")
    data: DataKind = Field(
        default="moments",
        description="`moments`: the squared loss by the second moments of inputs and outputs; `teacher`: Gaussian"
        " samples with outputs Z x; two classes of points that are `separable`, `flipped` (separable, with a fifth of"
        " the labels flipped) or `under-determined` (fewer points than dimensions); `sphere`: points on the unit sphere"
        " with labels in turn (default: moments)",
    )
    strengths: Annotated[Vector, NOT_RISING] | None = Field(
        default=None, description="sigma_k, the singular values of the target Z, each at most the one before it"
    )
    target: Matrix | None = Field(
        default=None, description="the target Z as a matrix, a list of rows, in place of `strengths`"
    )
    basis: Literal["random", "frames", "diagonal"] = Field(
        default="random",
        description="singular vectors of the target: `random` (Haar; strengths are drawn before them), `frames` (Haar,"
        " drawn before the strengths) or `diagonal`: the unit vectors (default: random)",
    )
    jitter: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="relative spread of the strengths over the runs: each run multiplies each strength by 1 + jitter x,"
        " with x uniform in [-1, 1]; the first one keeps its value for `basis: frames` (default: 0)",
    )
    gap: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="for a target: the least relative gap of neighbouring strengths, which are drawn again until they"
        " have it; for two classes: the smallest distance of a point from the hyperplane (default: 0)",
    )
    variances: Vector | None = Field(
        default=None,
        description="variances of the inputs along the first right singular vectors of the target; those along the"
        " others are 1 (default: white inputs)",
    )
    input_spread: float = Field(
        default=1.0,
        ge=1,
        le=1e6,
        description="condition number of the diagonal second moment of the inputs, whose determinant is 1 (default: 1,"
        " white inputs)",
    )
    moment: Matrix | None = Field(
        default=None, description="the second moment S of the inputs, a positive definite matrix (default: white)"
    )
    samples: int | None = Field(default=None, ge=1, le=10**5, description="the number of samples")
    spanning: bool = Field(
        default=True, description="for two classes: whether the support vectors span the space (default: true)"
    )
    least_share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="for two classes: the smallest multiplier of a support vector over the largest (default: 0)",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """A target that is missing, given twice or of another shape; settings of other data."""
        yield from super().contradictions()
        if self.data in ("moments", "teacher"):
            yield from self._target_fits()
        else:
            for key in ("strengths", "target", "variances", "moment"):
                if getattr(self, key) is not None:
                    yield unused(self, key, "`data: moments` or `data: teacher`")
        if self.data == "moments":
            if self.loss != "squared":
                yield Contradiction("loss", "squared for `data: moments`")
            if self.samples is not None:
                yield unused(self, "samples", "data of samples, such as `data: teacher`")
        elif self.samples is None:
            yield Contradiction("samples", f"the number of samples of `data: {self.data}`")
        yield from self._loss_fits()

    def _target_fits(self) -> Iterable[Contradiction]:
        if (self.strengths is None) == (self.target is None):
            found = "nothing" if self.target is None else "both"
            yield Contradiction("strengths", "the strengths of the target, or its matrix as `target`", found)
            return
        if not self._known:
            return
        rows, columns = self.ends
        if self.target is not None and {len(self.target), *map(len, self.target)} != {rows, columns}:
            if len(self.target) != rows or any(len(row) != columns for row in self.target):
                yield Contradiction("target", f"{rows} rows of {columns} numbers, for outputs and inputs")
        elif self.target is not None and (len(self.target) != rows or len(self.target[0]) != columns):
            yield Contradiction("target", f"{rows} rows of {columns} numbers, for outputs and inputs")
        if self.strengths is not None and len(self.strengths) > (most := min(rows, columns)):
            found = f"{len(self.strengths)} values"
            yield Contradiction("strengths", f"at most {most} values, as many as inputs and outputs", found)
        if self.strengths is None and (self.jitter or self.gap):
            yield unused(self, "jitter" if self.jitter else "gap", "a target by its `strengths`")
        given = [key for key in ("variances", "moment") if getattr(self, key) is not None]
        given += ["input_spread"] * (self.input_spread != 1)
        if len(given) > 1:
            yield Contradiction(given[1], f"no such key next to `{given[0]}`")
        if self.moment is not None and (len(self.moment) != columns or any(len(row) != columns for row in self.moment)):
            yield Contradiction("moment", f"{columns} rows of {columns} numbers, as many as inputs")
        elif self.moment is not None and not _positive_definite(self.moment):
            yield Contradiction("moment", "a symmetric and positive definite matrix")
        if self.variances is not None and self.strengths is None:
            yield unused(self, "variances", "a target by its `strengths`")
        elif self.variances is not None and (len(self.variances) > columns or min(self.variances) <= 0):
            yield Contradiction("variances", f"at most {columns} values above 0, as many as inputs")
        if self.jitter and not self.gap and self.strengths is not None and self.basis != "frames":
            if any(after >= before for before, after in pairwise(self.strengths)):
                yield Contradiction("strengths", "values that fall strictly, because they have a jitter")

    def _loss_fits(self) -> Iterable[Contradiction]:
        if self.data in BY_MARGIN:
            if self.loss == "cross-entropy":
                yield Contradiction("loss", f"squared, logistic or exponential for `data: {self.data}`")
            if self._known and self.ends[0] != 1:
                key = "outputs" if self.widths is None else "widths"
                yield Contradiction(key, f"one output for `data: {self.data}`", f"{self.ends[0]} outputs")
            if self.samples is not None and self._known:
                few = self.samples < self.ends[1]
                if self.data == "under-determined" and not few:
                    yield Contradiction("samples", f"fewer than {self.ends[1]}, the inputs, for this data")
                if self.data != "under-determined" and self.samples <= 2 * self.ends[1]:
                    yield Contradiction("samples", f"more than {2 * self.ends[1]}, twice as many as inputs")
        elif self.data == "sphere" and self.loss != "cross-entropy":
            yield Contradiction("loss", "cross-entropy for `data: sphere`")
        elif self.data == "teacher" and self.loss != "squared":
            yield Contradiction("loss", "squared for `data: teacher`")

    def problem(self, generators: Sequence[Generator]) -> Problem:
        """The data of each run, drawn from its generator, with the loss."""
        if self.data in BY_MARGIN:
            return self._two_classes(generators)
        if self.data == "sphere":
            x = normal((self.samples or 1, self.ends[1]), generators)
            x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
            hot = one_hot(len(x), self.samples or 1, self.ends[0])
            return Problem(SampleLoss("cross-entropy", x, hot), labels=hot)
        target = self._target(generators)
        constants = {"strengths": target.strengths}
        if self.data == "teacher":
            x = normal((self.samples or 1, self.ends[1]), generators)
            return Problem(SampleLoss("squared", x, x @ target.matrix.mT), target, constants=constants)
        return Problem(moment_loss(target.matrix, self._moment(target)), target, constants=constants)

    def _two_classes(self, generators: Sequence[Generator]) -> Problem:
        assert self.samples is not None
        assert self.data in ("separable", "flipped", "under-determined")
        draw = drawing(self.data, self.ends[1], self.samples, self.gap, self.spanning, self.least_share)
        classes = [draw(generator) for generator in generators]
        sets = [one.signed for one in classes]
        directions = tensor_of(np.stack([one.solution.direction for one in classes]))
        margins = torch.tensor([one.solution.margin for one in classes], dtype=torch.float64)
        loss = MarginLoss(self.loss, tensor_of(np.stack(sets)))  # type: ignore[arg-type]
        return Problem(loss, sets=sets, maximum_margin=(directions, margins), constants={"maximum_margin": margins})

    def _target(self, generators: Sequence[Generator]) -> Target:
        rows, columns = self.ends
        if self.target is not None:
            whole = torch.tensor(self.target, dtype=torch.float64)
            left, strengths, right = torch.linalg.svd(whole.cpu(), full_matrices=True)
            parts = (part.to(whole.device).expand(len(generators), *part.shape) for part in (left, strengths, right.mT))
            return Target(*parts)
        assert self.strengths is not None
        if self.basis == "frames":
            return self._framed(generators)
        draws = (self.strengths, self.jitter)
        strengths = separate_strengths(*draws, self.gap, generators) if self.gap else draw_strengths(*draws, generators)
        if self.basis == "diagonal":
            return diagonal(rows, columns, strengths)
        return rotated(rows, columns, strengths, generators)

    def _framed(self, generators: Sequence[Generator]) -> Target:
        """Frames of the modes alone, which are drawn before the strengths; the first strength keeps its value."""
        assert self.strengths is not None
        modes = len(self.strengths)
        left, right = (orthonormal(size, modes, generators) for size in self.ends)
        centres = torch.tensor(self.strengths, dtype=torch.float64).expand(len(generators), -1)
        if self.jitter and modes > 1:
            factors = 1 + uniform((modes - 1,), -self.jitter, self.jitter, generators)
            centres = torch.cat([centres[:, :1], centres[:, 1:] * factors], -1)
        return Target(left, centres, right)

    def _moment(self, target: Target) -> Tensor | None:
        """S of each run, or None for white inputs."""
        runs, size = len(target.strengths), self.ends[1]
        if self.variances is not None:
            spectrum = torch.ones(size, dtype=torch.float64)
            spectrum[: len(self.variances)] = torch.tensor(self.variances, dtype=torch.float64)
            return commuting_moment(target, spectrum.expand(runs, -1))
        if self.input_spread != 1:
            return torch.diag(spread_moment(size, self.input_spread)).expand(runs, -1, -1)
        if self.moment is not None:
            return torch.tensor(self.moment, dtype=torch.float64).expand(runs, -1, -1)
        return None


def _positive_definite(rows: Sequence[Sequence[float]]) -> bool:
    """Whether a square matrix is symmetric and positive definite."""
    matrix = np.array(rows)
    return bool(np.array_equal(matrix, matrix.T) and np.linalg.eigvalsh(matrix)[0] > 0)


def signed_points(sets: Sequence[Array]) -> Tensor:
    """The signed points of all runs, of shape (runs, samples, n_0)."""
    return tensor_of(np.stack(sets))


def own_margin(signed: Array) -> float:
    """The maximum margin of a set; 0 if no hyperplane separates it."""
    found = maximum_margin(signed)
    return found.margin if found else 0.0
