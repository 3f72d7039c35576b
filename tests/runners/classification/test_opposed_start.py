"""The runner of starts against the data: both sides of the axis."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.runners.classification import opposed_start as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("opposed-start-never-learns", pairs=6, horizon=3000.0)
SHORT: dict[str, Any] = {"horizon": 10.0, "points": 30}
CASES: dict[str, dict[str, Any]] = {
    "opposed": {},
    "favourable-and-tilted": {"side": "favourable", "tilt": 0.3},
    "exponential-loss": {"depth": 4, "loss": "exponential"},
}
CONTRADICTIONS = [
    ({"start": [3.0, 2.0]}, ["start: expected a range [low, high], found [3, 2]"]),
    ({"law_depth": 2}, ["law_depth: expected `same` or a whole number from 3 to 8, found 2"]),
    ({"depth": 2}, ["law_depth: expected a number from 3 to 8 for `depth: 2`, which has no such law, found 'same'"]),
]

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("changes", [{}, {"depth": 4}, {"loss": "exponential"}, {"hidden": 1}])
def test_an_opposed_start_shrinks_to_zero_by_the_law(changes: dict[str, Any]) -> None:
    found = _run([0, 1], **changes).measures

    assert float(found["start_excess"].min()) > 0.1
    assert float(found["least_excess"].min()) > 0
    assert float(found["end_excess"].max()) < 1e-5
    assert float(found["exponent_gap"].abs().max()) < 0.03
    torch.testing.assert_close(found["collapse_ratio"], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.005)


def test_on_the_other_side_or_at_an_angle_to_the_axis_it_learns() -> None:
    for changes in ({"side": "favourable"}, {"tilt": 0.1}):
        assert float(_run([0, 1], **changes).measures["end_excess"].max()) < -3, changes


def test_the_logistic_risk_s_slope_at_zero_is_half_the_exponential_one_s() -> None:
    """Late on the axis the two flows differ by a factor of two in time alone."""
    one, two = _run([0], loss="exponential"), _run([0], horizon=6000.0)

    torch.testing.assert_close(one.series["norm"][:, -1], two.series["norm"][:, -1], rtol=2e-3, atol=0)
