"""Laws of sequential learning, against the scalar recursion and the logistic curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.modes.sequential import (
    contraction_factor,
    largest_curvature,
    next_share_exponents,
    plateau_exponents,
    time_slopes,
)
from dlnrepro.dynamics.networks.curvature import hessian, largest_eigenvalue
from dlnrepro.dynamics.networks.plain import data_of, squared_error
from dlnrepro.runner import silent


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

    low, high = plateau_exponents(strengths, torch.ones_like(strengths), 1e-6)
    assert abs(2 * power / float(low) - 1) < 1e-3
    assert abs(float(high) / float(low) - 1) < 1e-5


def test_the_share_of_the_next_mode_has_the_power_of_two_growing_modes() -> None:
    """Two modes that grow by 1 + eta sigma per step from epsilon: the second has grown by the time of the first."""
    strengths, size = (4.0, 1.5), 0.05
    first, second = (math.log(1 + size * strength) for strength in strengths)

    found = next_share_exponents(torch.tensor([strengths], dtype=torch.float64), size)

    assert float(found) == pytest.approx(2 * (1 - second / first), rel=1e-14)


def test_a_larger_variance_of_the_later_mode_changes_the_power_of_the_mixed_entries_alone() -> None:
    strengths = torch.tensor([[3.0, 1.2]], dtype=torch.float64)
    white = torch.stack(plateau_exponents(strengths, torch.ones_like(strengths), 0.05))
    other = torch.stack(plateau_exponents(strengths, torch.tensor([[1.0, 1.1]], dtype=torch.float64), 0.05))

    assert int((white == other).sum()) == 1


def test_the_largest_curvature_is_that_of_the_hessian_at_the_balanced_solution() -> None:
    finals, variances = torch.tensor([[2.0, 1.0]], dtype=torch.float64), torch.tensor([[1.5, 0.4, 3.0]]).double()
    roots = torch.diag(finals[0].sqrt())
    weights = [
        torch.cat([roots, torch.zeros(2, 1)], 1).double()[None],
        torch.cat([roots, torch.zeros(1, 2)]).double()[None],
    ]
    moment = torch.diag(variances[0])[None]
    loss = squared_error(*data_of(moment, weights[1] @ weights[0] @ moment))

    largest = largest_eigenvalue(hessian(loss, weights, silent))

    torch.testing.assert_close(largest_curvature(finals, variances, 3), largest, rtol=1e-12, atol=0)


def test_the_largest_curvature_of_white_inputs_is_twice_the_largest_singular_value() -> None:
    finals = torch.tensor([[4.0, 2.0]], dtype=torch.float64)

    assert float(largest_curvature(finals, torch.ones(1, 5, dtype=torch.float64), 3)) == 8


def test_the_factor_is_that_of_the_recursion_near_its_end() -> None:
    ratios = torch.tensor([0.3, 0.5, 0.8, 1.1], dtype=torch.float64)
    error = 1e-7
    after = (1 + error) * (1 - ratios * error) ** 2 - 1

    torch.testing.assert_close(contraction_factor(ratios, 2), after / error, rtol=0, atol=1e-6)
