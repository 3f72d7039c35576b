"""Automatic differentiation of predictive coding, against the numbers that the paper prints, and the formulas."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dlnrepro.dynamics.predictive_coding.by_autograd import (
    activity_gradients,
    backprop_gradients,
    lagrangian_step,
    lagrangian_updates,
)
from dlnrepro.dynamics.predictive_coding.closed_forms import backprop_adjoints, plain_equilibrium_credit
from dlnrepro.dynamics.predictive_coding.network import (
    Network,
    Rule,
    State,
    draw_network,
    forward,
    random_state,
    relax,
    rest,
    step,
    weight_gradients,
)
from dlnrepro.runner import silent
from tests.runners.running import seeded

SCALAR = Network(
    first=torch.full((1, 1, 1), 0.2, dtype=torch.float64),
    hidden=torch.zeros(1, 0, 1, 1, dtype=torch.float64),
    last=torch.ones(1, 1, 1, dtype=torch.float64),
    inputs=torch.ones(1, 1, 1, dtype=torch.float64),
    targets=torch.ones(1, 1, 1, dtype=torch.float64),
)
"""The scalar example of the paper: x = y = w_2 = 1 and w_1 = 0.2, with the penalty 1."""


def _settled(dual_step: float) -> State:
    rule = Rule(torch.full((1,), 0.2, dtype=torch.float64), 1.0, dual_step)
    return relax(SCALAR, rest(SCALAR), rule, 2000, lambda *_: False, silent)


def test_plain_predictive_coding_of_the_scalar_example_ends_at_the_printed_numbers() -> None:
    """The printed activity is 0.6, and the printed gradients are -0.40 and -0.24."""
    end = _settled(0.0)
    first, _, last = lagrangian_updates(SCALAR, end, Rule(torch.ones(1, dtype=torch.float64), 1.0, 0.0))

    assert float(end.activities) == pytest.approx(0.6, abs=1e-12)
    assert float(first) == pytest.approx(-0.40, abs=1e-12)
    assert float(last) == pytest.approx(-0.24, abs=1e-12)
    assert float(plain_equilibrium_credit(SCALAR, 1.0)) == pytest.approx(0.40, abs=1e-12)


def test_with_multipliers_the_scalar_example_ends_at_the_printed_numbers_of_back_propagation() -> None:
    """The printed activity is 0.2, the multiplier 0.8, and the gradients are -0.80 and -0.16."""
    end = _settled(1.0)
    updates = lagrangian_updates(SCALAR, end, Rule(torch.ones(1, dtype=torch.float64), 1.0, 1.0))

    assert float(end.activities) == pytest.approx(0.2, abs=1e-12)
    assert float(end.multipliers) == pytest.approx(0.8, abs=1e-12)
    for found in (updates, backprop_gradients(SCALAR)):
        assert float(found[0]) == pytest.approx(-0.80, abs=1e-12)
        assert float(found[2]) == pytest.approx(-0.16, abs=1e-12)


def test_steps_updates_and_adjoints_are_those_of_the_formulas() -> None:
    chain = draw_network(5, 4, 3, 2, 6, "identity", 1.0, seeded([0, 1]))
    state = random_state(chain, seeded([2, 3]))
    sizes, rho, alpha = (torch.tensor(pair, dtype=torch.float64) for pair in ((0.1, 0.2), (0.7, 1.1), (0.4, 0.3)))
    rule = Rule(sizes, rho, alpha)

    for found, wanted in zip(lagrangian_step(chain, state, rule), step(chain, state, rule), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-13, atol=1e-13)
    signal = state.multipliers + rho[:, None, None, None] * _residuals(chain, state)
    for found, wanted in zip(
        lagrangian_updates(chain, state, rule), weight_gradients(chain, state.activities, signal), strict=True
    ):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(activity_gradients(chain), backprop_adjoints(chain), rtol=1e-12, atol=1e-14)


def test_the_step_is_that_of_the_theory_without_a_leak_and_with_alternating_halves() -> None:
    chain = draw_network(4, 3, 2, 2, 5, "identity", 1.0, seeded([0]))
    state = random_state(chain, seeded([1]))
    rule = Rule(torch.full((1,), 0.1, dtype=torch.float64), 0.7, 0.4)
    wanted = lagrangian_step(chain, state, rule)

    for other in (replace(rule, leak=0.1), replace(rule, order="simultaneous")):
        assert torch.equal(lagrangian_step(chain, state, other).multipliers, wanted.multipliers)
        assert not torch.allclose(step(chain, state, other).multipliers, wanted.multipliers)


def _residuals(chain: Network, state: State) -> torch.Tensor:
    """Activities minus their predictions, as a forward pass of one layer."""
    below = torch.cat([chain.drive[:, None], chain.hidden @ state.activities[:, :-1]], 1)
    assert below.shape == forward(chain).shape
    return state.activities - below
