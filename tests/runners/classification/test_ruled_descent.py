"""The runner of descents by rule: both sides of the rule, and bad settings."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.runners.classification import ruled_descent as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "data": "separable",
    "dimension": 4,
    "samples": 40,
    "gap": 0.15,
    "depth": 2,
    "width": 5,
    "scale": 0.8,
    "factor": 1.0,
    "steps": 300,
}
SHORT: dict[str, Any] = {"steps": 60}
CASES: dict[str, dict[str, Any]] = {
    "separable": {},
    "flipped": {"depth": 3, "data": "flipped"},
    "beyond-the-rule": {"factor": 5000.0, "samples": 37},
}

_run = partial(run_seeds, runner, SETUP)


def test_by_the_rule_descent_obeys_smoothness_and_stays_beside_the_flow() -> None:
    found = _run([0, 1, 2]).measures

    assert float(found["start_excess"].max()) <= 0
    assert float(found["worst_fall"].max()) < -0.99
    assert float(found["drift_over_bound"].max()) < 1
    assert float(found["flow_distance"].max()) < 5e-3
    assert float(found["gap_distance"].max()) < 5e-3


def test_the_distance_from_the_flow_is_of_first_order_in_the_step() -> None:
    """Half of the steps of the rule, twice as many: half of the distance at about the same time."""
    whole, half = _run([0, 1, 2], steps=200), _run([0, 1, 2], steps=400, factor=0.5)

    torch.testing.assert_close(half.measures["time"], whole.measures["time"], rtol=0.01, atol=0)
    quotient = whole.measures["flow_distance"] / half.measures["flow_distance"]
    torch.testing.assert_close(quotient, torch.full_like(quotient, 2.0), rtol=0.03, atol=0)


def test_far_beyond_the_rule_nothing_of_this_holds_and_all_is_finite() -> None:
    found = _run([0, 1, 2], factor=1e4, scale=1.0).measures

    assert float(found["worst_fall"].min()) > -0.5
    assert float(found["drift_over_bound"].min()) > 1
    assert float(found["flow_distance"].min()) > 0.5
    assert all(bool(value.isfinite().all()) for value in found.values())


@pytest.mark.parametrize(
    ("changes", "words"), [({"depth": 1}, "greater than or equal to 2"), ({"factor": 0.0}, "greater than 0")]
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
