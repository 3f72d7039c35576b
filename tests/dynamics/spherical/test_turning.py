"""The fall of an angle along the flow, read from paths whose angle and norm are known functions of time."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.spherical.turning import turning
from dlnrepro.dynamics.training.time_panels import log_panels

GRID = log_panels(8.0, 40, 3)
PULL = torch.tensor([0.4], dtype=torch.float64)


def test_a_predictor_that_turns_at_the_rate_of_the_clock_has_no_identity_error() -> None:
    norm = torch.tensor([[1.5], [0.7]], dtype=torch.float64) * torch.ones_like(GRID.times)
    speed = torch.tensor([[1.5 ** (1 / 3)], [0.7 ** (1 / 3)]], dtype=torch.float64)  # |w|^(1-2/L) for L = 3
    found = turning(GRID, 0.2 + 0.4 * speed * GRID.times, norm, depth=3, pulls=PULL.expand(2))

    assert float(found.identity_error.max()) < 1e-13
    torch.testing.assert_close(found.rate, 0.4 * speed[:, 0], rtol=1e-12, atol=0)
    torch.testing.assert_close(found.turned, found.predicted, rtol=1e-12, atol=1e-12)


def test_the_identity_error_is_relative_to_the_whole_turn() -> None:
    cotangent = (0.2 + 0.5 * GRID.times)[None]
    found = turning(GRID, cotangent, torch.ones_like(cotangent), depth=2, pulls=PULL)

    torch.testing.assert_close(found.identity_error, torch.tensor([0.25], dtype=torch.float64))


def test_powers_of_time_and_of_the_norm_are_found() -> None:
    angle = 0.01 * (1e-3 + GRID.times)[None] ** -0.5
    found = turning(GRID, -torch.log(torch.tan(angle / 2)), angle**-0.5, depth=2, pulls=PULL)

    torch.testing.assert_close(found.angle, GRID.at_ends(angle), rtol=1e-12, atol=0)
    torch.testing.assert_close(found.power, torch.tensor([0.5], dtype=torch.float64), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.power_growth, torch.tensor([1.0], dtype=torch.float64), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.norm_power, torch.tensor([2.0], dtype=torch.float64), rtol=1e-10, atol=0)


def test_an_angle_that_rises_before_has_no_growth_of_its_power() -> None:
    angle = torch.where(GRID.times < 4, 0.1 + 0.01 * GRID.times, 1 / (1 + GRID.times))[None]
    found = turning(GRID, -torch.log(torch.tan(angle / 2)), torch.ones_like(angle), depth=2, pulls=PULL)

    assert float(found.power) > 0
    assert bool(torch.isnan(found.power_growth).all())
