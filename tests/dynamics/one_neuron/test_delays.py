"""The laws of the escape times against the equation of the strength on its clock, which contains no saddle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.one_neuron.closed_form import half_mode_time
from dlnrepro.dynamics.one_neuron.delays import (
    crowding,
    delay_power,
    delay_slope,
    distance_units,
    log_delays,
    predicted_delays,
    small_start_factor,
    small_start_ratio,
)
from dlnrepro.dynamics.one_neuron.oja import linear_modes
from dlnrepro.dynamics.one_neuron.start import Pair, axis_pair, draw_pair, tilted
from dlnrepro.dynamics.starts.targets import Target, diagonal

STRENGTHS = (2.5, 1.5, 0.4, 0.1)


def a_target() -> Target:
    return diagonal(4, 5, torch.tensor([STRENGTHS], dtype=torch.float64))


def delay(pair: Pair, start: float, depth: int) -> float:
    """When W has half of sigma_1 in mode 1, by a solver of ln(s) and t on the clock tau, the directions being known."""
    growth, parts = (tensor[0].numpy() for tensor in linear_modes(a_target().strengths, pair))
    sigma = np.array(STRENGTHS)

    def directions(clock: float) -> tuple[np.ndarray, np.ndarray]:
        grown = parts * np.exp(growth * clock)
        grown = grown / np.sqrt(grown @ grown)
        return grown[:4] + grown[4:8], grown[:4] - grown[4:8]

    def velocity(clock: float, state: np.ndarray) -> list[float]:
        left, right = directions(clock)
        return [depth * (float(sigma @ (left * right)) - math.exp(state[0])), math.exp(state[0] * (2 / depth - 1))]

    def passage(clock: float, state: np.ndarray) -> float:
        left, right = directions(clock)
        return float(math.exp(state[0]) * left[0] * right[0] - sigma[0] / 2)

    event: Any = passage
    event.terminal, event.direction = True, 1.0
    solution = solve_ivp(velocity, (0, 100), [math.log(start), 0.0], "DOP853", rtol=1e-9, atol=1e-12, events=event)
    return float(solution.y_events[0][0, 1])


def generic(missing: int) -> Pair:
    return draw_pair(a_target(), missing, (0.3, 5.0), [torch.Generator().manual_seed(3)])


def opposed(tilt: float) -> Pair:
    pair = axis_pair(a_target(), 1, 1, -1.0)
    for vector, size in ((pair.left, 0.5 * tilt), (pair.right, tilt)):
        vector[:, 1] = size
        vector[:, 0] *= math.sqrt(1 - size**2)
    return pair


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_delay_at_a_saddle_has_its_slope(depth: int) -> None:
    long, short = (delay(tilted(generic(1), tilt), 1.0, depth) for tilt in (1e-9, 1e-6))

    expected = float(delay_slope("saddle", a_target().strengths, depth))
    assert (long - short) / math.log(1e3) == pytest.approx(expected, rel=1e-4)
    assert float(delay_power("saddle", a_target().strengths, depth)) == 0


def test_a_small_start_of_two_layers_has_its_slope() -> None:
    long, short = (delay(generic(0), start, 2) for start in (1e-14, 1e-11))

    expected = float(delay_slope("small", a_target().strengths, 2))
    assert (long - short) / math.log(1e3) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_a_small_start_of_more_layers_has_its_power_and_its_constant(depth: int) -> None:
    pair, start = generic(0), 1e-12
    power = float(delay_power("small", a_target().strengths, depth))
    factor = float(small_start_factor(a_target().strengths, pair, depth))

    expected = factor * start**-power

    assert delay(pair, start, depth) == pytest.approx(expected, rel=2e-3)
    assert math.isinf(float(delay_slope("small", a_target().strengths, depth)))


@pytest.mark.parametrize("depth", [3, 5])
def test_the_constant_of_an_aligned_start_is_known(depth: int) -> None:
    factor = small_start_factor(a_target().strengths, axis_pair(a_target(), 1, 1, 1.0), depth)

    assert float(factor) == pytest.approx(1 / ((depth - 2) * STRENGTHS[0]), rel=1e-9)


@pytest.mark.parametrize(("second", "slope"), [(1.5, 1.0), (0.7, 0.8)])
def test_an_opposed_start_of_two_layers_has_the_slope_of_its_regime(
    second: float, slope: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 / (sigma_1 - sigma_2), but 2 / sigma_1 where sigma_1 > 2 sigma_2."""
    monkeypatch.setattr(f"{__name__}.STRENGTHS", (2.5, second, 0.4, 0.1))

    long, short = (delay(opposed(tilt), 0.5, 2) for tilt in (1e-5, 1e-4))

    assert (long - short) / math.log(10) == pytest.approx(slope, rel=1e-3)
    assert float(delay_slope("opposed", a_target().strengths, 2)) == pytest.approx(slope, rel=1e-12)


