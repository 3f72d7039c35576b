"""The ReLU network's field, compared with autograd on the risk itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.activations.relu_network import LayerKind, ReluNetwork, network_of
from dlnrepro.dynamics.risks.margin_losses import LossName, batched_log_risk
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.stiff_flow.margin_flow import weights_of

NETWORKS: dict[str, tuple[list[LayerKind], list[int]]] = {
    "linear head": (["relu", "linear", "linear"], [4, 7, 5, 1]),
    "skip": (["relu", "skip", "linear", "linear"], [4, 7, 7, 5, 1]),
    "relu head": (["relu", "relu", "relu", "linear"], [4, 7, 5, 3, 1]),
    "linear": (["linear", "linear", "linear"], [4, 7, 5, 1]),
}


def _network(name: str, loss: LossName, rates: bool = False) -> tuple[ReluNetwork, Tensor]:
    kinds, widths = NETWORKS[name]
    generator = torch.Generator().manual_seed(3)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    size = sum(rows * columns for rows, columns in shapes)
    points = torch.randn(3, 4, 9, generator=generator, dtype=torch.float64)
    labels = torch.randn(3, 1, 9, generator=generator, dtype=torch.float64).sign()
    theta = torch.randn(3, size, generator=generator, dtype=torch.float64)
    speeds = torch.rand(size, generator=generator, dtype=torch.float64) + 0.5 if rates else torch.ones(size).double()
    return ReluNetwork(points.numpy(), labels.numpy(), loss, kinds, shapes, speeds.numpy()), theta


def _log_risk(network: ReluNetwork, theta: Tensor) -> Tensor:
    """Log R of every run, by torch alone."""
    value, start = torch.from_numpy(network.points), 0
    for kind, (rows, columns) in zip(network.kinds, network.shapes, strict=True):
        linear = theta[:, start : start + rows * columns].reshape(-1, rows, columns) @ value
        kinked = linear if kind == "linear" else linear.relu()
        value = value + kinked if kind == "skip" else kinked
        start += rows * columns
    return batched_log_risk(network.loss, (value * torch.from_numpy(network.labels))[:, 0])[0]


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_gradient_is_autograd_s(name: str, loss: LossName) -> None:
    network, theta = _network(name, loss)
    theta.requires_grad_()

    (expected,) = torch.autograd.grad(_log_risk(network, theta).sum(), theta)

    np.testing.assert_allclose(network.gradient(theta.detach().numpy()), expected.numpy(), rtol=1e-9, atol=1e-12)


def test_the_clock_slows_the_gradient_by_its_own_square_in_the_rates() -> None:
    network, theta = _network("skip", "logistic", rates=True)

    slope, velocity = network.gradient(theta.numpy()), network.velocity(theta.numpy())

    square = (network.rates * slope**2).sum(1, keepdims=True)
    np.testing.assert_allclose(velocity, -network.rates * slope / (1 + square), rtol=1e-12)


def test_along_the_flow_the_neurons_of_the_first_layer_keep_their_balance() -> None:
    """d (|W_2 column|^2 - |W_1 row|^2) = 0 neuron by neuron, since a ReLU is homogeneous (Du, Hu and Lee 2018)."""
    network, theta = _network("linear head", "logistic")
    first, second, _ = weights_of(theta.numpy(), network.shapes)
    slope_first, slope_second, _ = weights_of(network.velocity(theta.numpy()), network.shapes)

    change = (second * slope_second).sum(-2) - (first * slope_first).sum(-1)

    assert np.abs(change).max() < 1e-15
    assert np.abs((second * slope_second).sum(-2)).max() > 1e-3


def test_activities_are_those_of_the_first_layer_and_margins_those_of_the_output() -> None:
    network, theta = _network("linear", "logistic")
    first, second, third = (torch.from_numpy(weight) for weight in weights_of(theta.numpy(), network.shapes))
    points = torch.from_numpy(network.points)

    np.testing.assert_allclose(network.activities(theta.numpy()), (first @ points).numpy(), rtol=1e-12)
    margins = (third @ second @ first @ points)[:, 0] * torch.from_numpy(network.labels)[:, 0]
    np.testing.assert_allclose(network.margins(theta.numpy()), margins.numpy(), rtol=1e-10)


def test_a_run_has_the_same_field_alone_and_in_a_batch() -> None:
    network, theta = _network("skip", "logistic")
    single = ReluNetwork(
        network.points[1:2], network.labels[1:2], network.loss, network.kinds, network.shapes, network.rates
    )

    assert np.array_equal(network.velocity(theta.numpy())[1:2], single.velocity(theta.numpy()[1:2]))


def test_a_network_of_given_layers_has_their_outputs_and_a_rate_for_each_layer() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    weights, points = gaussian([4, 3, 1], 1.0, generators), normal((5, 4), generators)
    labels = normal((5,), generators).sign()

    network, theta = network_of(points.numpy(), labels.numpy(), "logistic", ["relu", "linear"], weights, [1.0, 2.0])

    outputs = (weights[1] @ (weights[0] @ points.mT).relu())[:, 0]
    np.testing.assert_allclose(network.margins(theta), (labels * outputs).numpy(), rtol=1e-12)
    assert network.rates.tolist() == [1.0] * 12 + [2.0] * 3
