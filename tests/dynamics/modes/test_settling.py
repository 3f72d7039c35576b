"""The factor by which a step multiplies an error."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.modes.settling import settling_factors


def test_a_geometric_error_has_its_factor_whatever_comes_before_the_window() -> None:
    steps = torch.arange(40, dtype=torch.float64)
    errors = torch.stack([0.5**steps, (-0.6) ** steps])[None]
    errors[..., :5] = 1.0

    factors = settling_factors(errors, (1e-9, 1e-2))

    torch.testing.assert_close(factors, torch.tensor([[0.5, -0.6]], dtype=torch.float64), rtol=1e-12, atol=0)


def test_without_an_error_in_the_window_and_for_a_diverging_descent_the_factor_is_nan() -> None:
    level, lost = torch.ones(9, dtype=torch.float64), torch.full((9,), torch.inf, dtype=torch.float64)

    factors = settling_factors(torch.stack([level, lost])[None], (1e-9, 1e-2))

    assert bool(torch.isnan(factors).all())
