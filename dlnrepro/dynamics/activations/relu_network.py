"""Networks of linear, ReLU and skip layers, and their flow along -grad log R.

    linear   h -> W h             relu   h -> max(W h, 0)             skip   h -> h + max(W h, 0)

Where W h is exactly 0 the derivative of the ReLU is taken as 0. The flow moves the weights along -grad log R, which is
the direction of gradient flow of the risk R, at another speed:

    d theta / d tau = -D g / (1 + g . D g),    g = grad log R,

with D the learning rates, 1 for gradient flow. Where R goes to 0 the clock tau grows as log(1/R). Near a minimum this
is gradient flow of log R.

Conventions: theta holds one row of weights per run, in the order of `margin_flow.vector_of`. The arrays are numpy's,
because torch takes several times as long for arrays of this size. Every matrix product and sum is of one run, so that
results are bitwise independent of the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from dlnrepro.dynamics.risks.margin_losses import LossName, margin_slopes
from dlnrepro.dynamics.stiff_flow.margin_flow import vector_of, weights_of
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.training.gradient_flow import flattened

LayerKind = Literal["linear", "relu", "skip"]


@dataclass(frozen=True)
class ReluNetwork:
    """The networks of all runs, with their data and the field of their flow.

    Attributes:
        points: the data as columns, of shape (runs, n_0, samples).
        labels: +-1, of shape (runs, 1, samples).
        loss: the loss l of a margin.
        kinds: the kinds of layers 1 .. L; the last one is linear.
        shapes: (n_l, n_{l-1}) of layers 1 .. L; n_L is 1, and a skip layer is square.
        rates: D, one positive number per weight, of shape (parameters,).
    """

    points: Array
    labels: Array
    loss: LossName
    kinds: Sequence[LayerKind]
    shapes: Sequence[tuple[int, int]]
    rates: Array

    def margins(self, theta: Array) -> Array:
        """y_i f(x_i), of shape (runs, samples)."""
        _, linear = self._forward(weights_of(theta, self.shapes))
        result: Array = (linear[-1] * self.labels)[:, 0]
        return result

    def activities(self, theta: Array) -> Array:
        """W_1 x_i, the values before the ReLU, of shape (runs, n_1, samples)."""
        result: Array = weights_of(theta, self.shapes)[0] @ self.points
        return result

    def gradient(self, theta: Array) -> Array:
        """The gradient of log R, of the shape of theta, (runs, parameters)."""
        weights = weights_of(theta, self.shapes)
        given, linear = self._forward(weights)
        back = margin_slopes(self.loss, (linear[-1] * self.labels)[:, 0])[:, None] * self.labels
        blocks = []
        for layer in range(len(weights) - 1, -1, -1):
            kind = self.kinds[layer]
            push = back if kind == "linear" else through_kink(back, linear[layer])
            blocks.append((push @ given[layer].swapaxes(-1, -2)).reshape(len(theta), -1))
            through = weights[layer].swapaxes(-1, -2) @ push if layer else back
            back = back + through if kind == "skip" else through
        return np.concatenate(blocks[::-1], axis=1)

    def velocity(self, theta: Array) -> Array:
        """The field d theta / d tau of the flow, of the shape of theta, (runs, parameters)."""
        gradient = self.gradient(theta)
        push = gradient * self.rates
        square = (gradient[:, None] @ push[:, :, None])[:, 0]
        result: Array = push / (-1 - square)
        return result

    def _forward(self, weights: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """The inputs h_0 .. h_{L-1} of the layers, and the products W_l h_{l-1} before any ReLU."""
        given, linear = [], []
        value = self.points
        for weight, kind in zip(weights, self.kinds, strict=True):
            given.append(value)
            linear.append(weight @ value)
            kinked = linear[-1] if kind == "linear" else np.maximum(linear[-1], 0)
            value = value + kinked if kind == "skip" else kinked
        return given, linear


def through_kink(back: Array, linear: Array) -> Array:
    """The derivatives below a ReLU from those above it, with W h as `linear`."""
    return back * (linear > 0)


def network_of(
    points: Array,
    labels: Array,
    loss: LossName,
    kinds: Sequence[LayerKind],
    weights: Sequence[Tensor],
    rates: Sequence[float],
) -> tuple[ReluNetwork, Array]:
    """The network with these layers, and its state theta, of shape (runs, parameters).

    Args:
        points: the data as rows, of shape (runs, samples, n_0).
        labels: +-1, of shape (runs, samples).
        loss: the loss l of a margin.
        kinds: the kinds of layers 1 .. L.
        weights: W_1 .. W_L, each of shape (runs, n_l, n_{l-1}).
        rates: the learning rate of each layer.
    """
    shapes, theta = flattened(weights)
    each = vector_of([np.full(shape, rate) for shape, rate in zip(shapes, rates, strict=True)])
    columns = np.ascontiguousarray(points.swapaxes(-1, -2))
    return ReluNetwork(columns, labels[:, None], loss, kinds, shapes, each), theta
