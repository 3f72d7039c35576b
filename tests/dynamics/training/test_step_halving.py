"""Descents at halved step sizes: the order of Euler's method on an equation that is solved."""

from __future__ import annotations

import math

import pytest
import torch

from dlnrepro.dynamics.training.step_halving import coarsest_steps, measured_descents, refined_descents
from dlnrepro.runner import silent


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


def test_measurements_of_the_descents_come_with_their_step_sizes() -> None:
    start = [torch.ones(2, 1, 1, dtype=torch.float64)]

    sizes, measured = measured_descents(
        start, lambda weights: weights, 2.0, 80, 1, 4, silent, lambda path: {"end": path[0][:, -1, 0, 0]}
    )

    assert sizes.tolist() == [0.025, 0.0125]
    expected = torch.tensor([[0.975**80, 0.9875**160]] * 2, dtype=torch.float64)
    torch.testing.assert_close(measured["end"], expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("step_size", "steps"), [(0.1, 20), (0.13, 16), (5.0, 4)])
def test_the_coarsest_descent_has_about_the_asked_step_size_and_as_many_steps_as_its_records_need(
    step_size: float, steps: int
) -> None:
    assert coarsest_steps(2.0, step_size, 4) == steps
