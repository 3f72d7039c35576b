"""The runner of conserved balances: orders of few runs, and the exact change of one step."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.activations.functions import network_gradient
from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.runners.activations import homogeneous_balance as runner
from tests.runners.running import quick_setup, run_seeds, seeded

SETUP = quick_setup("layers-stay-balanced", samples=20, scale=0.8)
SHORT: dict[str, Any] = {"horizon": 0.25}
CASES: dict[str, dict[str, Any]] = {
    "linear": {},
    "relu": {"activation": "relu", "hidden": 7, "samples": 13, "horizon": 1.0},
    "softsign": {"activation": "softsign", "samples": 11},
    "leaky-relu-and-hinge": {"activation": "leaky-relu", "loss": "squared-hinge", "depth": 4},
    "unequal-rates": {"depth": 2, "first_rate": 2.0},
}
POINTS = {"step size": 2}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "nodes", "matrix"),
    [
        ({}, True, True),
        ({"activation": "relu"}, True, False),
        ({"activation": "leaky-relu", "loss": "squared-hinge", "depth": 4}, True, False),
        ({"activation": "softsign"}, False, False),
        ({"first_rate": 2.0}, False, False),
    ],
)
def test_what_is_conserved_changes_by_squared_gradients_alone(
    changes: dict[str, Any], nodes: bool, matrix: bool
) -> None:
    measures = _run([0, 1], **changes).measures

    for name, conserved in (("node_excess", nodes), ("matrix_excess", matrix)):
        value = float(measures[name].max() if conserved else measures[name].min())
        assert value < 1e-10 if conserved else value > 0.1, name


@pytest.mark.slow
def test_the_order_in_the_step_size_is_one_for_what_is_conserved_and_zero_for_the_rest() -> None:
    linear, other = _run([0, 1]).measures, _run([0, 1], activation="softsign").measures

    for name in ("node_order", "matrix_order"):
        torch.testing.assert_close(linear[name], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.1)
        torch.testing.assert_close(other[name], torch.zeros(2, dtype=torch.float64), rtol=0, atol=0.1)


def test_one_step_changes_a_node_s_balance_by_the_squared_step_times_a_difference_of_squared_gradients() -> None:
    generators = seeded([5])
    inputs, aim = normal((4, 9), generators), normal((2, 9), generators)
    weights, size = gaussian([4, 5, 2], 1.0, generators), 0.1
    parts = network_gradient("relu", inputs, lambda outputs: outputs - aim)(weights)
    after = [weight - size * part for weight, part in zip(weights, parts, strict=True)]

    change = torch.diagonal(imbalance(after)[0] - imbalance(weights)[0], dim1=-2, dim2=-1)

    expected = size**2 * torch.diagonal(imbalance(parts)[0], dim1=-2, dim2=-1)
    torch.testing.assert_close(change, expected, rtol=0, atol=1e-13)


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], scale=10.0, step_size=1.0, horizon=100.0).measures

    assert all(torch.isnan(value).all() for value in measures.values())
