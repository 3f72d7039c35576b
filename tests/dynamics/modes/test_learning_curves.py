"""The closed form of a mode's curve, against the logistic curve and a solver of the equation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.modes.learning_curves import mode_curves

TIMES = torch.linspace(0, 6, 40, dtype=torch.float64)


def test_two_layers_follow_the_logistic_curve() -> None:
    found = mode_curves(
        torch.tensor([[2.0, 0.7]], dtype=torch.float64), torch.tensor([[1e-3, 0.02]], dtype=torch.float64), 2, TIMES
    )

    for mode, (strength, start) in enumerate([(2.0, 1e-3), (0.7, 0.02)]):
        expected = strength / (1 + (strength / start - 1) * torch.exp(-2 * strength * TIMES))
        torch.testing.assert_close(found[0, :, mode], expected, rtol=1e-11, atol=0)


@pytest.mark.parametrize("depth", [3, 4, 5, 7])
def test_the_curve_solves_its_equation(depth: int) -> None:
    strength, start = 1.7, 0.05
    solved = solve_ivp(
        lambda _, a: depth * a ** (2 - 2 / depth) * (strength - a),
        (0, 6),
        [start],
        t_eval=TIMES.numpy(),
        rtol=1e-11,
        atol=1e-14,
    ).y[0]

    found = mode_curves(
        torch.tensor([[strength]], dtype=torch.float64), torch.tensor([[start]], dtype=torch.float64), depth, TIMES
    )

    np.testing.assert_allclose(found[0, :, 0].numpy(), solved, rtol=1e-7)


def test_a_curve_ends_at_its_strength() -> None:
    found = mode_curves(
        torch.tensor([[2.0]], dtype=torch.float64),
        torch.tensor([[0.1]], dtype=torch.float64),
        3,
        torch.tensor([0.0, 1e3], dtype=torch.float64),
    )

    np.testing.assert_allclose(found[0, :, 0].numpy(), [0.1, 2.0], rtol=1e-14)
