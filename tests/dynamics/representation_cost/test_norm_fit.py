"""The fit of a norm to costs that are one."""

from __future__ import annotations

import numpy as np
import pytest

from dlnrepro.dynamics.representation_cost.norm_fit import fit_norm, log_norms, profile_misfits

X = np.exp(np.random.default_rng(0).normal(size=(7, 5)))


@pytest.mark.parametrize("power", [0.4, 2 / 3, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("order", [0.5, 1.0])
def test_power_order_and_factor_of_a_norm_are_found(power: float, order: float) -> None:
    costs = 3 * (X**power).sum(-1) ** (order / power)

    fit = fit_norm(costs, X)

    np.testing.assert_allclose([fit.power, fit.order, fit.factor], [power, order, 3], rtol=1e-9)
    assert fit.misfit < 1e-12


def test_the_misfit_vanishes_at_the_power_only() -> None:
    costs = (X**0.5).sum(-1)

    at_it, above, below = profile_misfits(costs, X, np.array([0.5, 1.0, 0.25]))

    assert at_it < 1e-14
    assert min(above, below) > 1e-2


def test_costs_that_are_not_a_norm_of_these_coordinates_do_not_fit() -> None:
    costs = (np.abs(np.fft.fft(X, axis=-1)) ** 0.5).sum(-1)

    assert fit_norm(costs, X).misfit > 1e-2


def test_the_norm_is_that_of_numpy_and_does_not_overflow() -> None:
    powers = np.array([3.0, 1.0])
    expected = np.log([np.linalg.norm(X, power, axis=-1) for power in powers])

    np.testing.assert_allclose(log_norms(X, powers), expected, rtol=1e-13)
    np.testing.assert_allclose(log_norms(X * 1e200, powers), expected + 200 * np.log(10), rtol=1e-13)
