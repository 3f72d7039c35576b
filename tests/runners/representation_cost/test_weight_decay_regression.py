"""The weight-decay runner: its end against the convex problem, with and without decay."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.representation_cost.regression import Regression
from dlnrepro.runners.representation_cost import weight_decay_regression as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("weight-decay-finds-it", inputs=6, outputs=3, samples=24, momentum=0.95, steps=400, rounds=4)
SINGLE = {"outputs": 1, "architecture": "diagonal"}
SHORT: dict[str, Any] = {"steps": 40, "rounds": 2}
CASES: dict[str, dict[str, Any]] = {
    "fully-connected": {},
    "six-fully-connected-layers": {"depth": 6, "step_size": 0.005},
    "diagonal": SINGLE,
    "convolutional": SINGLE | {"architecture": "convolutional", "depth": 3, "step_size": 0.01},
    "group": SINGLE | {"architecture": "group", "law": "fully-connected"},
}
CONTRADICTIONS = [
    (
        {"architecture": "diagonal", "samples": 11, "decay": 0.0},
        [
            "outputs: expected 1 for the architecture diagonal, found 3",
            "samples: expected at least 12, twice the inputs, so that the convex solution is certified, found 11",
            "law_decay: expected a number above 0, found `same`, which is 0",
        ],
    ),
    (SINGLE | {"law": "group", "part": 4}, ["part: expected a divisor of inputs, which is 6, found 4"]),
    (
        {"hidden": 2, "law_decay": 0.0},
        [
            "hidden: expected at least 3, the smaller one of inputs and outputs, found 2",
            "law_decay: expected a number above 0, found 0",
        ],
    ),
]

_run = partial(run_seeds, runner, SETUP)


def test_training_ends_at_the_convex_solution_with_the_cheapest_weights() -> None:
    measures = _run([0, 1]).measures

    assert float(measures["distance"].max()) < 1e-4
    assert float(measures["excess"].abs().max()) < 1e-6
    assert float(measures["objective_gap"].max()) < 1e-7
    assert float(measures["certificate"].max()) < 1e-6
    torch.testing.assert_close(measures["residual"], measures["unconverged"], rtol=1e-4, atol=1e-12)


def test_without_decay_training_ends_at_least_squares() -> None:
    """The convex problem with a vanishing penalty has the same solution, and weights are not the cheapest."""
    measures = _run([0, 1], decay=0.0, law_decay=1e-9, steps=1000, rounds=1).measures

    assert float(measures["distance"].max()) < 1e-6
    assert float(measures["excess"].min()) > 1e-3


def test_a_decay_of_half_the_size_is_noticed() -> None:
    assert float(_run([0, 1], decay=0.05, law_decay=0.1).measures["distance"].min()) > 1e-2


def test_a_run_ends_at_the_same_weights_alone_and_next_to_a_run_that_needs_longer() -> None:
    alone = [_run([seed], steps=60, rounds=12).measures for seed in (0, 1, 2)]

    together = _run([0, 1, 2], steps=60, rounds=12).measures

    for name, values in together.items():
        assert torch.equal(values, torch.cat([own[name] for own in alone])), name


def test_a_gradient_with_the_wrong_sign_of_the_decay_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Regression.gradient
    monkeypatch.setattr(Regression, "gradient", lambda self, layers, decay: right(self, layers, -decay))

    assert not float(_run([0]).measures["distance"].max()) < 0.01


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], step_size=1.0, scale=3.0).measures

    assert all(torch.isnan(measures[name]).all() for name in ("distance", "excess", "objective_gap", "learned"))
