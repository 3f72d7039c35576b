"""The speed runner: arrivals against a step-by-step count."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.predictive_coding.closed_forms import backprop_adjoints
from dlnrepro.dynamics.predictive_coding.network import (
    Rule,
    State,
    credit,
    draw_network,
    forward,
    step,
    weight_gradients,
)
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.errors import BudgetSpent
from dlnrepro.runners.predictive_coding import predictive_coding_speed as runner
from tests.runners.running import quick_setup, run_seeds, seeded

SETUP = quick_setup(
    "pcalm-ballistic-credit",
    depths=[4, 8, 12],
    hidden=5,
    inputs=3,
    outputs=2,
    samples=3,
    spread=0.3,
    step_size=0.2,
    most_steps=5000,
)
SHORT: dict[str, Any] = {"depths": [4, 6, 8], "most_steps": 500}
CASES: dict[str, dict[str, Any]] = {
    "wave": {},
    "diffusion": {"dual_step": 0.0},
}
CONTRADICTIONS = [
    (
        {"depths": [8, 4], "most_steps": 2},
        ["depths: expected values that rise strictly, found [8, 4]"],
    ),
    ({"most_steps": 20}, ["most_steps: expected at least 24, the budget of the deepest network, found 20"]),
]
POINTS = {"depth": 3, "layer": 7}

_run = partial(run_seeds, runner, SETUP)


def _after_the_constants(seed: int) -> list[torch.Generator]:
    """The generator of a run that has drawn rho, alpha and eta, which are drawn before the networks."""
    generators = seeded([seed])
    for _ in range(3):
        uniform((), 0.0, 1.0, generators)
    return generators


def test_credit_has_arrived_between_the_two_steps_around_half_of_its_target() -> None:
    time = float(_run([3], depths=[4, 8]).series["arrival"][0, 0])

    chain = draw_network(4, 5, 3, 2, 3, "identity", 0.3, _after_the_constants(3))
    target = -backprop_adjoints(chain)[:, 0]
    state = State(forward(chain), torch.zeros_like(forward(chain)))
    rule = Rule(torch.full((1,), 0.2, dtype=torch.float64), 1.0, 1.0)
    shares = []
    for _ in range(int(time) + 2):
        shares.append(float((credit(chain, state, 1.0)[:, 0] * target).sum() / target.square().sum()))
        state = step(chain, state, rule)
    last, first = shares[int(time)], shares[int(time) + 1]
    assert max(shares[: int(time) + 1]) < 0.5 <= first
    assert last + (time - int(time)) * (first - last) == pytest.approx(0.5, abs=1e-12)


def test_after_the_budget_updates_and_credit_are_those_of_its_number_of_steps() -> None:
    result = _run([3], depths=[4, 6])

    generators = _after_the_constants(3)
    draw_network(4, 5, 3, 2, 3, "identity", 0.3, generators)
    chain = draw_network(6, 5, 3, 2, 3, "identity", 0.3, generators)
    adjoints = -backprop_adjoints(chain)
    state = State(forward(chain), torch.zeros_like(forward(chain)))
    for _ in range(12):
        state = step(chain, state, Rule(torch.full((1,), 0.2, dtype=torch.float64), 1.0, 1.0))
    signal = credit(chain, state, 1.0)
    profile = [float((signal[:, i] * adjoints[:, i]).sum() / adjoints[:, i].square().sum()) for i in range(5)]
    updates = weight_gradients(chain, state.activities, signal)
    wanted = weight_gradients(chain, forward(chain), adjoints)
    flat, goal = (torch.cat([layer.flatten() for layer in layers]) for layers in (updates, wanted))

    assert result.series["credit_after_budget"][0].tolist() == pytest.approx(profile, rel=1e-12)
    assert float(result.measures["budget_cosine"]) == pytest.approx(float(torch.cosine_similarity(flat, goal, dim=0)))
    assert float(result.measures["budget_first_norm"]) == pytest.approx(float(updates[0].norm() / wanted[0].norm()))


def test_a_wave_keeps_its_pace_and_half_the_dual_step_slows_it_by_the_root_of_two() -> None:
    depths = [16, 32, 48]
    whole, half = (_run([0], depths=depths, dual_step=alpha, law_dual_step=1.0) for alpha in (1.0, 0.5))

    assert float(whole.measures["pace_ratio"]) == pytest.approx(1, abs=0.08)
    ratio = float(half.measures["pace_ratio"] / whole.measures["pace_ratio"])
    assert ratio == pytest.approx(2**0.5, rel=0.03)


@pytest.mark.slow
def test_diffusion_takes_a_time_that_grows_as_the_squared_depth() -> None:
    measures = _run([0], dual_step=0.0, spread=0.05, depths=[8, 16, 32], hidden=3).measures

    assert float(measures["arrival_exponent"]) == pytest.approx(2, abs=0.3)
    assert float(measures["pace_ratio"]) == 0


def test_a_run_in_which_credit_never_arrives_is_undecided() -> None:
    measures = _run([0], dual_step=0.0, most_steps=24).measures

    assert bool(measures["latest_arrival"].isnan().all())
    assert bool(measures["arrival_exponent"].isnan().all())


def test_both_routes_agree_unless_multipliers_leak() -> None:
    assert float(_run([0, 1]).measures["route_error"].max()) < 1e-12
    assert float(_run([0, 1], leak=0.1).measures["route_error"].min()) > 1e-3


def test_constants_that_are_drawn_have_their_own_speed() -> None:
    drawn = _run([0, 1, 2], penalty=[0.5, 1.0], dual_step=[0.25, 1.0], step_size=[0.1, 0.22], depths=[16, 32, 48])

    assert float((drawn.measures["pace_ratio"] - 1).abs().max()) < 0.1
    assert float(drawn.series["predicted_arrival"][:, 0].std()) > 1


def test_only_identity_skips_keep_the_layers_near_the_identity() -> None:
    assert float(_run([0]).measures["skip_distance"]) < 0.31
    assert float(_run([0], skip="none", spread=1.0, step_size=0.05).measures["skip_distance"]) > 3


@pytest.mark.slow
def test_a_run_that_diverges_is_undecided() -> None:
    assert bool(_run([0], step_size=3.0, most_steps=2000).measures["latest_arrival"].isnan().all())


def test_a_spent_budget_stops_it_in_the_second_depth() -> None:
    told: list[str] = []

    def stop(_: float, note: str) -> None:
        told.append(note)
        if note.startswith("depth 8"):
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        runner.run(runner.Params.model_validate(SETUP), seeded([0]), stop)

    assert told[0].startswith("depth 4, step 0")
