"""The network as a plain program: a forward pass through the layers, a squared loss on samples, and autograd.

This is the second route to every number that a claim on one-neuron networks compares with a formula. It shares no code
with the closed form, with the gradients of `dlnrepro.dynamics.risks`, or with the descents and solvers of
`dlnrepro.dynamics.training`.

The data are as many samples as inputs, X = S^(1/2) and Y = Z X^(-1), with a diagonal second moment S = X X^T. The loss
is 1/2 ||Y - f(X)||_F^2, which is 1/2 tr(W S W^T) - tr(W Z^T) and a constant for f(x) = W x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.plain import drifted, gradients, squared_error
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run, layer_sum

ROUGH = 0.05
"""The Runge-Kutta step in units of the shortest time constant; its relative error is about ROUGH^5 / 120 per step."""
FLOW_STEPS = 40
"""Runge-Kutta steps of a comparison: two time constants, after which the product has changed by a large part."""


class PlainNetwork:
    """A linear network on samples, with one loss for each run, and its gradients by autograd."""

    @torch.inference_mode(False)  # autograd refuses tensors that were made in inference mode
    def __init__(self, target: Tensor, moment: Tensor) -> None:
        """The data of every run.

        Args:
            target: Z, of shape (runs, n_L, n_0).
            moment: the diagonal of S, of shape (n_0,).
        """
        roots = moment.clone().sqrt()
        self._loss = squared_error(torch.diag(roots), target.clone() / roots)

    def gradients(self, weights: Sequence[Tensor]) -> Weights:
        """dR/dW_l by autograd, each of shape (runs, n_l, n_(l-1)), as the weights."""
        return gradients(self._loss, weights)

    def descent(
        self,
        weights: Sequence[Tensor],
        step_size: Tensor | float,
        steps: int,
        stride: int,
        rates: Sequence[float],
        tick: Callable[[float], None],
    ) -> list[Weights]:
        """The weights of gradient descent at step 0 and at every `stride`-th step, up to the last one.

        Args:
            weights: W_1 .. W_L at step 0.
            step_size: eta, of a shape that broadcasts with the weights.
            steps: a multiple of the stride.
            stride: steps between two records.
            rates: c_1 .. c_L, factors of the step size.
            tick: called with the fraction done at every record; may raise to stop.
        """
        current, path = list(weights), [list(weights)]
        for step in range(1, steps + 1):
            parts = zip(current, self.gradients(current), rates, strict=True)
            current = [weight - step_size * rate * part for weight, part, rate in parts]
            if step % stride == 0:
                path.append(current)
                tick(step / steps)
        return path

    def flow_error(self, path: Sequence[Tensor], times: Tensor, fastest: Tensor, rates: Sequence[float]) -> Tensor:
        """The distance of a flow by another route from the flow by autograd, at one recorded time of each run.

        The time is the last one within FLOW_STEPS steps of the Runge-Kutta method.

        Args:
            path: the layers at the times, each of shape (runs, times, n_l, n_(l-1)); the first time is 0 or nearly so.
            times: rising, of shape (runs, times).
            fastest: the largest rate of each run, the inverse of its shortest time constant, of shape (runs,).
            rates: c_1 .. c_L, a learning rate for each layer.

        Returns:
            The Frobenius norm of the difference of the products, of shape (runs,).
        """
        runs = torch.arange(len(times))
        within = times <= (times[:, 0] + ROUGH * FLOW_STEPS / fastest)[:, None]
        index = within.sum(-1) - 1
        spans = (times[runs, index] - times[:, 0])[:, None, None]
        plain = drifted(self._loss, [layer[:, 0] for layer in path], spans, FLOW_STEPS, rates)
        found = [layer[runs, index] for layer in path]
        distance: Tensor = torch.linalg.matrix_norm(plain_product(found) - plain_product(plain))
        return distance


def plain_product(weights: Sequence[Tensor]) -> Tensor:
    """W_L ... W_1, one layer after another, of shape (runs, ..., n_L, n_0)."""
    whole = weights[0]
    for weight in weights[1:]:
        whole = weight @ whole
    return whole


def gradient_unit(weights: Sequence[Tensor], strength: Tensor) -> Tensor:
    """sigma_1 (sum_l ||W_l||_F^2 / L)^((L-1)/2), the size of a gradient far from every critical point, (runs, ...).

    Args:
        weights: W_1 .. W_L, of shape (runs, ..., n_l, n_(l-1)).
        strength: sigma_1, of a shape that broadcasts with (runs, ...).
    """
    depth = len(weights)
    return strength * each_run(lambda square: square ** ((depth - 1) / 2), _squared_length(weights) / depth)


def layer_distance(found: Sequence[Tensor], plain: Sequence[Tensor]) -> Tensor:
    """The distance of two lists of layers or of their gradients, of shape (runs, ...)."""
    return _squared_length([one - other for one, other in zip(found, plain, strict=True)]).sqrt()


def _squared_length(layers: Sequence[Tensor]) -> Tensor:
    """The sum of the squares of all entries of the layers, of shape (runs, ...)."""
    return layer_sum([layer.square().sum((-2, -1)) for layer in layers])
