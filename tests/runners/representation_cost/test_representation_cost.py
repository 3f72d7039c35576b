"""The cost runner: both routes of its laws, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.representation_cost import tied_layers
from dlnrepro.dynamics.representation_cost.formulas import coordinates
from dlnrepro.runners.representation_cost import representation_cost as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "architecture": "diagonal",
    "depth": 3,
    "inputs": 6,
    "outputs": 1,
    "hidden": 4,
    "kernel": 6,
    "part": 2,
    "predictors": 4,
    "spread": 1.0,
    "starts": 2,
    "iterations": 50,
    "point": "cheapest",
    "law": "diagonal",
    "law_depth": 3,
}
MATRIX = {"architecture": "fully-connected", "law": "fully-connected", "inputs": 4, "outputs": 3, "kernel": 1}
CONVOLUTION = {"architecture": "convolutional", "law": "convolutional"}
SHORT: dict[str, Any] = {"predictors": 4, "starts": 1, "iterations": 5}
CASES: dict[str, dict[str, Any]] = {
    "diagonal": {},
    "any-point": {"point": "any"},
    "fully-connected": MATRIX,
    "five-fully-connected-layers": MATRIX | {"depth": 5, "law_depth": 5},
    "convolutional": CONVOLUTION,
    "group": {"architecture": "group", "law": "group"},
    "k-support": {"architecture": "k-support", "depth": 2, "law": "k-support"},
}
POINTS = {"predictor": 4, "power": 41}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("changes", [{}, MATRIX, CONVOLUTION])
def test_the_cheapest_weights_cost_what_the_law_says_and_others_more(changes: dict[str, Any]) -> None:
    cheapest, others = _run([0, 1], **changes).measures, _run([0, 1], point="any", **changes).measures

    assert float(cheapest["formula_error"].max()) < 1e-12
    assert float(cheapest["power_error"].max()) < 1e-9
    assert float(cheapest["order_error"].max()) < 1e-9
    assert float(cheapest["slope_along_fibre"].max()) < 1e-9
    assert float(others["least_excess"].min()) > 1e-3
    assert float(others["slope_along_fibre"].min()) > 0.1
    assert float(others["infeasibility"].max()) < 1e-12


def test_a_single_tap_costs_as_one_full_output_does() -> None:
    """All but one convolution are scalars then, and L ||w||_2^(2/L) is the cost of scalars and a vector."""
    measures = _run([0, 1], **CONVOLUTION | {"kernel": 1, "law": "fully-connected"}).measures

    assert float(measures["formula_error"].max()) < 1e-12


def test_a_fully_shared_group_costs_as_one_full_output_does() -> None:
    measures = _run([0, 1], architecture="group", law="fully-connected", part=6).measures

    assert float(measures["formula_error"].max()) < 1e-12


def test_a_normalisation_forgotten_in_the_convolution_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(law: Any, w: Tensor, depth: int, part: int) -> Tensor:
        return coordinates(law, w, part).pow(2 / depth).sum() * depth

    monkeypatch.setattr(runner, "representation_cost", without)

    assert float(_run([0], **CONVOLUTION).measures["formula_error"]) > 0.5


def test_a_transposed_factor_in_the_chain_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With square layers a transposed factor has the right shape; only the outcome tells."""
    square = MATRIX | {"inputs": 4, "outputs": 4}
    assert float(_run([0], **square).measures["formula_error"]) < 1e-12

    def wrong(chain: list[Tensor]) -> list[Tensor]:
        partial = prefixes(chain)
        return [*(one.mT for one in partial[:-1]), partial[-1]]

    monkeypatch.setattr(tied_layers, "prefixes", wrong)

    measures = _run([0], **square).measures
    assert not float(measures["formula_error"]) < 1e-6


def test_where_no_start_meets_the_fibre_all_is_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LANDING", 0)

    assert all(torch.isnan(value).all() for value in _run([0], point="any").measures.values())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outputs": 2}, "outputs must be 1"),
        ({"kernel": 7}, "at most inputs"),
        ({"law": "group", "part": 4}, "part must divide inputs"),
        ({"architecture": "k-support"}, "depth must be 2"),
        (MATRIX | {"hidden": 2}, "hidden must be no smaller"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
