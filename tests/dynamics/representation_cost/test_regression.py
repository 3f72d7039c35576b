"""Least squares with weight decay: its gradient against autograd."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.representation_cost.plain_networks import plain_network
from dlnrepro.dynamics.representation_cost.regression import Regression, autograd_gradient
from dlnrepro.dynamics.representation_cost.tied_layers import (
    Patterns,
    build,
    convolutional,
    fully_connected,
    predictor,
)
from dlnrepro.dynamics.starts.draws import normal
from tests.runners.running import seeded


@pytest.mark.parametrize(
    "layers", [fully_connected([1, 4, 3, 6]), convolutional(6, 6, 3)], ids=["full", "convolutional"]
)
def test_the_gradient_is_that_of_the_objective(layers: Patterns) -> None:
    generators = seeded([0, 1])
    regression = Regression(normal((9, 6), generators), normal((9, 1), generators))
    values = [normal((layer.count,), generators).requires_grad_() for layer in layers]

    decay = sum((value * value).sum() for value in values)
    expected = torch.autograd.grad(regression.loss(predictor(layers, values)).sum() + 0.3 / 2 * decay, values)

    for found, wanted in zip(regression.gradient(layers, 0.3)(values), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_the_gradient_by_autograd_on_the_plain_network_is_the_same_for_every_run() -> None:
    generators = seeded([0, 1, 2])
    regression = Regression(normal((9, 6), generators), normal((9, 1), generators))
    layers, network = build("group", 3, 6, 1, 1, 1, 3), plain_network("group", 6, 1, 1, 1, 3)
    values = [normal((layer.count,), generators) for layer in layers]

    with torch.inference_mode():
        found = autograd_gradient(regression, network, 0.3, values)

    for own, wanted in zip(found, regression.gradient(layers, 0.3)(values), strict=True):
        torch.testing.assert_close(own, wanted)


def test_the_loss_is_half_the_mean_squared_error_of_a_sample() -> None:
    x = torch.eye(2, dtype=torch.float64)[None]
    y = torch.tensor([[[3.0], [0.0]]], dtype=torch.float64)

    assert Regression(x, y).loss(torch.zeros(1, 2, 1, dtype=torch.float64)).tolist() == [9 / 4]
