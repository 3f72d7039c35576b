"""The target Z of a regression by its singular values or as a matrix, and the second moment S of the inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.one_neuron.start import separate_strengths
from dlnrepro.dynamics.risks.squared_loss import commuting_moment, spread_moment
from dlnrepro.dynamics.starts.draws import orthonormal, uniform
from dlnrepro.dynamics.starts.targets import Target, diagonal, draw_strengths, rotated
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import NOT_RISING
from dlnrepro.settings.linear_network.architecture import ArchitectureSettings
from dlnrepro.settings.linear_network.kinds import Matrix, Vector

INPUT_KEYS = ("variances", "moment", "input_spread")


class TargetSettings(ArchitectureSettings):
    """A target, and inputs that are white unless one of three settings says otherwise."""

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
        description="variances of the inputs along the first right singular vectors of the target; those along all"
        " other singular vectors are 1 (default: white inputs)",
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

    @property
    def wants_target(self) -> bool:
        """Whether the data have a target."""
        raise NotImplementedError

    def contradictions(self) -> Iterable[Contradiction]:
        """A target that is missing, given twice, or of another shape."""
        yield from super().contradictions()
        if not self.wants_target:
            for key in ("strengths", "target", "variances", "moment"):
                if getattr(self, key) is not None:
                    yield Contradiction(key, "no such key for this data, which has no target")
            return
        if (self.strengths is None) == (self.target is None):
            found = "nothing" if self.target is None else "both"
            yield Contradiction("strengths", "the strengths of the target, or its matrix as `target`", found)
        if self._known:
            yield from self._target_fits()
            yield from self._inputs_fit()

    def _target_fits(self) -> Iterable[Contradiction]:
        """A target of another shape than the network, and strengths that a jitter may disorder."""
        rows, columns = self.ends
        if self.target is not None and not _has_shape(self.target, rows, columns):
            yield Contradiction("target", f"{rows} rows of {columns} numbers, as many as outputs and inputs")
        if self.strengths is None:
            for key in ("jitter", "gap"):
                if getattr(self, key):
                    yield Contradiction(key, "no such key without `strengths`")
            return
        if len(self.strengths) > (most := min(rows, columns)):
            found = f"{len(self.strengths)} values"
            yield Contradiction("strengths", f"at most {most} values, as many as inputs and outputs", found)
        equal = any(after >= before for before, after in pairwise(self.strengths))
        if self.jitter and equal and self.basis != "frames":
            yield Contradiction("strengths", "values that fall strictly, because they have a jitter")

    def _inputs_fit(self) -> Iterable[Contradiction]:
        """Second moments that are given twice, or of another shape."""
        columns = self.ends[1]
        given = [key for key in INPUT_KEYS if getattr(self, key) not in (None, 1)]
        if len(given) > 1:
            yield Contradiction(given[1], f"no such key next to `{given[0]}`")
        if self.moment is not None and not _has_shape(self.moment, columns, columns):
            yield Contradiction("moment", f"{columns} rows of {columns} numbers, as many as inputs")
        elif self.moment is not None and not _positive_definite(self.moment):
            yield Contradiction("moment", "a symmetric and positive definite matrix")
        if self.variances is not None and self.strengths is None:
            yield Contradiction("variances", "no such key without `strengths`")
        elif self.variances is not None and (len(self.variances) > columns or min(self.variances) <= 0):
            yield Contradiction("variances", f"at most {columns} values above 0, as many as inputs")

    def drawn_target(self, generators: Sequence[Generator]) -> Target:
        """The target of each run."""
        rows, columns = self.ends
        if self.target is not None:
            whole = torch.tensor(self.target, dtype=torch.float64)
            left, strengths, right = torch.linalg.svd(whole.cpu(), full_matrices=True)
            parts = (part.to(whole.device).expand(len(generators), *part.shape) for part in (left, strengths, right.mT))
            return Target(*parts)
        assert self.strengths is not None
        if self.basis == "frames":
            return self._framed(self.strengths, generators)
        draws = (self.strengths, self.jitter)
        strengths = separate_strengths(*draws, self.gap, generators) if self.gap else draw_strengths(*draws, generators)
        if self.basis == "diagonal":
            return diagonal(rows, columns, strengths)
        return rotated(rows, columns, strengths, generators)

    def _framed(self, centre: Sequence[float], generators: Sequence[Generator]) -> Target:
        """Frames of the modes alone, which are drawn before the strengths; the first strength keeps its value."""
        modes = len(centre)
        left, right = (orthonormal(size, modes, generators) for size in self.ends)
        strengths = torch.tensor(tuple(centre), dtype=torch.float64).expand(len(generators), -1)
        if self.jitter and modes > 1:
            factors = 1 + uniform((modes - 1,), -self.jitter, self.jitter, generators)
            strengths = torch.cat([strengths[:, :1], strengths[:, 1:] * factors], -1)
        return Target(left, strengths, right)

    def input_moment(self, target: Target) -> Tensor | None:
        """S of each run, of shape (runs, n_0, n_0); None for white inputs."""
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


def _has_shape(rows: Sequence[Sequence[float]], height: int, width: int) -> bool:
    """Whether a list of rows is a matrix of this shape."""
    return len(rows) == height and all(len(row) == width for row in rows)


def _positive_definite(rows: Sequence[Sequence[float]]) -> bool:
    """Whether a square matrix is symmetric and positive definite."""
    matrix = np.array(rows)
    return bool(np.array_equal(matrix, matrix.T) and np.linalg.eigvalsh(matrix)[0] > 0)
