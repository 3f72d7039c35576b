"""Powers of a tail, on the exact solution of gradient flow whose gradient vanishes as a power of the gap."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.training_clocks.tail_powers import farthest_theta, tail_powers, tail_theta

TIMES = torch.logspace(0, 6, 60, dtype=torch.float64)[None]
WINDOW = (1e-6, 1e-2)


@pytest.mark.parametrize("theta", [0.75, 5 / 6])
def test_both_powers_of_an_exact_tail_are_found(theta: float) -> None:
    """D' = -D^(2 theta) has the solution D = ((2 theta - 1) t)^(-1/(2 theta - 1))."""
    gap = ((2 * theta - 1) * TIMES) ** (-1 / (2 * theta - 1))

    found, clock = tail_powers(gap, gap ** (2 * theta), TIMES, (float(gap[0, -1]), 1e-2))

    assert float(found) == pytest.approx(theta, rel=1e-12)
    assert float(clock) == pytest.approx(2 * theta - 1, rel=1e-12)


def test_a_run_that_ends_above_the_window_or_is_lost_has_no_powers() -> None:
    gap = TIMES.rsqrt()

    assert all(bool(power.isnan()) for power in tail_powers(gap, gap, TIMES, WINDOW))
    assert bool(tail_theta(gap[None], gap[None], (1e-9, 1e-8)).isnan())
    assert all(bool(power.isnan()) for power in tail_powers(gap, torch.nan * gap, TIMES, WINDOW))


def test_of_a_sweep_the_power_farthest_from_one_half_is_taken() -> None:
    gap = (1 / TIMES).expand(2, 3, -1)
    thetas = torch.tensor([[0.5, 0.8, 0.6], [0.45, 0.1, 0.7]], dtype=torch.float64)
    square = gap ** (2 * thetas[..., None])

    torch.testing.assert_close(tail_theta(gap, square, WINDOW), thetas)
    torch.testing.assert_close(farthest_theta(gap, square, WINDOW), torch.tensor([0.8, 0.1], dtype=torch.float64))


def test_a_gap_below_zero_lies_in_no_window() -> None:
    gap = torch.cat([1 / TIMES, -torch.ones(1, 5)], -1)[None]

    assert float(tail_theta(gap, gap.abs(), WINDOW)) == pytest.approx(0.5)
