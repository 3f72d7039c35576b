"""The field of the flow against autograd, and its Jacobian against finite differences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.risks.margin_losses import LossName, log_risk
from dlnrepro.dynamics.stiff_flow.margin_flow import STALL, MarginFlow, layers_of, vector_of, weights_of
from dlnrepro.dynamics.tensors.arrays import Array


def example(depth: int, loss: LossName, equal: bool, scale: float = 1.0) -> tuple[MarginFlow, Array]:
    random = np.random.Generator(np.random.PCG64(depth))
    widths = [3, *[4, 5, 3][: depth - 1], 1]
    shapes = tuple((after, before) for before, after in pairwise(widths))
    weights = [random.normal(size=shape) * scale for shape in shapes]
    theta = vector_of(weights)
    rates = np.ones_like(theta) if equal else random.uniform(0.2, 5, size=theta.shape)
    signed = random.normal(size=(9, 3))
    predictor = np.linalg.multi_dot([*weights[::-1], np.eye(3)])[0]
    signed *= np.where(signed @ predictor > 0, 1, -0.1)[:, None]  # all points but a few nearly right: log(1/R) > 0
    return MarginFlow(signed, log_risk(loss), shapes, rates), theta


def autograd(flow: MarginFlow, theta: Array, loss: LossName) -> tuple[float, Array]:
    """log R and its gradient, from plain torch."""
    leaf = torch.from_numpy(theta.copy()).requires_grad_()
    product, start = torch.eye(flow.signed.shape[1], dtype=torch.float64), 0
    for rows, columns in flow.shapes:
        product = leaf[start : start + rows * columns].reshape(rows, columns) @ product
        start += rows * columns
    margins = torch.from_numpy(flow.signed) @ product[0]
    losses = {
        "logistic": torch.nn.functional.softplus(-margins),
        "exponential": torch.exp(-margins),
        "squared": (1 - margins) ** 2 / 2,
    }
    value = losses[loss].mean().log()
    (gradient,) = torch.autograd.grad(value, leaf)
    return float(value.detach()), gradient.numpy()


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("equal", [True, False])
def test_the_field_is_the_gradient_on_the_clock(loss: LossName, depth: int, equal: bool) -> None:
    flow, theta = example(depth, loss, equal)
    value, gradient = autograd(flow, theta, loss)

    quotient = (theta @ gradient) ** 2 / (theta @ (theta / flow.rates))
    expected = -flow.rates * gradient * (1 - value) / (STALL + quotient)

    assert quotient <= gradient @ (flow.rates * gradient)
    assert flow.log_inverse_risk(theta) == pytest.approx(-value, rel=1e-12)
    np.testing.assert_allclose(flow.velocity(theta), expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_the_jacobian_is_that_of_the_field(loss: LossName, depth: int, equal: bool, scale: float) -> None:
    flow, theta = example(depth, loss, equal, scale)
    step = 1e-5 * scale

    differences = np.stack(
        [
            (flow.velocity(theta + step * unit) - flow.velocity(theta - step * unit)) / (2 * step)
            for unit in np.eye(len(theta))
        ],
        axis=1,
    )

    error = np.abs(flow.jacobian(theta) - differences).max() / np.abs(differences).max()
    assert error < 1e-6


def test_flattening_is_undone() -> None:
    flow, theta = example(3, "logistic", True)

    weights = weights_of(theta, flow.shapes)

    np.testing.assert_array_equal(vector_of(weights), theta)
    np.testing.assert_array_equal(weights_of(np.stack([theta, 2 * theta]), flow.shapes)[1][1], 2 * weights[1])


def test_the_layers_of_a_path_are_its_stacked_weights() -> None:
    weights = [np.arange(6.0).reshape(2, 3), np.array([[7.0, 8.0]])]
    path = np.stack([vector_of(weights), -vector_of(weights)])

    first, last = layers_of(path, [(2, 3), (1, 2)])

    np.testing.assert_array_equal(first.numpy(), np.stack([weights[0], -weights[0]]))
    np.testing.assert_array_equal(last.numpy(), np.stack([weights[1], -weights[1]]))
