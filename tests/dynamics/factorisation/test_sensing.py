"""The end of a deep network that fits one measurement, against its singular values' own equation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.factorisation.sensing import (
    escape_times,
    gap_exponents,
    random_start,
    sensed_end,
    sensed_ends,
    sensing_field,
    sensing_loss,
    sensing_start,
)
from dlnrepro.dynamics.networks.chain import largest_imbalance, product
from dlnrepro.dynamics.networks.plain import gradients
from dlnrepro.dynamics.starts.targets import rotated
from tests.runners.running import seeded

MEASURED = torch.tensor([1.1, 0.6, 0.2], dtype=torch.float64)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_end_is_that_of_the_singular_values_equation(depth: int) -> None:
    measured, value, start = MEASURED.numpy(), 2.0, 1e-2

    def velocity(_: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(-depth * values ** (2 - 2 / depth) * measured * (measured @ values - value))

    solved = solve_ivp(velocity, (0, 120), np.full(3, start), method="LSODA", rtol=1e-11, atol=1e-14).y[:, -1]

    np.testing.assert_allclose(sensed_end(MEASURED, value, start, depth).numpy(), solved, rtol=1e-7)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_ends_have_the_power_of_a_vanishing_start(depth: int) -> None:
    low, high = (sensed_end(MEASURED, 2.0, start, depth) for start in (1e-16, 1e-14))
    power = float(((high[1] / high[0]).log() - (low[1] / low[0]).log()) / np.log(100))

    assert abs(power - float(gap_exponents(MEASURED[None], depth)[0])) < 1e-3


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_first_mode_has_grown_by_the_time_of_its_escape(depth: int) -> None:
    start, pace = 1e-8, 1.1 * 2.0
    time = float(escape_times(MEASURED, 2.0, torch.tensor([start], dtype=torch.float64), depth))
    solved = solve_ivp(
        lambda _, s: depth * s ** (2 - 2 / depth) * pace, (0, 0.999 * time), [start], rtol=1e-10, atol=1e-16
    )

    assert solved.y[0, -1] > (0.5 if depth == 2 else 100 * start)
    assert float(escape_times(MEASURED, 2.0, torch.tensor([start], dtype=torch.float64), 1)) == 0


def test_the_ends_of_all_runs_are_those_of_each_run_and_start() -> None:
    measured, starts = torch.stack([MEASURED, 2 * MEASURED]), torch.tensor([0.1, 0.01], dtype=torch.float64)
    ends = sensed_ends(measured, 2.0, starts, 3)

    assert ends.shape == (2, 2, 3)
    torch.testing.assert_close(ends[1, 0], sensed_end(2 * MEASURED, 2.0, 0.1, 3), rtol=0, atol=0)
    torch.testing.assert_close((ends * measured[:, None]).sum(-1), torch.full((2, 2), 2.0, dtype=torch.float64))


def test_the_field_is_the_gradient_of_the_squared_misfit() -> None:
    sensors = rotated(3, 4, torch.stack([MEASURED, 2 * MEASURED]), seeded([0, 1])).matrix
    point = torch.ones(3, 4, dtype=torch.float64, requires_grad=True)
    (wanted,) = torch.autograd.grad(((sensors[1] * point).sum() - 1.5) ** 2 / 2, point)

    np.testing.assert_allclose(sensing_field(sensors, 1.5)(1, np.ones((3, 4))), wanted.numpy(), rtol=1e-13)


@pytest.mark.parametrize("hidden", [[], [3], [5, 4]])
def test_a_start_has_all_singular_values_alpha_in_the_modes_of_the_measurement(hidden: list[int]) -> None:
    sensor = rotated(3, 4, MEASURED.expand(2, 3), seeded([0, 1]))
    starts = torch.tensor([0.5, 0.1], dtype=torch.float64)
    layers = sensing_start(sensor, starts, hidden, seeded([2, 3]))

    torch.testing.assert_close(sensor.carried(product(layers)), starts[None, :, None].expand(2, 2, 3))
    torch.testing.assert_close(torch.linalg.svdvals(product(layers)), starts[None, :, None].expand(2, 2, 3))
    assert float(largest_imbalance(layers).max()) < 1e-14


def test_the_loss_of_a_network_has_the_gradient_of_the_field() -> None:
    sensors = rotated(3, 4, torch.stack([MEASURED, 2 * MEASURED]), seeded([0, 1])).matrix
    matrices = torch.ones(2, 3, 4, dtype=torch.float64)

    (slopes,) = gradients(sensing_loss(sensors, 1.5), [matrices])

    for run in range(2):
        np.testing.assert_allclose(sensing_field(sensors, 1.5)(run, matrices[run].numpy()), slopes[run], rtol=1e-13)


def test_a_random_start_is_one_draw_at_every_scale() -> None:
    starts = torch.tensor([1e-3, 1e-6], dtype=torch.float64)
    layers = random_start([4, 5, 6, 3], starts, seeded([0, 1]))

    whole = product(layers)

    assert [layer.shape[2:] for layer in layers] == [(5, 4), (6, 5), (3, 6)]
    torch.testing.assert_close(whole[:, 0] / whole[:, 1], torch.full((2, 3, 4), 1e3, dtype=torch.float64))
