"""The gradients of networks with activations by two routes that share no code."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.activations.functions import Activation, OutputLoss, network_gradient, output_gradient
from dlnrepro.dynamics.activations.plain_network import gradient_error, network_loss
from dlnrepro.dynamics.starts.draws import gaussian, normal

CASES: list[tuple[Activation, OutputLoss]] = [
    ("linear", "squared"),
    ("relu", "squared"),
    ("leaky-relu", "squared-hinge"),
    ("softsign", "squared"),
]


@pytest.mark.parametrize(("activation", "loss"), CASES)
def test_autograd_and_the_chain_rule_agree_and_a_faster_layer_shows(activation: Activation, loss: OutputLoss) -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    inputs, targets = normal((3, 12), generators), normal((2, 12), generators)
    weights = gaussian([3, 5, 4, 2], 1.0, generators)
    gradient = network_gradient(activation, inputs, output_gradient(loss, targets))
    risk = network_loss(activation, loss, inputs, targets)

    assert float(gradient_error(gradient, [1, 1, 1], risk, [weights]).max()) < 1e-13
    assert float(gradient_error(gradient, [1.1, 1, 1], risk, [weights]).min()) > 0.01
