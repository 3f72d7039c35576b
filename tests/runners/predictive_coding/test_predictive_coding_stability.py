"""The stability runner: the edge against steps that grow or fall."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.predictive_coding.closed_forms import stability_limit_with_loss
from dlnrepro.dynamics.predictive_coding.network import Rule, State, draw_network, forward, relax
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import silent
from dlnrepro.runners.predictive_coding import predictive_coding_stability as runner
from tests.runners.running import quick_setup, run_seeds, seeded

SETUP = quick_setup(
    "pcalm-stability-bound", hidden=3, outputs=2, penalty=0.8, dual_step=0.6, modulus_ratio=0.7, points=5
)
SHORT: dict[str, Any] = {"points": 3}
CASES: dict[str, dict[str, Any]] = {
    "constraints": {},
    "with-loss": {"loss_weight": 1.0, "law": "with-loss"},
    "no-multipliers": {"dual_step": 0.0, "law_dual_step": 0.6},
}
POINTS = {"step_ratio": 3}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("changes", [{}, {"loss_weight": 2.0, "law": "with-loss"}, {"skip": "none"}])
def test_the_edge_is_the_limit_of_the_formula(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["edge_gap"].abs().max()) < 1e-10
    assert float(measures["radius_below"].max()) < 1 < float(measures["radius_above"].min())


@pytest.mark.parametrize(("ratio", "grows"), [(0.99, False), (1.01, True)])
def test_inference_itself_settles_below_the_limit_with_the_loss_and_grows_above_it(ratio: float, grows: bool) -> None:
    generators = seeded([5])
    chain = draw_network(4, 3, 3, 2, 2, "identity", 1.0, generators)
    shape = forward(chain).shape[1:]
    start = State(normal(shape, generators), normal(shape, generators))
    rule = Rule(ratio * stability_limit_with_loss(chain, 0.8, 0.6), 0.8, 0.6)
    sizes: list[float] = []

    def observe(done: int, state: State) -> bool:
        if done in {1000, 1400}:
            sizes.append(float(state.activities.norm()))
        return False

    relax(chain, start, rule, 1400, observe, silent)
    assert bool(sizes[1] > 100 * sizes[0]) is grows


def test_a_loss_moves_the_edge_below_the_constraints_limit() -> None:
    gaps = _run([0, 1, 2], loss_weight=4.0).measures["edge_gap"]

    assert float(gaps.max()) < -1e-6
    assert float(gaps.min()) > -0.5


def test_moduli_are_exact_for_any_dual_step_and_a_law_that_knows_it_is_off() -> None:
    for alpha in (0.6, 1.5):
        exact = _run([0], dual_step=alpha).measures
        assert float(exact["modulus_error"]) < 1e-13
        assert float(exact["complex_share"]) > 0.5
    assert float(_run([0], law_modulus_dual_step=0.6).measures["modulus_error"]) > 1e-3


def test_the_bound_without_multipliers_is_off_by_the_known_factor() -> None:
    """(2 rho) / (2 rho + alpha) of it, here 1.6 / 2.2."""
    gap = _run([0], law_dual_step=0.0).measures["edge_gap"]

    torch.testing.assert_close(1 + gap, torch.full((1,), 1.6 / 2.2, dtype=torch.float64), rtol=1e-10, atol=0)


def test_an_edge_outside_the_search_is_replaced_by_the_end_of_the_search() -> None:
    """With alpha = 20 in the law, the edge lies at (1.6 + 20) / 2.2 of it."""
    assert float(_run([0], law_dual_step=20.0).measures["edge_gap"]) == runner.SEARCH[1] - 1
    assert float(_run([0], dual_step=20.0, law_dual_step=0.0).measures["edge_gap"]) == runner.SEARCH[0] - 1


def test_moduli_without_a_complex_eigenvalue_are_undecided() -> None:
    assert bool(_run([0], dual_step=0.0).measures["modulus_error"].isnan().all())


def test_simultaneous_half_steps_have_another_limit_and_another_matrix() -> None:
    """At the eigenvalue -1 the limit is 4 / (sigma^2 (2 rho - alpha)), for rho = 2 and alpha = 0.4 by 4.4 / 3.6."""
    measures = _run([0, 1], penalty=2.0, dual_step=0.4, order="simultaneous").measures

    torch.testing.assert_close(
        1 + measures["edge_gap"], torch.full((2,), 4.4 / 3.6, dtype=torch.float64), rtol=1e-9, atol=0
    )
    assert float(measures["route_error"].min()) > 1e-3
    assert float(_run([0, 1]).measures["route_error"].max()) < 1e-14


def test_a_spent_budget_stops_it_between_two_spectra() -> None:
    told: list[str] = []

    def stop(_: float, note: str) -> None:
        told.append(note)
        if len(told) == 2:
            raise BudgetSpent

    generators = seeded(range(3))
    with pytest.raises(BudgetSpent):
        runner.run(runner.Params.model_validate(SETUP), generators, stop)

    assert told[-1] == "run 2 of 3"
