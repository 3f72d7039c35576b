"""Networks with activations: homogeneity, and gradients against autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.activations.functions import (
    LEAK,
    Activation,
    OutputLoss,
    activation,
    network_gradient,
    output_gradient,
)
from dlnrepro.dynamics.starts.draws import gaussian, normal


@pytest.mark.parametrize(("name", "homogeneous"), [("linear", 1), ("relu", 1), ("leaky-relu", 1), ("softsign", 0)])
def test_an_activation_is_homogeneous_or_is_not(name: Activation, homogeneous: int) -> None:
    z = torch.linspace(-2, 2, 9, dtype=torch.float64)
    value, derivative = activation(name)(z)

    assert bool(torch.equal(value, derivative * z)) == bool(homogeneous)


@pytest.mark.parametrize("name", ["linear", "relu", "leaky-relu", "softsign"])
def test_the_gradient_is_autograd_s(name: Activation) -> None:
    functions = {
        "linear": lambda z: z,
        "relu": torch.relu,
        "leaky-relu": lambda z: torch.nn.functional.leaky_relu(z, LEAK),
        "softsign": torch.nn.functional.softsign,
    }
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    inputs, aim = normal((4, 9), generators), normal((2, 9), generators)
    weights = [weight.requires_grad_() for weight in gaussian([4, 5, 5, 2], 1.0, generators)]

    values: Tensor = inputs
    for weight in weights[:-1]:
        values = functions[name](weight @ values)
    loss = 0.5 * ((weights[-1] @ values - aim) ** 2).sum()
    expected = torch.autograd.grad(loss, weights)
    found = network_gradient(name, inputs, lambda outputs: outputs - aim)([weight.detach() for weight in weights])

    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("loss", ["squared", "squared-hinge"])
def test_the_gradient_on_the_outputs_is_that_of_the_mean_loss(loss: OutputLoss) -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    targets, outputs = normal((2, 9), generators), normal((2, 9), generators).requires_grad_()
    each = (outputs - targets) ** 2 if loss == "squared" else (1 - targets.sign() * outputs).relu() ** 2

    (expected,) = torch.autograd.grad(each.sum(-2).mean(-1).sum() / 2, outputs)

    torch.testing.assert_close(output_gradient(loss, targets)(outputs.detach()), expected, rtol=1e-12, atol=1e-14)
