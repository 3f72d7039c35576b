"""The arrival of credit: between two steps that are counted one by one, and where there is none."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.predictive_coding.arrival import Arrival, first_layer_arrival
from dlnrepro.dynamics.predictive_coding.closed_forms import backprop_adjoints
from dlnrepro.dynamics.predictive_coding.network import Network, Rule, along, credit, draw_network, rest, step
from dlnrepro.runner import silent
from tests.runners.running import seeded


def _chain() -> Network:
    return draw_network(4, 5, 3, 2, 3, "identity", 0.3, seeded([0, 1]))


def _rule(step_size: float, dual_step: float = 1.0) -> Rule:
    return Rule(torch.full((2,), step_size, dtype=torch.float64), 1.0, dual_step)


def _arrival(rule: Rule, most_steps: int = 500) -> Arrival:
    target = -backprop_adjoints(_chain())[:, 0]
    return first_layer_arrival(_chain(), target, rule, 0.5, 8, most_steps, silent)


def test_the_share_passes_its_mark_at_the_time_of_arrival_and_never_before() -> None:
    chain, rule = _chain(), _rule(0.2)
    target, state = -backprop_adjoints(chain)[:, 0], rest(chain)
    shares = []
    for _ in range(40):
        shares.append(along(credit(chain, state, 1.0)[:, 0], target))
        state = step(chain, state, rule)
    passed = torch.stack(shares, -1)

    for time, row in zip(_arrival(rule).time.tolist(), passed, strict=True):
        last = int(time)
        assert float(row[: last + 1].max()) < 0.5 <= float(row[last + 1])
        assert float(row[last] + (time - last) * (row[last + 1] - row[last])) == pytest.approx(0.5, abs=1e-12)


def test_the_state_is_kept_when_the_budget_is_spent() -> None:
    chain, rule = _chain(), _rule(0.2)
    state = rest(chain)
    for _ in range(8):
        state = step(chain, state, rule)

    spent = _arrival(rule).spent
    assert torch.equal(spent.after.activities, state.activities)
    assert torch.equal(spent.after.multipliers, state.multipliers)
    assert torch.equal(step(chain, spent.before, rule).activities, state.activities)


@pytest.mark.slow
def test_credit_that_never_arrives_and_a_run_that_diverges_have_no_time() -> None:
    assert bool(_arrival(_rule(1e-6, 0.0), 20).time.isnan().all())
    assert bool(_arrival(_rule(3.0), 2000).time.isnan().all())
