"""Objectives with weight decay, F = R + lambda/2 sum_l ||W_l||_F^2, and the weights off the span of the samples.

Here lambda is the weight decay. The gradient of R on W_1 lies in the span of the samples. Let P be the projection off
this span. Gradient descent with the step size eta leaves W_1 P = (1 - eta lambda)^t W_1(0) P after t steps, whatever
else is learned. This is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, product, pull_back
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training_clocks.class_means import ClassData
from dlnrepro.dynamics.training_clocks.cross_entropy import cross_entropy_gradient


@dataclass(frozen=True)
class DecayedClassifier:
    """The objective F of a classifier, at several decays at once: R is the cross-entropy.

    Attributes:
        data: the data for training and for tests.
        decays: lambda, of shape (decays,); weights have shape (runs, decays, n_l, n_(l-1)).
    """

    data: ClassData
    decays: Tensor

    def gradient(self, weights: Sequence[Tensor]) -> Weights:
        """The gradient of F on every layer."""
        return self._risk_and_gradient(weights)[1]

    def observe(self, weights: Sequence[Tensor]) -> Record:
        """The records from which clocks and theta are read, each of shape (runs, decays).

        `risk` is R, `height` is F, `square` is |grad F|^2, `off_span` is the share of ||W||_F^2 of the product W that
        lies off the span of the samples, and `accuracy` is the share of fresh inputs that are classified correctly.
        """
        risk, parts = self._risk_and_gradient(weights)
        whole = product(weights)
        guess = (self.data.fresh @ whole.mT).argmax(-1)
        return {
            "risk": risk,
            "height": risk + self.decays / 2 * squared_length(weights),
            "square": squared_length(parts),
            "off_span": squared_length([whole @ self.data.off]) / squared_length([whole]),
            "accuracy": (guess == self.data.labels).double().mean(-1),
        }

    def _risk_and_gradient(self, weights: Sequence[Tensor]) -> tuple[Tensor, Weights]:
        """R, and the gradient of F."""
        risk, parts = cross_entropy_gradient(weights, self.data.x, self.data.hot)
        decays = self.decays[:, None, None]
        return risk, [part + decays * weight for part, weight in zip(parts, weights, strict=True)]


@dataclass(frozen=True)
class DecayedFit:
    """The objective F of a fit to a matrix: R = 1/2 ||W_L ... W_1 - M||_F^2.

    Attributes:
        target: M, of shape (runs, n_L, n_0).
        decay: lambda, one number for all runs.
    """

    target: Tensor
    decay: float

    def gradient(self, weights: Sequence[Tensor]) -> Weights:
        """The gradient of F on every layer."""
        partial = prefixes(weights)
        parts = pull_back(weights, partial, partial[-1] - self.target)
        return [part + self.decay * weight for part, weight in zip(parts, weights, strict=True)]

    def observe(self, weights: Sequence[Tensor]) -> Record:
        """`height`, which is F, and `square`, which is |grad F|^2, each of shape (runs,)."""
        risk = ((product(weights) - self.target) ** 2).sum((-2, -1)) / 2
        return {
            "height": risk + self.decay / 2 * squared_length(weights),
            "square": squared_length(self.gradient(weights)),
        }


def off_span_error(start: Tensor, end: Tensor, off: Tensor, decays: Tensor, step_size: float, steps: int) -> Tensor:
    """The largest ||W_1 P - (1 - eta lambda)^t W_1(0) P||_F / ||W_1(0) P||_F of all decays lambda, of shape (runs,).

    Args:
        start: W_1(0), of shape (runs, decays, n_1, n_0).
        end: W_1 after the descent, of the same shape.
        off: P, of shape (runs, 1, n_0, n_0).
        decays: lambda, of shape (decays,).
        step_size: eta.
        steps: t.
    """
    factor = each_run(lambda one: (1 - step_size * decays) ** steps + 0 * one[:, 0, 0], start)
    first = start @ off
    error = squared_length([end @ off - factor[..., None, None] * first]) / squared_length([first])
    return error.sqrt().amax(-1)


def repeated(weights: Sequence[Tensor], points: int) -> Weights:
    """The same weights at every point of a sweep, each W_l of shape (runs, points, n_l, n_(l-1)).

    Args:
        weights: W_l of shape (runs, n_l, n_(l-1)).
        points: number of points of the sweep.
    """
    return [weight[:, None].repeat(1, points, 1, 1) for weight in weights]
