"""The population gradient of a linear classifier on spherically symmetric inputs, integrated at many predictors.

Nothing is trained. Each run has predictors w at a grid of angles theta to the teacher v, of random norms and in random
directions. At each of them the gradient of R(w) = E l(y w^T x), y = sgn(v^T x), is integrated over the plane of w and
v. The theory is

    -(v - cos(theta) w / |w|)^T grad R(w) = (c_0 / pi) sin^2(theta)      for every w,
    -grad R(w) = (c_0 / pi) v - g(|w|) w / |w|,   g(r) = E[x_1 tanh(r x_1 / 2)] / 2,

with c_0 the mean length of the inputs' projection on a plane.

Source: Lin, Sun and Zhang, NeurIPS 2021, Lemma 1 of the submission; the radial part of the second line is derived here.
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
    draw_inputs,
    draw_sample,
    mixing,
    radial_pull,
    sample_gradient,
    space_pull,
    teacher_pull,
)
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Flaw, Progress, Result, Series, negated, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import PositiveRange
from dlnrepro.settings.spherical import SymmetricInputSettings

NODES = 80_000_000
"""Bytes of the integrand at all nodes of the quadrature, for one predictor."""
PULLS = {"logistic": logistic_pull, "exponential": exponential_pull}


class Params(SymmetricInputSettings):
    """The inputs, the loss, and the predictors at which its gradient is integrated."""

    loss: Literal["logistic", "exponential"] = Field(description="loss l of the margin m: log(1 + exp(-m)) or exp(-m)")
    law_mean_length: Literal["plane", "space"] = Field(
        description="c_0 in the formula: the mean length of the inputs' projection on a plane (`plane`), or that of the"
        " whole input, a deliberately wrong formula for a control (`space`)"
    )
    points: int = Field(ge=4, le=200, description="number of predictors w of each run, at equally spaced angles")
    norm: PositiveRange = Field(description="range of the norm |w| of the predictors, drawn log-uniformly")

    def contradictions(self) -> Iterable[Contradiction]:
        """A fixed sample with the exponential loss, for which only the population is computed."""
        if self.samples and self.loss != "logistic":
            yield Contradiction("samples", "0 for the exponential loss")

    def numbers(self) -> int:
        """The samples, and the integrand at every predictor."""
        return self.samples * self.inputs * 3 + 20 * self.points

    def memory(self, runs: int) -> int:
        """The numbers of the runs, and the nodes of the quadrature in angle and length."""
        return super().memory(runs) + NODES


MEASURES = {
    "lemma_error": "largest relative error |measured / predicted - 1| of the push -(v - cos(theta) w/|w|)^T grad R(w)"
    " over the predictors w, >= 0",
    "lemma_median": "median relative error |measured / predicted - 1| of the push -(v - cos(theta) w/|w|)^T grad R(w)"
    " over the predictors w, >= 0",
    "gradient_error": "largest |grad R(w) + h v - g(|w|) w/|w|| over the predictors w, divided by h = c_0 / pi, where"
    " g is the predicted radial part, >= 0",
    "norm_range": "largest norm |w| of a predictor divided by the smallest one, >= 1",
}

SERIES = {
    "angle": Series("angle", "angle theta between w and the teacher v, in radians"),
    "push": Series("angle", "push towards the teacher, -(v - cos(theta) w/|w|)^T grad R(w)"),
    "predicted_push": Series("angle", "predicted push (c_0 / pi) sin^2(theta)"),
    "push_error": Series(
        "angle",
        "relative error |measured / predicted - 1| of the push; 1e-17 if the two numbers are equal",
    ),
}

FLAWS = {
    "mean-length": Flaw("c_0 is 5 % too large in the formula", "teacher_pull", scaled(1.05)),
    "constant": Flaw("c_0 is 1.3 times as large in the formula", "teacher_pull", scaled(1.3)),
    "loss": Flaw(
        "the integrated loss has half the slope of its definition",
        "population_push",
        lambda right: lambda inputs, pull, *given: right(inputs, scaled(0.5)(pull), *given),
    ),
    "sign": Flaw("the gradient has the opposite sign", "population_push", negated),
    "radial-part": Flaw(
        "the predicted radial part g is 5 % too large",
        "radial_pull",
        lambda right: lambda *given: scaled(1.05)(right(*given)),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw the sample, if any, then predictors; integrate the gradient at each of them, run by run."""
    mix = mixing(params.inputs, params.stretch)
    laws = draw_inputs(params.input_law, params.inputs, params.factors, generators)
    samples = array_of(draw_sample(laws, params.samples, mix, generators)) if params.samples else None
    drawn = draw_predictors(params.inputs, params.points, params.norm, generators)
    mean_length, loss = teacher_pull if params.law_mean_length == "plane" else space_pull, PULLS[params.loss]
    constants, teacher = tensor_of(np.array([mean_length(law) for law in laws])), np.eye(params.inputs)[0]
    rows = []
    for index, (law, own) in enumerate(zip(laws, drawn, strict=True)):
        progress(index / len(drawn), f"run {index + 1} of {len(drawn)}")
        constant, radial = float(constants[index]), radial_pull(law)
        if samples is None:
            gradients = -population_push(law, loss, mix, own)
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
        "gradient_error": residuals.amax(-1) / constants,
        "norm_range": norms.amax(-1) / norms.amin(-1),
    }
    series = {"angle": angles, "push": push, "predicted_push": predicted, "push_error": error.clamp_min(1e-17)}
    return Result(measures, series)
