"""A second route to gradients: a plain forward pass, one layer after another, and autograd.

It shares no code with `chain`, with the gradients of a runner, or with the descents and flows of `training`. A runner
compares its own steps with those of this route, at weights that it visits. The loss is a mean or a sum over samples,
computed from the outputs of the network and not from moments.

Conventions: as in `chain`; samples are the columns of the inputs x and outputs y.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.errors import Disagreement

Loss = Callable[[Sequence[Tensor]], Tensor]
"""From weights W_1 .. W_L to one number per network, of shape (runs, ...)."""

ROUNDING = 1e-11
"""The difference of two routes to a layer that rounding may leave, over its norm: 1e-16 times a condition number."""


def squared_error(inputs: Tensor, outputs: Tensor) -> Loss:
    """The loss 1/2 sum_i |y_i - f(x_i)|^2, with f(x) = W_L (... (W_1 x)).

    Args:
        inputs: x, of a shape that broadcasts with (runs, ..., n_0, samples).
        outputs: y, of a shape that broadcasts with (runs, ..., n_L, samples).
    """

    def loss(weights: Sequence[Tensor]) -> Tensor:
        signal = inputs.clone()  # the caller's tensors may have been made in inference mode
        for weight in weights:
            signal = weight @ signal
        return (outputs.clone() - signal).square().sum((-2, -1)) / 2

    return loss


def data_of(moment: Tensor, cross: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs X and outputs Y, as many samples as inputs, with X X^T = S and Y X^T = Z.

    Then 1/2 ||Y - W X||_F^2 is 1/2 tr(W S W^T) - tr(W Z^T) and a constant.

    Args:
        moment: S, positive definite, of shape (..., n_0, n_0).
        cross: Z, of shape (..., n_L, n_0).
    """
    inputs: Tensor = decomposed(torch.linalg.cholesky, moment)
    return inputs, torch.linalg.solve_triangular(inputs.mT, cross, upper=True, left=False)


def gradients(loss: Loss, weights: Sequence[Tensor]) -> Weights:
    """dR/dW_l by autograd, in the order and shapes of the weights, which must be those of separate networks."""
    with torch.inference_mode(False), torch.enable_grad():  # the caller may have switched autograd off
        leaves = [weight.detach().clone().requires_grad_() for weight in weights]
        slopes = torch.autograd.grad(loss(leaves).sum(), leaves)
    return [slope.clone() for slope in slopes]  # tensors of the caller's mode, on every device


def stepped(loss: Loss, weights: Sequence[Tensor], sizes: Tensor | float, steps: int) -> Weights:
    """The weights after some steps W_l <- W_l - eta dR/dW_l.

    Args:
        loss: R.
        weights: W_1 .. W_L, of shape (runs, ..., n_l, n_(l-1)).
        sizes: eta, of a shape that broadcasts with the weights.
        steps: how many.
    """
    current = list(weights)
    for _ in range(steps):
        slopes = gradients(loss, current)
        current = [weight - sizes * part for weight, part in zip(current, slopes, strict=True)]
    return current


def drifted(
    loss: Loss, weights: Sequence[Tensor], time: Tensor | float, steps: int, rates: Sequence[float] | None = None
) -> Weights:
    """The weights after gradient flow for a short time, by the classical Runge-Kutta method of order four.

    Args:
        loss: R.
        weights: W_1 .. W_L, of shape (runs, ..., n_l, n_(l-1)).
        time: of a shape that broadcasts with the weights.
        steps: the number of Runge-Kutta steps.
        rates: c_1 .. c_L, a learning rate for each layer; 1 for all if None.
    """
    size, current = time / steps, list(weights)
    layers = [1.0] * len(current) if rates is None else rates

    def moved(part: float, slopes: Weights) -> Weights:
        parts = zip(current, slopes, layers, strict=True)
        return [weight - part * size * rate * slope for weight, slope, rate in parts]

    for _ in range(steps):
        first = gradients(loss, current)
        second = gradients(loss, moved(0.5, first))
        third = gradients(loss, moved(0.5, second))
        fourth = gradients(loss, moved(1.0, third))
        mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(first, second, third, fourth, strict=True)]
        current = moved(1.0, mean)
    return current


def check_flow(
    layers: Sequence[Tensor], times: Tensor, firsts: Sequence[int], loss: Loss, steps: int, allowed: float
) -> None:
    """Follow a flow again from some of its recorded times to the next ones, by autograd of the loss.

    Args:
        layers: W_1 .. W_L along the flow, of shape (runs, points, n_l, n_(l-1)).
        times: the recorded times, of shape (points,) or (runs, points).
        firsts: numbers of the points from which the flow is followed to the next point.
        loss: R, for weights of shape (runs, len(firsts), ...).
        steps: the number of Runge-Kutta steps between two points.
        allowed: as in `check_agreement`.

    Raises:
        Disagreement: the flow goes elsewhere.
    """
    chosen = torch.tensor(list(firsts))
    apart = (times[..., chosen + 1] - times[..., chosen])[..., None, None]
    plain = drifted(loss, [layer[:, chosen] for layer in layers], apart, steps)
    after = [layer[:, chosen + 1] for layer in layers]
    check_agreement(after, plain, allowed, "the flow between two recorded times")


def check_agreement(found: Sequence[Tensor], plain: Sequence[Tensor], allowed: float, what: str) -> None:
    """Compare the layers of one route with those of another; layers that are not finite are left out.

    Args:
        found: W_1 .. W_L, of shape (runs, ..., n_l, n_(l-1)).
        plain: the same layers by another route.
        allowed: the largest ||W_l - W_l'||_F / ||W_l'||_F.
        what: names the step in the message, such as `step 3 of the descent`.

    Raises:
        Disagreement: a layer differs by more.
    """
    for number, (one, other) in enumerate(zip(found, plain, strict=True), 1):
        distance = torch.linalg.matrix_norm(one - other) / torch.linalg.matrix_norm(other)
        finite = torch.isfinite(distance)
        worst = float(torch.where(finite, distance, torch.zeros_like(distance)).max())
        if not worst <= allowed:
            share = f"{worst:.1e}".replace("e-0", "e-")
            raise Disagreement(
                f"{what}: expected W_{number} within {allowed:g} of its value by autograd, found a relative"
                f" difference of {share}"
            )
