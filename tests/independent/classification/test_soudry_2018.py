"""Soudry et al., 1710.10345: a linear classifier grows as the hard-margin vector times the logarithm of time."""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

DRAW = np.random.default_rng(1)
TEACHER = np.array([1.0, -0.5])
POINTS = DRAW.standard_normal((10, 2))
SIGNED = POINTS * np.sign(POINTS @ TEACHER)[:, None] + 0.2 * TEACHER


def test_the_classifier_grows_as_the_hard_margin_vector_times_log_time() -> None:
    constraints = {"type": "ineq", "fun": lambda w: SIGNED @ w - 1}
    hard = minimize(lambda w: 0.5 * w @ w, 10 * TEACHER, method="SLSQP", constraints=constraints, tol=1e-12)
    assert hard.success, hard.message

    def by_log_time(log_time: float, w: np.ndarray) -> np.ndarray:
        """t times minus the gradient of the exponential risk."""
        return np.asarray(SIGNED.T @ np.exp(np.clip(log_time - SIGNED @ w, -700, 50)))

    start = np.array([0.3, 0.4])
    found = solve_ivp(by_log_time, (0, 200), start, method="Radau", rtol=1e-9, atol=1e-10, t_eval=[150, 200])
    assert found.success, found.message
    slope = (found.y[:, 1] - found.y[:, 0]) / 50
    np.testing.assert_allclose(slope, hard.x, rtol=1e-4)
    rest = found.y[:, 1] - 200 * hard.x
    assert np.linalg.norm(rest) < 10
