"""Distances of the credit along inference, compared with states that are stepped one by one."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.predictive_coding.closed_forms import backprop_adjoints
from dlnrepro.dynamics.predictive_coding.credit_paths import credit_path
from dlnrepro.dynamics.predictive_coding.network import Rule, credit, draw_network, random_state, rest, step
from dlnrepro.runner import silent
from tests.runners.running import seeded

CHAIN = draw_network(4, 5, 3, 2, 3, "identity", 0.3, seeded([0, 1]))
RULE = Rule(torch.full((2,), 0.1, dtype=torch.float64), 1.5, 1.0)


def test_the_distances_are_those_of_states_that_are_stepped_one_by_one() -> None:
    start, target = random_state(CHAIN, seeded([2, 3])), -backprop_adjoints(CHAIN)
    path = credit_path(CHAIN, start, RULE, 7, 3, [target, 2 * target], silent)
    states = [start]
    for _ in range(7):
        states.append(step(CHAIN, states[-1], RULE))

    assert path.steps.tolist() == [0, 3, 6]
    assert torch.equal(path.end.activities, states[7].activities)
    assert torch.equal(path.taken.before.activities, states[4].activities)
    assert torch.equal(path.taken.after.multipliers, states[5].multipliers)
    for factor, distances in zip((1, 2), path.distances, strict=True):
        wanted = factor * target.flatten(1)
        for record, done in enumerate(path.steps.int().tolist()):
            gap = credit(CHAIN, states[done], 1.5).flatten(1) - wanted
            expected = (gap.square().sum(-1) / wanted.square().sum(-1)).sqrt()
            torch.testing.assert_close(distances[:, record], expected, rtol=1e-13, atol=0)


@pytest.mark.slow
def test_at_the_equilibrium_the_credit_has_no_distance_from_back_propagation() -> None:
    target = -backprop_adjoints(CHAIN)
    path = credit_path(CHAIN, rest(CHAIN), RULE, 3000, 1000, [target], silent)

    assert float(path.distances[0][:, 0].min()) > 0.1
    assert float(path.distances[0][:, -1].max()) < 1e-10
