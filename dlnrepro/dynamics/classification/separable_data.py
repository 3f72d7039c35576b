"""Data sets of two classes for homogeneous linear classifiers, drawn from one run's own generator.

Conventions: a data set is its signed points z_i = y_i x_i, the rows of Z, of shape (samples, dimension), with
||x_i|| <= 1. Each set is drawn again until it has the required properties.

One property is that no multiplier of a support vector is below a given share of the largest. The part of the predictor
along a support vector settles about as exp(-share x log(1/R)), with R the risk. So the smaller the share, the farther a
run must go before any law holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from dlnrepro.dynamics.classification.maximum_margin import MaximumMargin, maximum_margin
from dlnrepro.dynamics.starts.draws import normal, uniform
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.errors import NoSuchDraw

DataKind = Literal["separable", "flipped", "under-determined"]

DRAWS = 2000
"""A data set that has not the required properties after this many draws is given up with an error."""
FLIPPED = 0.2
"""The share of labels that `flipped` changes."""


@dataclass(frozen=True)
class Classes:
    """A data set, with its labels before any were flipped.

    Attributes:
        signed: Z with the labels that the network is trained on.
        truth: Z with the labels that the hyperplane gives; equal to `signed`, unless labels were flipped.
        solution: the maximum margin of `truth`.
    """

    signed: Array
    truth: Array
    solution: MaximumMargin


def drawing(
    kind: DataKind, dimension: int, samples: int, gap: float, spanning: bool, least_share: float
) -> Callable[[torch.Generator], Classes]:
    """The function that draws classes of this kind from a generator; the arguments are those of the functions below."""
    if kind == "under-determined":
        return lambda generator: underdetermined(dimension, samples, least_share, generator)
    draw = flipped if kind == "flipped" else separable
    return lambda generator: draw(dimension, samples, gap, spanning, least_share, generator)


def with_slack(
    draw: Callable[[torch.Generator], Classes], slack: float, wanted: str, generator: torch.Generator
) -> Classes:
    """Classes of one run, drawn again until the margins of all other points exceed that of the support vectors.

    The share of such a point in the gradient of an exponential loss vanishes only as t^(-slack), at time t.

    Args:
        draw: from the generator to classes.
        slack: by how much, relative to the maximum margin; at least 0.
        wanted: what the error says was expected, if no draw has the slack.
        generator: the random generator of this run.
    """

    def apart() -> Classes | None:
        classes = draw(generator)
        return classes if slack_of_others(classes) >= slack else None

    return _until(apart, wanted)


def separable(
    dimension: int, samples: int, gap: float, spanning: bool, least_share: float, generator: torch.Generator
) -> Classes:
    """Points in the unit ball labelled by a random hyperplane, none of them within `gap` of it.

    Args:
        dimension: the dimension of the points.
        samples: the number of points.
        gap: the smallest |<u, x>| to the labelling direction u, in [0, 1).
        spanning: whether the support vectors span the space (the theorem's hypothesis), or must not.
        least_share: the smallest multiplier of a support vector over the largest, in [0, 1).
        generator: the random generator of this run.
    """

    def draw() -> Classes | None:
        signed = _labelled(dimension, samples, gap, generator)
        solution = maximum_margin(signed)
        if solution is None or (solution.rank == dimension) != spanning or share_of_least(solution) < least_share:
            return None
        return Classes(signed, signed, solution)

    span = "span the space" if spanning else "do not span the space"
    return _until(draw, f"{samples} points in {dimension} dimensions whose support vectors {span}")


def flipped(
    dimension: int, samples: int, gap: float, spanning: bool, least_share: float, generator: torch.Generator
) -> Classes:
    """`separable` data with a fifth of the labels flipped, so that no hyperplane separates the classes.

    This is certain and not only likely: `maximum_margin` finds the infeasibility certificate Z^T p = 0.
    """
    classes = separable(dimension, samples, gap, spanning, least_share, generator)

    def draw() -> Classes | None:
        order = array_of(torch.randperm(samples, generator=generator, device=generator.device))
        signed = classes.truth.copy()
        signed[order[: round(FLIPPED * samples)]] *= -1
        return None if maximum_margin(signed) is not None else Classes(signed, classes.truth, classes.solution)

    return _until(
        draw, f"{samples} points in {dimension} dimensions that no hyperplane separates after flips of labels"
    )


def underdetermined(dimension: int, samples: int, least_share: float, generator: torch.Generator) -> Classes:
    """Fewer points than dimensions, with random labels, all of them support vectors.

    The points are normal with standard deviations that fall from 1 to 0.3 over the coordinates, then scaled so that
    the longest has length 1. Every labelling can be separated, and the support vectors span what the data span.
    """
    spread = np.linspace(1, 0.3, dimension)

    def draw() -> Classes | None:
        points = array_of(normal((samples, dimension), [generator])[0]) * spread
        signed = points / np.sqrt((points**2).sum(1)).max()
        solution = maximum_margin(signed)
        if solution is None or len(solution.support) < samples or share_of_least(solution) < least_share:
            return None
        return Classes(signed, signed, solution)

    return _until(draw, f"{samples} support vectors in {dimension} dimensions")


def share_of_least(solution: MaximumMargin) -> float:
    """The smallest multiplier of a support vector over the largest."""
    multipliers = solution.multipliers[solution.support]
    return float(multipliers.min() / multipliers.max())


def slack_of_others(classes: Classes) -> float:
    """The smallest relative excess of the margins of all other points over that of the support vectors."""
    margins = classes.truth @ classes.solution.direction / classes.solution.margin
    return float(np.delete(margins, classes.solution.support).min()) - 1


def _labelled(dimension: int, samples: int, gap: float, generator: torch.Generator) -> Array:
    """Signed points with radius U(0.3, 1)^(1/dimension), in rows."""
    axis = _unit(array_of(normal((1, dimension), [generator])[0]))[0]
    kept: list[Array] = []
    count = 0
    while count < samples:
        points = _unit(array_of(normal((2 * samples, dimension), [generator])[0]))
        share = array_of(uniform((2 * samples,), 0.0, 1.0, [generator])[0])
        points = points * ((0.3 + 0.7 * share) ** (1 / dimension))[:, None]
        heights = points @ axis
        far = np.abs(heights) > gap
        kept.append(points[far] * np.sign(heights[far])[:, None])
        count += int(far.sum())
    return np.concatenate(kept)[:samples]


def _unit(points: Array) -> Array:
    """The rows at length 1."""
    return np.asarray(points / np.sqrt((points**2).sum(1, keepdims=True)))


def _until(draw: Callable[[], Classes | None], wanted: str) -> Classes:
    """The first draw that succeeds."""
    for _ in range(DRAWS):
        classes = draw()
        if classes is not None:
            return classes
    raise NoSuchDraw(wanted, DRAWS)
