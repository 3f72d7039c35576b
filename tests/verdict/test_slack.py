"""The slack of a criterion: the factor between its threshold and the worst run."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from dlnrepro.claimfile.interval import interval
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.outcome import Outcome
from dlnrepro.verdict.slack import slack


@pytest.mark.parametrize(
    ("bounds", "values", "expected"),
    [
        ({"at_most": 1e-6}, [1e-9, 1e-8], 100.0),
        ({"below": 1e-6}, [0.0, 1e-8], 100.0),
        ({"at_most": 1e-6}, [2e-6, 1e-8], 0.5),
        ({"at_most": 1e-6}, [0.0, 0.0], math.inf),
        ({"at_most": 1e-6}, [-3.0, 1e-8], 100.0),
        ({"at_most": 1e-6}, [-3.0, -1e-8], None),
        ({"at_most": 0.0}, [-3.0, -1e-8], None),
        ({"above": 0.0}, [3.0], None),
        ({"at_least": 2.0}, [8.0, 10.0], 4.0),
        ({"above": 2.0}, [1.0, 10.0], 0.5),
        ({"at_least": 2.0}, [-1.0, 10.0], 0.0),
        ({"at_least": -1e-9}, [-1e-12, 5.0], 1000.0),
        ({"at_least": -1e-9}, [1e-12, 5.0], None),
        ({"at_most": -2.0}, [-8.0, -10.0], 4.0),
        ({"equals": 1.0, "within": 0.5}, [1.125, 1.0], 4.0),
        ({"equals": -1.0, "within": 0.5}, [-1.25], 2.0),
        ({"equals": 0.0, "within": 0.5}, [0.0, 0.0], math.inf),
        ({"equals": 3.0, "within": 0.0}, [3.0], None),
        ({"equals": 3.0, "within": 0.0}, [4.0], 0.0),
        ({"at_least": 1.0, "at_most": 2.0}, [1.5, 1.75], 2.0),
        ({"at_least": 0.0, "at_most": 2.0}, [0.0, 0.5], 4.0),
        ({"above": -2.0, "at_most": 0.0}, [-0.5], 4.0),
        ({"at_least": -1.0, "at_most": 2.0}, [0.5, 1.25], 2.0),
        ({"at_most": 1e-6}, [], None),
    ],
)
def test_the_slack_is_the_smallest_factor_between_threshold_and_run(
    bounds: dict[str, float], values: list[float], expected: float | None
) -> None:
    found = slack((interval(**bounds), value) for value in values)
    assert found == (expected if expected is None else pytest.approx(expected))


def test_each_run_is_compared_with_its_own_interval() -> None:
    assert slack([(interval(at_most=1.0), 0.5), (interval(at_most=9.0), 3.0)]) == 2.0


def test_a_judged_criterion_has_its_slack_and_an_unmeasured_one_has_none(write_claim: Callable[..., object]) -> None:
    claim = read_claim(write_claim())  # type: ignore[arg-type]
    numbers = {"near": Outcome((0, 1), {"value": [1.0, 1.025], "noise": [0.0, 1e-4]})}
    verdict = judge(claim, numbers)
    assert verdict.criteria[0].slack == pytest.approx(4.0)
    assert verdict.assumptions[0].slack == pytest.approx(100.0)
    assert judge(claim, {}).criteria[0].slack is None
