"""The runner of single modes: closed forms of few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.runners.modes import mode_flow as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 5,
    "hidden": 4,
    "outputs": 4,
    "strengths": [2.0, 1.2],
    "jitter": 0.1,
    "start_low": 0.02,
    "start_high": 0.05,
    "basis": "aligned",
    "layer_factor": 1.0,
    "input_spread": 1.0,
    "law_depth": 3,
    "horizon": 4.0,
    "step_size": 0.02,
    "halvings": 1,
}
SHORT: dict[str, Any] = {"horizon": 0.5}
CASES: dict[str, dict[str, Any]] = {
    "aligned": {},
    "two-wide-layers": {"depth": 2, "hidden": 7},
    "random-basis": {"basis": "random"},
    "out-of-balance": {"layer_factor": 2.0},
}
POINTS = {"time": 100, "step_size": 2}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("depth", [2, 4])
def test_the_flow_follows_the_closed_form_and_descent_to_first_order(depth: int) -> None:
    measures = _run([0, 1], depth=depth, law_depth=depth, step_size=0.01).measures

    assert float(measures["closed_form_error"].max()) < 1e-7
    torch.testing.assert_close(measures["descent_order"], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.1)


@pytest.mark.parametrize(
    "changes", [{"law_depth": 2}, {"basis": "random"}, {"layer_factor": 2.0}, {"input_spread": 4.0}]
)
def test_a_broken_hypothesis_shows(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["closed_form_error"].min()) > 0.1
    assert float((measures["descent_order"] - 1).abs().min()) > 0.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [2.0, 2.0]}, "strengths must fall strictly"),
        ({"hidden": 1}, "no more than inputs, hidden or outputs"),
        ({"start_low": 0.1}, "must lie below"),
        ({"strengths": [2.0, 0.05]}, "must lie below"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
