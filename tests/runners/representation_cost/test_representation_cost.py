"""The cost runner: its costs against the formulas, and faults that must not pass."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.representation_cost import fibre, formulas, tied_layers
from dlnrepro.dynamics.representation_cost.formulas import coordinates
from dlnrepro.runners.representation_cost import representation_cost as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "representation-cost", architecture="diagonal", depth=3, inputs=6, kernel=6, predictors=4, iterations=50
)
MATRIX = {"architecture": "fully-connected", "inputs": 4, "outputs": 3, "kernel": 1}
CONVOLUTION = {"architecture": "convolutional"}
SHORT: dict[str, Any] = {"predictors": 4, "starts": 1, "iterations": 5}
CASES: dict[str, dict[str, Any]] = {
    "diagonal": {},
    "any-point": {"point": "any", "optimised": 2},
    "fully-connected": MATRIX,
    "short": {"realised": 0.9},
    "five-fully-connected-layers": MATRIX | {"depth": 5},
    "convolutional": CONVOLUTION,
    "group": {"architecture": "group"},
    "k-support": {"architecture": "k-support", "depth": 2, "law_depth": 3},
}
CONTRADICTIONS = [
    (
        {"outputs": 2, "kernel": 7},
        [
            "outputs: expected 1 for the architecture diagonal, found 2",
            "kernel: expected at most 6, as many as inputs, found 7",
        ],
    ),
    (
        MATRIX | {"hidden": 2, "law": "group", "part": 3},
        [
            "part: expected a divisor of inputs, which is 4, found 3",
            "hidden: expected at least 3, the smaller one of inputs and outputs, found 2",
            "law: expected `same`, fully-connected or diagonal for several outputs, found 'group'",
        ],
    ),
    (
        {"architecture": "k-support", "part": 7},
        [
            "part: expected at most 6, as many as inputs, found 7",
            "depth: expected 2 for the architecture k-support, found 3",
        ],
    ),
]
POINTS = {"predictor": 4, "exponent": 41}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
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

    monkeypatch.setattr(formulas, "representation_cost", without)

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
    monkeypatch.setattr(fibre, "LANDING", 0)

    assert all(torch.isnan(value).all() for value in _run([0], point="any").measures.values())
