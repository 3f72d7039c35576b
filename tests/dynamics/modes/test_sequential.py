"""Laws of sequential learning, against the scalar recursion and the logistic curve."""

from __future__ import annotations

import math

import numpy as np
import torch

from dlnrepro.dynamics.modes.sequential import contraction_factor, plateau_exponents, time_slopes


def _half_time(start: float, rate: float) -> float:
    """The time in steps at which w <- w (1 + rate (1 - w))^2 passes 1/2, between steps by the logarithm."""
    now, step = start, 0
    while True:
        after = now * (1 + rate * (1 - now)) ** 2
        if after > 0.5:
            return step + math.log(0.5 / now) / math.log(after / now)
        now, step = after, step + 1


def test_learning_times_of_the_recursion_have_the_slope() -> None:
    """The rate is eta sigma: with w in units of sigma / lambda the recursion depends on nothing else."""
    early, late = _half_time(1e-10, 0.2), _half_time(1e-26, 0.2)
    slope = (late - early) / (math.log(1e26) / 2 - math.log(1e10) / 2)

    found = time_slopes(torch.tensor([[4.0]], dtype=torch.float64), 0.05)

    assert abs(slope / float(found) - 1) < 1e-3


def test_the_plateau_s_power_is_that_of_two_logistic_curves() -> None:
    strengths = torch.tensor([[3.0, 1.2]], dtype=torch.float64)
    starts, nearest = np.array([1e-12, 1e-18]), []
    times = np.linspace(0, 20, 200_001)
    for start in starts:
        curves = [s / (1 + (s / start - 1) * np.exp(-2 * s * times)) for s in (3.0, 1.2)]
        nearest.append(np.sqrt((curves[0] - 3.0) ** 2 + curves[1] ** 2).min())
    power = math.log(nearest[1] / nearest[0]) / math.log(starts[1] / starts[0])

    assert abs(2 * power / float(plateau_exponents(strengths)) - 1) < 1e-3


def test_the_factor_is_that_of_the_recursion_near_its_end() -> None:
    ratios = torch.tensor([0.3, 0.5, 0.8, 1.1], dtype=torch.float64)
    error = 1e-7
    after = (1 + error) * (1 - ratios * error) ** 2 - 1

    torch.testing.assert_close(contraction_factor(ratios, 2), after / error, rtol=0, atol=1e-6)
