"""The distance between two routes, with an error in each part of one of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.closed_forms import backprop_adjoints
from dlnrepro.dynamics.predictive_coding.iteration import iteration_matrix
from dlnrepro.dynamics.predictive_coding.network import (
    Rule,
    State,
    credit,
    draw_network,
    random_state,
    step,
    weight_gradients,
)
from dlnrepro.dynamics.predictive_coding.two_routes import Transition, matrix_error, route_error
from tests.runners.running import seeded

CHAIN = draw_network(4, 3, 2, 2, 5, "identity", 1.0, seeded([0, 1]))
STATE = random_state(CHAIN, seeded([2, 3]))
RULE = Rule(torch.full((2,), 0.1, dtype=torch.float64), 0.7, 0.4)
AFTER = step(CHAIN, STATE, RULE)
UPDATES = weight_gradients(CHAIN, AFTER.activities, credit(CHAIN, AFTER, 0.7))
ADJOINTS = backprop_adjoints(CHAIN)


def _error(after: State = AFTER, updates: list[Tensor] = UPDATES, adjoints: Tensor = ADJOINTS) -> float:
    return float(route_error(CHAIN, Transition(STATE, after), RULE, updates, adjoints).min())


def test_the_routes_agree_up_to_rounding() -> None:
    assert _error() < 1e-13


def test_an_error_of_five_per_cent_in_any_part_is_an_error_of_five_per_cent() -> None:
    longer = [old + 1.05 * (new - old) for old, new in zip(STATE, AFTER, strict=True)]

    assert _error(after=State(longer[0], AFTER.multipliers)) > 0.0499
    assert _error(after=State(AFTER.activities, longer[1])) == pytest.approx(0.05, rel=0.3)
    assert _error(adjoints=1.05 * ADJOINTS) == pytest.approx(0.05)
    for layer in range(3):
        wrong = [1.05 * part if index == layer else part for index, part in enumerate(UPDATES)]
        assert _error(updates=wrong) == pytest.approx(0.05)


def test_a_matrix_moves_states_as_autograd_does_unless_it_has_another_rule() -> None:
    chain = draw_network(4, 3, 2, 2, 1, "identity", 1.0, seeded([0, 1]))
    state = random_state(chain, seeded([2, 3]))

    assert float(matrix_error(chain, iteration_matrix(chain, RULE), state, RULE).max()) < 1e-14
    other = replace(RULE, order="simultaneous")
    assert float(matrix_error(chain, iteration_matrix(chain, other), state, other).min()) > 1e-3