@pytest.mark.parametrize("depth", [3, 4])
def test_an_opposed_start_of_more_layers_has_its_power(depth: int) -> None:
    power = float(delay_power("opposed", a_target().strengths, depth))
    long, short = (delay(opposed(tilt), 0.5, depth) for tilt in (1e-6, 1e-5))

    assert math.log10(long / short) == pytest.approx(power, abs=0.01)


def test_a_delay_of_a_small_start_is_its_law_up_to_a_ratio_near_one() -> None:
    pair, start = generic(0), 1e-12
    times, scales = (torch.tensor([value], dtype=torch.float64) for value in (delay(pair, start, 3), start))

    assert float(small_start_ratio(a_target().strengths, pair, 3, scales, times)) == pytest.approx(1, rel=2e-3)
    assert torch.isnan(small_start_ratio(a_target().strengths, pair, 2, scales, times)).all()


@pytest.mark.parametrize("depth", [2, 4])
def test_the_predicted_delays_at_a_saddle_are_those_of_the_solver(depth: int) -> None:
    scales = [1e-5, 1e-7, 1e-9]
    times = torch.tensor([[delay(tilted(generic(1), tilt), 1.0, depth) for tilt in scales]], dtype=torch.float64)
    law = predicted_delays("saddle", a_target().strengths, depth, torch.tensor([scales], dtype=torch.float64), times)

    assert float(law[0, -1]) == float(times[0, -1])
    torch.testing.assert_close(law, times, rtol=1e-3, atol=0)


def test_the_predicted_delays_of_a_small_start_of_three_layers_are_a_power_through_the_last_one() -> None:
    scales = torch.tensor([[1e-3, 1e-6]], dtype=torch.float64)
    delays = torch.tensor([[7.0, 50.0]], dtype=torch.float64)
    law = predicted_delays("small", a_target().strengths, 3, scales, delays)

    torch.testing.assert_close(law, torch.tensor([[5.0, 50.0]], dtype=torch.float64), rtol=1e-12, atol=0)


def test_a_run_that_leaves_at_once_everywhere_has_the_logarithm_zero() -> None:
    delays = torch.tensor([[0.0, 0.0], [1.0, math.e], [0.0, 1.0]], dtype=torch.float64)

    assert log_delays(delays).tolist() == [[0.0, 0.0], [0.0, 1.0], [-math.inf, 0.0]]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_escape_time_of_the_closed_form_is_that_of_a_solver_of_the_strength(depth: int) -> None:
    start = torch.tensor([0.01], dtype=torch.float64)
    found = half_mode_time(a_target().strengths, generic(0), start, depth)

    assert float(found) == pytest.approx(delay(generic(0), 0.01, depth), rel=1e-7)


def test_the_escape_time_of_the_closed_form_is_zero_for_a_start_that_has_escaped_and_nan_without_mode_1() -> None:
    strengths, large = a_target().strengths, torch.tensor([2.0], dtype=torch.float64)

    assert float(half_mode_time(strengths, axis_pair(a_target(), 1, 1, 1.0), large, 3)) == 0
    assert torch.isnan(half_mode_time(strengths, axis_pair(a_target(), 2, 2, 1.0), large, 3)).all()


def test_the_slope_at_a_saddle_holds_below_the_unit_even_if_mode_3_is_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.STRENGTHS", (2.5, 1.5, 1.4, 0.1))
    unit = float(distance_units("saddle", a_target().strengths, generic(1), 3))

    long, short = (delay(tilted(generic(1), unit * part), 1.0, 3) for part in (1e-3, 1.0))

    assert unit < 1e-3
    assert (long - short) / math.log(1e3) == pytest.approx(
        float(delay_slope("saddle", a_target().strengths, 3)), rel=5e-4
    )


def test_a_power_law_has_the_unit_one() -> None:
    assert float(distance_units("small", a_target().strengths, generic(0), 3)) == 1
    assert float(distance_units("opposed", a_target().strengths, opposed(1e-3), 2)) == 1


@pytest.mark.parametrize("depth", [2, 3])
def test_the_crowding_falls_with_the_tilt_and_is_large_where_the_third_mode_is_close(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(tilt: float) -> float:
        pair = opposed(tilt)
        pair.left[:, 2] = pair.right[:, 2] = tilt
        return float(crowding(a_target().strengths, pair, depth))

    assert of(1e-5) < of(1e-4) < 0.1
    monkeypatch.setattr(f"{__name__}.STRENGTHS", (2.5, 1.5, 1.49, 0.1))
    assert of(1e-4) > 0.5
