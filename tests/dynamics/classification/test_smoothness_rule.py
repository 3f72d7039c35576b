"""Descent by the paper's rule, compared with the rule written out, with autograd and with the smoothness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dlnrepro.dynamics.activations.relu_network import ReluNetwork
from dlnrepro.dynamics.classification.smoothness_rule import RuledDescent, descend_by_rule
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.runner import silent

Array = NDArray[np.float64]


def _problem(depth: int, runs: int = 3) -> tuple[ReluNetwork, Array, list[torch.Tensor]]:
    generators = [torch.Generator().manual_seed(seed) for seed in range(runs)]
    widths = [3, *[4] * (depth - 1), 1]
    points = torch.stack([torch.randn(3, 12, generator=each, dtype=torch.float64) for each in generators]) / 4
    weights = gaussian(widths, 1.0, generators)
    shapes = [(int(weight.shape[-2]), int(weight.shape[-1])) for weight in weights]
    theta = np.concatenate([weight.numpy().reshape(runs, -1) for weight in weights], axis=1)
    signs = np.ones((runs, 1, 12))
    network = ReluNetwork(points.numpy(), signs, "logistic", ["linear"] * depth, shapes, np.ones(theta.shape[1]))
    return network, theta, weights


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_first_step_is_the_rule_s(depth: int) -> None:
    network, theta, weights = _problem(depth)
    radius = torch.stack([torch.linalg.matrix_norm(weight) for weight in weights]).amax(0).clamp_min(1)
    radius = radius + 0.4 / depth**2
    size = 1 / (2 * depth**2 * radius ** (2 * depth - 2) * 1.25)
    leaves = [weight.clone().requires_grad_() for weight in weights]
    margins = (product(leaves) @ torch.from_numpy(network.points))[:, 0]
    risk = torch.log1p(torch.exp(-margins)).mean(-1)
    slopes = torch.autograd.grad(risk.sum(), leaves)

    made = descend_by_rule(network, theta, 1.0, 1, [0, 1], silent)

    moved = [weight - size[:, None, None] * slope for weight, slope in zip(weights, slopes, strict=True)]
    expected = torch.cat([weight.detach().flatten(1) for weight in moved], 1)
    np.testing.assert_allclose(made.path[:, 1], expected.numpy(), rtol=1e-12)
    np.testing.assert_allclose(made.clocks[:, 1], size.numpy(), rtol=1e-13)
    np.testing.assert_allclose(made.risks[:, 0], risk.detach().numpy(), rtol=1e-13)


def test_the_rule_never_steps_farther_than_one_and_steps_shrink_as_norms_grow() -> None:
    network, theta, _ = _problem(2)

    small = descend_by_rule(network, 1e-3 * theta, 1.0, 1, [0, 1], silent)
    grown = descend_by_rule(network, theta, 1.0, 2000, range(0, 2001, 100), silent)

    np.testing.assert_allclose(small.clocks[:, 1], 1 / (8 * 1.1**2 * 1.25))
    assert (np.diff(np.diff(grown.clocks, axis=1), axis=1) <= 1e-12).all()


def test_the_risk_falls_by_half_the_squared_gradient_or_more_by_the_rule_and_not_far_above_it() -> None:
    network, theta, _ = _problem(3)

    ruled = descend_by_rule(network, theta, 1.0, 300, [0, 300], silent)
    wild = descend_by_rule(network, theta, 1e5, 300, [0, 300], silent)

    assert (ruled.worst_fall < -0.99).all()
    assert (wild.worst_fall > -0.5).all()


def test_no_step_of_the_rule_leaves_its_ball_however_steep_the_risk_and_longer_steps_do() -> None:
    network, theta, _ = _problem(2)
    steep = -np.abs(theta)

    ruled = descend_by_rule(network, steep, 1.0, 300, [0, 300], silent)
    wild = descend_by_rule(network, steep, 1e4, 300, [0, 300], silent)

    assert (ruled.farthest < 1).all()
    assert (wild.farthest > 1).all()


def test_the_weights_after_a_recorded_step_are_those_of_the_next_record() -> None:
    network, theta, _ = _problem(3)

    made = descend_by_rule(network, theta, 1.0, 4, [0, 1, 2, 4], silent)

    assert np.array_equal(made.onward[:, :2], made.path[:, 1:3])
    assert made.onward.shape[1] == 3


def test_a_run_alone_descends_as_in_a_batch_and_a_lost_run_disturbs_no_other() -> None:
    network, theta, _ = _problem(3)
    single = ReluNetwork(
        network.points[1:2], network.labels[1:2], network.loss, network.kinds, network.shapes, network.rates
    )
    broken = np.where(np.arange(3)[:, None] == 2, np.inf, theta)

    together = descend_by_rule(network, broken, 1.0, 50, [0, 50], silent)
    alone = descend_by_rule(single, theta[1:2], 1.0, 50, [0, 50], silent)

    assert np.array_equal(together.path[1], alone.path[0])
    assert np.array_equal(together.worst_fall[1:2], alone.worst_fall)
    assert np.isnan(together.path[2, 1]).any()
    assert np.isnan(together.worst_fall[2])
    assert np.isfinite(together.clocks).all()


def test_clocks_that_stand_still_are_made_to_rise_and_others_stay() -> None:
    clocks = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    nothing = np.zeros(3)

    risen = RuledDescent(clocks, clocks, clocks, clocks, nothing, nothing, nothing).rising_clocks

    assert np.array_equal(risen[0], clocks[0])
    assert (np.diff(risen, axis=1) > 0).all()
    np.testing.assert_allclose(risen, clocks, rtol=0, atol=1e-11)
