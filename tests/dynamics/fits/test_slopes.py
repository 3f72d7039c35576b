"""Rates and powers of series whose law is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.fits.slopes import (
    log_slope,
    slope,
    windowed_ratio,
    windowed_slope,
    within,
    zero_of_line,
)


def test_an_exponential_has_its_rate_and_a_power_its_exponent() -> None:
    times = torch.linspace(1, 30, 60, dtype=torch.float64).expand(2, -1)
    values = torch.stack([3 * torch.exp(-0.7 * times[0]), 5 * times[1] ** -1.5])

    everywhere = torch.ones_like(values, dtype=torch.bool)

    assert math.isclose(float(log_slope(times, values, everywhere)[0]), -0.7, rel_tol=1e-12)
    assert math.isclose(float(log_slope(times.log(), values, everywhere)[1]), -1.5, rel_tol=1e-12)


def test_only_the_points_inside_count() -> None:
    times = torch.linspace(0, 10, 41, dtype=torch.float64)[None]
    values = torch.where(times < 5, torch.exp(-times), torch.exp(-5 - 3 * (times - 5)))

    early = log_slope(times, values, times < 5)

    assert math.isclose(float(early[0]), -1.0, rel_tol=1e-12)


def test_a_series_that_never_comes_to_the_window_has_slope_zero() -> None:
    values = torch.ones(1, 20, dtype=torch.float64)
    inside = torch.zeros(1, 20, dtype=torch.bool)
    inside[0, :7] = True

    assert float(log_slope(values, values, inside)[0]) == 0


def test_a_series_that_is_not_finite_has_no_slope() -> None:
    values = torch.ones(2, 20, dtype=torch.float64)
    values[0, 3] = torch.nan
    times = torch.arange(20, dtype=torch.float64).expand(2, -1)

    slopes = log_slope(times, values, torch.ones_like(values, dtype=torch.bool))

    assert torch.isnan(slopes).tolist() == [True, False]


def test_the_slope_of_a_power_law_is_its_exponent() -> None:
    x = torch.linspace(0, 5, 40, dtype=torch.float64).expand(2, -1)
    power = torch.tensor([[-2.0], [0.5]], dtype=torch.float64)
    torch.testing.assert_close(slope(x, 3 + power * x), power[:, 0])


def test_a_slope_is_that_of_the_least_squares_line() -> None:
    source = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 3, 25, generator=source, dtype=torch.float64)

    expected = [np.polyfit(across.numpy(), along.numpy(), 1)[0] for across, along in zip(x, y, strict=True)]

    np.testing.assert_allclose(slope(x, y).numpy(), expected, rtol=1e-12)


def test_there_is_no_slope_where_x_is_constant() -> None:
    assert math.isnan(float(slope(torch.ones(4, dtype=torch.float64), torch.arange(4, dtype=torch.float64))))


def test_slopes_are_of_the_window_and_undefined_without_one() -> None:
    x = torch.logspace(0, 10, 41, dtype=torch.float64)
    y = torch.where(x < 1e3, 1.0, 5 * x**-2)

    assert float(windowed_slope(x, y, x >= 1e3)) == pytest.approx(-2, rel=1e-12)
    assert math.isnan(float(windowed_slope(x, y, x > 1e20)))
    assert math.isnan(float(windowed_slope(torch.full_like(x, 7.0), y, x >= 1e3)))
    y[3] = torch.nan
    assert math.isnan(float(windowed_slope(x, y, x >= 1e3)))


def test_the_ratio_is_the_worst_of_the_window_on_either_side() -> None:
    law = torch.tensor(2.0, dtype=torch.float64)
    value = torch.tensor([9.0, 2.1, 1.6, 2.2], dtype=torch.float64)
    inside = torch.tensor([False, True, True, True])

    assert float(windowed_ratio(value, law, inside)) == pytest.approx(0.8)
    assert math.isnan(float(windowed_ratio(value, law, torch.zeros(4, dtype=torch.bool))))
    assert math.isnan(float(windowed_ratio(value * torch.nan, law, inside)))


def test_a_line_is_zero_where_it_crosses_and_at_the_last_point_if_it_is_level() -> None:
    x = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)

    zeros = zero_of_line(x, torch.stack([1 - 2 * x, torch.full_like(x, 3.0)]))

    torch.testing.assert_close(zeros, torch.tensor([0.5, 2.0], dtype=torch.float64), rtol=1e-15, atol=0)


def test_a_window_holds_its_ends() -> None:
    values = torch.tensor([0.9, 1.0, 1.5, 2.0, 2.1, math.nan], dtype=torch.float64)

    assert within(values, (1.0, 2.0)).tolist() == [False, True, True, True, False, False]
