"""Flow in the logarithm of time, against a flow in time, and gradients against autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.classification.one_layer_flow import (
    descent_paths,
    flow_paths,
    follow_logarithm,
    risk_gradient,
)
from dlnrepro.dynamics.risks.margin_losses import LossName
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.runner import silent

SIGNED = np.array([[0.9, 0.1], [0.4, -0.5], [0.3, 0.8]])
SLOPES = {
    "logistic": lambda m: -1 / (1 + np.exp(m)),
    "exponential": lambda m: -np.exp(-m),
    "squared": lambda m: m - 1,
}


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
def test_it_is_the_flow_in_time(loss: LossName) -> None:
    rates = np.array([1.0, 0.5])
    times = np.array([-20.0, 0.0, 2.0, 4.0])
    found = follow_logarithm(SIGNED, np.array([0.3, -0.2]), loss, rates, times, 1e-10, lambda _: None)

    solved = solve_ivp(
        lambda _, w: -rates * (SLOPES[loss](SIGNED @ w) @ SIGNED) / 3,
        (0, np.exp(4.0)),
        [0.3, -0.2],
        t_eval=np.exp(times[1:]),
        method="LSODA",
        rtol=1e-10,
        atol=1e-12,
    ).y.T

    np.testing.assert_allclose(found[1:], solved, rtol=0, atol=1e-7)


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
def test_the_gradient_is_autograd_s(loss: LossName) -> None:
    signed = normal((5, 3), [torch.Generator().manual_seed(seed) for seed in range(2)])
    weights = normal((3, 1), [torch.Generator().manual_seed(seed) for seed in (4, 5)]).requires_grad_()
    margins = signed @ weights
    losses = {
        "logistic": torch.log1p(torch.exp(-margins)),
        "exponential": torch.exp(-margins),
        "squared": (1 - margins) ** 2 / 2,
    }
    (expected,) = torch.autograd.grad(losses[loss].mean(-2).sum(), weights)

    (found,) = risk_gradient(signed, loss)([weights.detach()])

    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.slow
def test_flow_and_descent_with_a_small_step_are_two_routes_to_one_path() -> None:
    sets = [SIGNED, 0.5 * SIGNED]
    starts = torch.tensor([[0.3, -0.2], [0.0, 0.1]], dtype=torch.float64)

    times, flowing = flow_paths(sets, starts, "logistic", np.ones(2), 5.0, 20, silent)
    gradient = risk_gradient(torch.from_numpy(np.stack(sets)), "logistic")
    moments, descending = descent_paths(starts, gradient, 0.01, 5.0, 20, silent)

    assert flowing.shape == (2, 20, 2)
    assert float(times[-1]) == pytest.approx(5)
    assert float(moments[-1]) == pytest.approx(5, abs=1e-4)
    assert bool((moments >= 1).all())
    assert descending.shape == (2, len(moments), 2)
    torch.testing.assert_close(descending[:, -1], flowing[:, -1], rtol=0, atol=2e-3)
