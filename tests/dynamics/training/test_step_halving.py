"""Descents at halved step sizes: the order of Euler's method on an equation that is solved."""

from __future__ import annotations

import math

import torch

from dlnrepro.dynamics.training.step_halving import refined_descents


def test_the_error_of_descent_halves_with_the_step_size_at_the_same_times() -> None:
    start = [torch.ones(2, 1, 1, dtype=torch.float64)]
    fractions: list[float] = []

    runs = list(refined_descents(start, lambda weights: weights, 2.0, 80, 2, 4, lambda part, _: fractions.append(part)))

    assert [size for size, _ in runs] == [0.025, 0.0125, 0.00625]
    exact = torch.exp(-torch.linspace(0, 2, 5, dtype=torch.float64))
    errors = [float((path[0][:, :, 0, 0] - exact).abs().max()) for _, path in runs]
    assert math.isclose(errors[0] / errors[1], 2, rel_tol=0.02)
    assert math.isclose(errors[1] / errors[2], 2, rel_tol=0.02)
    assert fractions == sorted(fractions)
    assert 0.9 < fractions[-1] < 1
