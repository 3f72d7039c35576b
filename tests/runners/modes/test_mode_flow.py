"""The runner of single modes: closed forms of few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.runners.modes import mode_flow as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("sigmoidal-mode-dynamics", strengths=[2.0, 1.2], start=[0.02, 0.05])
SHORT: dict[str, Any] = {"horizon": 0.5}
CASES: dict[str, dict[str, Any]] = {
    "aligned": {},
    "two-wide-layers": {"depth": 2, "hidden": 7},
    "random-basis": {"basis": "random"},
    "out-of-balance": {"layer_factor": 2.0},
}
CONTRADICTIONS = [
    (
        {"strengths": [2.0, 2.0], "start": [0.1, 0.05]},
        [
            "strengths: expected values that fall strictly, found [2, 2]",
            "start: expected a range [low, high], found [0.1, 0.05]",
        ],
    ),
    ({"hidden": 1}, ["strengths: expected at most 1 value, as many as hidden, found 2 values"]),
    (
        {"strengths": [2.0, 0.05]},
        ["start: expected a range below 0.045, the smallest strength that can be drawn, found [0.02, 0.05]"],
    ),
]
POINTS = {"time": 100, "step_size": 2}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 4])
def test_the_flow_follows_the_closed_form_and_descent_to_first_order(depth: int) -> None:
    measures = _run([0, 1], depth=depth, step_size=0.01).measures

    assert float(measures["closed_form_error"].max()) < 1e-7
    torch.testing.assert_close(measures["descent_order"], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"law_depth": 2}, {"basis": "random"}, {"layer_factor": 2.0}, {"input_spread": 4.0}]
)
def test_a_broken_hypothesis_shows(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["closed_form_error"].min()) > 0.1
    assert float((measures["descent_order"] - 1).abs().min()) > 0.5
