"""Gidel, Bach, Lacoste-Julien, 1904.13262: two layers learn the modes in turn, and what the step size does."""

from __future__ import annotations

import math

import numpy as np
import pytest

TARGET = np.diag([3.0, 1.5, 0.75])
STEP = 0.02


def learning_times(scale: float, seed: int) -> list[float]:
    """The step at which each mode is half learned, between two steps by a straight line."""
    draw = np.random.default_rng(seed)
    first, second = scale * draw.standard_normal((4, 3)), scale * draw.standard_normal((3, 4))
    times, last = [math.nan] * 3, np.zeros(3)
    for step in range(1, 2500):
        error = second @ first - TARGET
        first, second = first - STEP * second.T @ error, second - STEP * error @ first.T
        now = np.diag(second @ first) / np.diag(TARGET)
        for mode in range(3):
            if last[mode] < 0.5 <= now[mode] and math.isnan(times[mode]):
                times[mode] = step - 1 + (0.5 - last[mode]) / (now[mode] - last[mode])
        last = now
    return times


def test_learning_times_grow_with_the_inverse_scale_at_the_rate_of_each_mode() -> None:
    late, early = learning_times(1e-5, 1), learning_times(1e-3, 1)
    for mode, strength in enumerate(np.diag(TARGET)):
        slope = (late[mode] - early[mode]) / math.log(100)
        assert slope == pytest.approx(1 / math.log(1 + STEP * strength), rel=0.01)
    assert late[0] < late[1] / 1.5 < late[2] / 2.25


@pytest.mark.parametrize(("step_size", "turns"), [(0.1, False), (0.4, True)])
def test_the_strongest_mode_nears_its_solution_by_the_factor_of_the_step_size(step_size: float, turns: bool) -> None:
    strength, first, second = 2.0, 1.414, 1.414
    errors = []
    for _ in range(8):
        error = second * first - strength
        errors.append(error)
        first, second = first - step_size * second * error, second - step_size * error * first
    assert errors[5] / errors[4] == pytest.approx(1 - 2 * step_size * strength, abs=1e-3)
    assert (errors[5] / errors[4] < 0) == turns
