"""Tan et al., 2606.05863: the clock of plain descent, and the clock of weight decay."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp


@pytest.mark.parametrize("depth", [2, 3])
def test_plain_descent_has_a_polynomial_clock(depth: int) -> None:
    def by_log_time(log_time: float, weights: np.ndarray) -> np.ndarray:
        """t times minus the gradient of ln(1 + exp(-w_1 ... w_L))."""
        margin = weights.prod()
        return np.asarray(np.exp(log_time - np.logaddexp(0, margin)) * margin / weights)

    def reaches(level: float) -> float:
        def event(_time: float, weights: np.ndarray) -> float:
            return float(np.log(np.logaddexp(0, -weights.prod())) - np.log(level))

        event.terminal = True  # type: ignore[attr-defined]
        start = np.linspace(0.6, 0.7, depth)
        found = solve_ivp(by_log_time, (-5, 60), start, method="LSODA", rtol=1e-10, atol=1e-12, events=event)
        return float(np.exp(found.t_events[0][0]))

    scaled = [reaches(level) * level * np.log(1 / level) ** (2 - 2 / depth) for level in (1e-8, 1e-12)]
    assert scaled[1] / scaled[0] == pytest.approx(1, abs=0.05)
    assert scaled[1] == pytest.approx(1 / depth, rel=0.1)


def test_weights_that_the_data_do_not_need_decay_on_the_clock_of_weight_decay() -> None:
    times = []
    for decay in (0.2, 0.1):
        weight = torch.nn.Parameter(torch.tensor([1.0, 1.0], dtype=torch.float64))
        optimiser = torch.optim.SGD([weight], lr=0.1, weight_decay=decay)
        steps = 0
        while float(weight[1].detach()) > 0.01:
            optimiser.zero_grad()
            torch.nn.functional.softplus(-5 * weight[0]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            steps += 1
        times.append(steps)
    assert times[1] / times[0] == pytest.approx(2, rel=0.02)
