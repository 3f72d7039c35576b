"""The initialization of a ReLU network, and its flow against a flow by another solver."""

from __future__ import annotations

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from dlnrepro.dynamics.activations.relu_flow import draw_weights, follow
from dlnrepro.dynamics.activations.relu_network import LayerKind, network_of
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.runner import silent

KINDS: list[LayerKind] = ["relu", "skip", "linear", "linear"]


def _weights(shifted: int = 0) -> list[Tensor]:
    return draw_weights(KINDS, [4, 60, 60, 50, 1], shifted, 3.0, [torch.Generator().manual_seed(0)])


def test_the_gains_keep_the_size_of_what_passes() -> None:
    expected = [(2 / 4) ** 0.5, (0.5 / 60) ** 0.5, (1 / 60) ** 0.5]

    for weight, deviation in zip(_weights(), expected, strict=False):
        np.testing.assert_allclose(float(weight.std()), deviation, rtol=0.1)


def test_the_first_neurons_have_a_large_bias_and_the_other_weights_stay() -> None:
    plain, shifted = _weights(), _weights(5)

    torch.testing.assert_close(shifted[0][:, :5, -1], plain[0][:, :5, -1].abs() + 3)
    assert torch.equal(shifted[0][:, 5:], plain[0][:, 5:])
    assert torch.equal(shifted[0][:, :, :-1], plain[0][:, :, :-1])


def test_the_flow_is_that_of_another_solver_and_remembers_the_least_activity() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    weights, points = draw_weights(["linear", "linear"], [4, 3, 1], 0, 0.0, generators), normal((6, 4), generators)
    network, start = network_of(
        points.numpy(), normal((6,), generators).sign().numpy(), "logistic", ["linear", "linear"], weights, [1.0, 1.0]
    )
    times = np.linspace(0, 1, 401).tolist()

    path, least = follow(network, start, times, 100.0, 5, silent)

    solved = solve_ivp(
        lambda _, theta: network.velocity(theta.reshape(2, -1)).ravel(),
        (0, 1),
        start.ravel(),
        t_eval=np.linspace(0, 1, 5),
        rtol=1e-10,
        atol=1e-12,
    ).y.T
    np.testing.assert_allclose(path, solved.reshape(path.shape), rtol=0, atol=1e-5)
    recorded = np.min([network.activities(state).min(-1) for state in path], axis=0)
    assert least.shape == (2, 3)
    assert (least <= recorded).all()
    np.testing.assert_allclose(least, recorded, rtol=0, atol=0.05)
