"""The sharpness runner: exact in theory's own setting, wrong by known amounts out of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.networks.curvature import sharpness
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.errors import BudgetSpent, Disagreement
from dlnrepro.runners.pathways import pathway_sharpness as runner
from tests.runners.running import quick_setup, run_seeds, seeded

SETUP = quick_setup("pathway-sharpness", depth=3, hidden=3, outputs=2, strengths=[2.0, 0.5], splits=3, noisy=12)
SHORT: dict[str, Any] = {"inputs": 3, "hidden": 2, "splits": 2, "noisy": 2}
CASES: dict[str, dict[str, Any]] = {
    "balanced": {},
    "signed-with-a-search": {"tilt": -0.5, "search_steps": 3, "jitter": 0.0},
}
CONTRADICTIONS = [
    (
        {"strengths": [2.0, 1.0, 0.5], "noise": [2.0, 1e-3]},
        [
            "noise: expected a range [low, high], found [2, 0.001]",
            "strengths: expected at most 2 values, as many as outputs, found 3 values",
        ],
    ),
    (
        {"outputs": 3, "strengths": [0.5, 2.0]},
        ["strengths: expected values that do not rise, found [0.5, 2]"],
    ),
]

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("depth", [2, 4])
def test_theory_is_exact_in_its_own_setting(depth: int) -> None:
    measures = _run([0, 1], depth=depth).measures

    for name in ("formula_error", "factor_error", "slope_error", "range_excess"):
        assert float(measures[name].abs().max()) < 1e-12, name
    assert float(measures["bound_ratio"].min()) > 1 - 1e-12


def test_an_imbalance_raises_sharpness_by_the_amount_derived() -> None:
    """A single path with layers w c, w / c, w: sum of w_l^-2 over 3 w^-2 is (c^-2 + c^2 + 1) / 3."""
    error = _run([0, 1], imbalance=2.0).measures["formula_error"]

    expected = (0.25 + 4 + 1) / 3 - 1
    torch.testing.assert_close(error, torch.full((2,), expected, dtype=torch.float64), rtol=1e-9, atol=0)


def test_a_deeper_law_asks_for_more_sharpness_than_there_is() -> None:
    measures = _run([0, 1], law_depth=4).measures

    assert float(measures["bound_ratio"].max()) < 0.9
    assert float(measures["factor_error"].min()) > 0.1


def test_an_uneven_or_signed_split_keeps_the_formula_and_loses_the_factor() -> None:
    uneven, signed = _run([0, 1], tilt=1.5).measures, _run([0, 1], tilt=-0.4).measures

    for measures in (uneven, signed):
        assert float(measures["formula_error"].max()) < 1e-12
        assert float(measures["factor_error"].min()) > 0.01
    assert float(uneven["range_excess"].max()) < 1e-12
    assert float(signed["range_excess"].min()) > 0.1


def test_the_variance_of_the_inputs_multiplies_every_sharpness() -> None:
    one, half = _run([0], search_steps=5).measures, _run([0], search_steps=5, variance=0.5).measures

    assert float(half["formula_error"]) == pytest.approx(0.5)
    for name in ("bound_ratio", "found_ratio"):
        torch.testing.assert_close(half[name], one[name] / 2, rtol=1e-12, atol=0)


def test_a_search_ends_at_the_equal_split_and_without_one_there_is_no_number() -> None:
    assert float(_run([0, 1], search_steps=300).measures["found_ratio"].max()) == pytest.approx(1, abs=1e-3)
    assert bool(_run([0]).measures["found_ratio"].isnan())


def test_two_routes_that_disagree_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_paths, "sharpness", lambda weights: sharpness(weights) / 1.001)

    words = r"^sharpness: the Hessian by autograd and the matrix J J\^T differ relatively by 1\.0e-3$"
    with pytest.raises(Disagreement, match=words):
        _run([0])


def test_a_spent_budget_stops_it_between_two_columns() -> None:
    told: list[str] = []

    def stop(_: float, note: str) -> None:
        told.append(note)
        if len(told) == 5:
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        runner.run(runner.Params.model_validate(SETUP), seeded([0]), stop)

    assert told[-1].startswith("column 3 of ")
