"""Inputs of several classes: class means on a circle in two coordinates, and noise in every other coordinate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import normal


class ClassData(NamedTuple):
    """The data for training and for tests, with a dimension of length 1 for the points of a sweep.

    Attributes:
        x: the samples, inputs for training, of shape (runs, 1, samples, n_0).
        hot: their labels, of shape (runs, 1, samples, classes): 1 at the class and 0 elsewhere.
        fresh: inputs for tests, of shape (runs, 1, tests, n_0).
        labels: their classes, of shape (tests,).
        off: P, the projection off the span of the samples, of shape (runs, 1, n_0, n_0).
    """

    x: Tensor
    hot: Tensor
    fresh: Tensor
    labels: Tensor
    off: Tensor


def draw_class_data(
    samples: int,
    tests: int,
    classes: int,
    dimension: int,
    radius: Tensor,
    noise: float,
    generators: Sequence[Generator],
) -> ClassData:
    """The samples, which are drawn first, and the fresh inputs, both as by `around_circle`.

    Args:
        samples: number of inputs for training, below the dimension.
        tests: number of fresh inputs.
        classes: number of classes.
        dimension: dimension of the inputs.
        radius: radius of the circle of the class means, of shape (runs,).
        noise: standard deviation of the noise in every other coordinate.
        generators: one per run.
    """
    train = around_circle(samples, classes, dimension, radius, noise, generators)
    fresh = around_circle(tests, classes, dimension, radius, noise, generators)
    hot = one_hot(len(train), samples, classes)
    return ClassData(train[:, None], hot[:, None], fresh[:, None], labels(tests, classes), off_span(train)[:, None])


def around_circle(
    count: int, classes: int, dimension: int, radius: Tensor, noise: float, generators: Sequence[Generator]
) -> Tensor:
    """Inputs of shape (runs, count, dimension), of the classes 0, 1, .., classes - 1, 0, 1, .. in turn.

    The first two coordinates are exactly the mean of the class, so a linear map of these two alone makes no mistake.

    Args:
        count: number of inputs of each run.
        classes: number of classes, whose means are evenly spaced.
        dimension: dimension of the inputs, at least 2.
        radius: radius of the circle, of shape (runs,).
        noise: standard deviation of the noise in every other coordinate.
        generators: one per run.
    """
    angles = 2 * math.pi / classes * labels(count, classes).to(torch.float64)
    means = radius[:, None, None] * torch.stack([angles.cos(), angles.sin()], -1)
    rest = noise * normal((count, dimension - 2), generators)
    return torch.cat([means, rest], -1)


def labels(count: int, classes: int) -> Tensor:
    """The class of each input, whole numbers of shape (count,)."""
    return torch.arange(count) % classes


def one_hot(runs: int, count: int, classes: int) -> Tensor:
    """The labels of the inputs, the same in each run, of shape (runs, count, classes): 1 at the class, 0 elsewhere."""
    hot = torch.nn.functional.one_hot(labels(count, classes), classes)
    return hot.to(torch.float64).expand(runs, -1, -1)


def off_span(x: Tensor) -> Tensor:
    """The projection off the span of the inputs, (runs, dimension, dimension), from fewer inputs than dimensions."""
    frame = torch.linalg.qr(x.mT)[0]
    projection: Tensor = torch.eye(x.shape[-1], dtype=x.dtype) - frame @ frame.mT
    return projection
