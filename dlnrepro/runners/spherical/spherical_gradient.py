"""The population gradient of a linear classifier on spherically symmetric inputs, integrated at many predictors.

No training. For each run, predictors w at a grid of angles theta to the teacher v, of random lengths and in random
directions; the gradient of R(w) = E l(y w^T x), y = sgn(v^T x), is integrated over the plane of w and v. The theory is

    -(v - cos(theta) w / |w|)^T grad R(w) = (c_0 / pi) sin^2(theta)      for every w,
    -grad R(w) = (c_0 / pi) v - g(|w|) w / |w|,   g(r) = E[x_1 tanh(r x_1 / 2)] / 2,

with c_0 the mean length of the inputs' marginal in a plane.

Source: Lin, Sun and Zhang, NeurIPS 2021, Lemma 1 of the submission; the second line is derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.spherical.plane_quadrature import exponential_pull, logistic_pull
from dlnrepro.dynamics.spherical.predictors import draw_predictors, population_push
from dlnrepro.dynamics.spherical.symmetric_inputs import (
    draw_sample,
    mixing,
    radial_pull,
    sample_gradient,
    space_pull,
    teacher_pull,
)
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import PositiveRange
from dlnrepro.settings.spherical import SymmetricInputSettings

NODES = 80_000_000
"""Bytes of the integrand of one predictor at all nodes of the quadrature."""
PULLS = {"logistic": logistic_pull, "exponential": exponential_pull}


class Params(SymmetricInputSettings):
    """The inputs, the loss, and the predictors at which its gradient is integrated."""

    loss: Literal["logistic", "exponential"] = Field(description="l(m) = log(1 + exp(-m)) or exp(-m), of the margin m")
    mean_length: Literal["plane", "space"] = Field(
        description="c_0 in the formula: mean length of the inputs in a plane, or (wrong on purpose) of the whole input"
    )
    points: int = Field(ge=4, le=200, description="how many predictors w each run draws, at equally spaced angles")
    norm: PositiveRange = Field(description="range of the norm |w| of the predictors, which is drawn log-uniformly")

    def contradictions(self) -> Iterable[Contradiction]:
        """A sample with a loss whose gradient is not summed over samples."""
        if self.samples and self.loss != "logistic":
            yield Contradiction("samples", "0 for the exponential loss")

    def numbers(self) -> int:
        """The samples, and the integrand at every predictor."""
        return self.samples * self.inputs * 3 + 20 * self.points

    def memory(self, runs: int) -> int:
        """The numbers of the runs, and the nodes of the quadrature in all directions and lengths."""
        return super().memory(runs) + NODES


MEASURES = {
    "lemma_error": "largest |measured / predicted - 1| of -(v - cos(theta) w/|w|)^T grad R(w), >= 0",
    "lemma_median": "median of the same over the predictors, >= 0",
    "gradient_error": "largest |grad R(w) + h v - g(|w|) w/|w|| over h = c_0 / pi, >= 0",
    "norm_range": "largest over smallest |w|, >= 1",
}

SERIES = {
    "angle": Series("angle", "theta between w and v, in radians"),
    "push": Series("angle", "-(v - cos(theta) w/|w|)^T grad R(w), measured"),
    "predicted_push": Series("angle", "(c_0 / pi) sin^2(theta)"),
    "push_error": Series("angle", "|measured / predicted - 1|, and 1e-17 where the two are the same number"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw the sample, if any, then predictors; integrate the gradient at each, run by run."""
    mix = mixing(params.inputs, params.stretch)
    samples = array_of(draw_sample(params.law, params.samples, mix, generators)) if params.samples else None
    drawn = draw_predictors(params.inputs, params.points, params.norm, generators)
    radial, loss = radial_pull(params.law, params.inputs), PULLS[params.loss]
    mean_length = teacher_pull if params.mean_length == "plane" else space_pull
    constant, teacher = mean_length(params.law, params.inputs), np.eye(params.inputs)[0]
    rows = []
    for index, own in enumerate(drawn):
        progress(index / len(drawn), f"run {index + 1} of {len(drawn)}")
        if samples is None:
            gradients = -population_push(params.law, loss, mix, own)
        else:
            gradient = sample_gradient(samples[index])
            gradients = np.stack([gradient(predictor) for predictor in own.norms[:, None] * own.units])
        residual = gradients + constant * teacher - np.array([radial(norm) for norm in own.norms])[:, None] * own.units
        across = np.sin(own.angles)[:, None] * teacher - np.cos(own.angles)[:, None] * own.sides
        push = -np.sin(own.angles) * (gradients * across).sum(1)
        rows.append(np.stack([own.angles, push, constant * np.sin(own.angles) ** 2, np.sqrt((residual**2).sum(1))]))
    angles, push, predicted, residuals = tensor_of(np.stack(rows)).unbind(1)
    error = (push / predicted - 1).abs()
    norms = tensor_of(np.stack([own.norms for own in drawn]))
    measures = {
        "lemma_error": error.amax(-1),
        "lemma_median": each_run(torch.median, error),
        "gradient_error": residuals.amax(-1) / constant,
        "norm_range": norms.amax(-1) / norms.amin(-1),
    }
    series = {"angle": angles, "push": push, "predicted_push": predicted, "push_error": error.clamp_min(1e-17)}
    return Result(measures, series)
