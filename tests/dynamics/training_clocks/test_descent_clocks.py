"""Clocks of a descent: the time of one step by hand, and readings of a clock whose law is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.training_clocks.class_means import one_hot
from dlnrepro.dynamics.training_clocks.cross_entropy import cross_entropy_gradient, cross_entropy_log_gradient
from dlnrepro.dynamics.training_clocks.descent_clocks import LEVELS, ClockedDescent, clocked_descent, read_clock
from dlnrepro.runner import silent

GENERATORS = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
X = normal((8, 10), GENERATORS)
WEIGHTS = gaussian([10, 6, 3], 0.7, GENERATORS)
HOT = one_hot(2, 8, 3)
WINDOW = (2.0, 6.0)


def _squares(slopes: list[Tensor]) -> Tensor:
    return torch.stack([(slope**2).sum((-2, -1)) for slope in slopes]).sum(0)


def test_a_normalised_step_takes_its_size_over_risk_and_squared_gradient_before_the_step() -> None:
    value, slopes = cross_entropy_log_gradient(WEIGHTS, X, HOT)

    made = clocked_descent(WEIGHTS, X, HOT, "normalised", "time", 0.05, 10, silent)

    assert made.log_risk.shape == (11, 2)
    torch.testing.assert_close(made.log_risk[0], value)
    assert torch.equal(made.clock[0], torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(made.clock[1], 0.05 / (value.exp() * _squares(slopes)), rtol=1e-12, atol=0)


def test_a_small_plain_step_lowers_the_risk_by_the_squared_gradient_times_its_time() -> None:
    risk, slopes = cross_entropy_gradient(WEIGHTS, X, HOT)

    made = clocked_descent(WEIGHTS, X, HOT, "plain", "time", 1e-6, 1, silent)

    fall = risk - made.log_risk[1].exp()
    torch.testing.assert_close(fall / made.clock[1], _squares(slopes), rtol=1e-4, atol=0)


@pytest.mark.parametrize("rule", ["plain", "normalised", "adam"])
def test_a_clock_of_steps_counts_them(rule: str) -> None:
    made = clocked_descent(WEIGHTS, X, HOT, rule, "steps", 0.01, 3, silent)  # type: ignore[arg-type]

    assert made.clock[:, 0].tolist() == [0, 1, 2, 3]


def _descent(clock: Tensor, heights: Tensor) -> ClockedDescent:
    return ClockedDescent(-heights[:, None], clock[:, None])


def _heights() -> Tensor:
    """Levels from 1.9 to 6.1, among them all that are read."""
    return torch.linspace(1.9, 6.1, 43, dtype=torch.float64)


def test_a_power_of_the_level_is_read_with_its_exponent_and_its_slowing() -> None:
    heights = _heights()

    reading = read_clock(_descent(heights**3, heights), WINDOW, 2)

    assert reading.levels.shape == (LEVELS,)
    assert float(reading.contraction) == pytest.approx(math.exp(-0.1), rel=1e-12)
    assert float(reading.slowing) == pytest.approx((6**3 - 5**3) / (3**3 - 2**3), rel=1e-12)
    assert float(read_clock(_descent((1.7 * heights).exp(), heights), WINDOW, 2).exponent) == pytest.approx(1.7)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_the_law_of_the_depth_has_no_error_and_another_one_its_difference(depth: int) -> None:
    heights = _heights()
    times = heights.exp() / heights ** (2 - 2 / depth)

    right, wrong = (read_clock(_descent(times, heights), WINDOW, one) for one in (depth, depth + 1))

    assert float(right.law_error) < 1e-12
    torch.testing.assert_close(right.law, right.times)
    assert float(wrong.law_error) == pytest.approx(2 / depth - 2 / (depth + 1))


def test_a_clock_that_never_reaches_the_last_level_or_is_lost_is_unknown() -> None:
    heights = _heights()[:30]

    reading = read_clock(_descent(heights.exp(), heights), WINDOW, 2)
    lost = read_clock(_descent(heights.exp(), torch.cat([heights[:-1], torch.tensor([torch.nan])])), WINDOW, 2)

    assert bool(reading.exponent.isnan() & reading.contraction.isnan())
    assert bool(reading.slowing.isnan())
    assert bool(lost.exponent.isnan())
    assert bool(lost.contraction.isnan())
