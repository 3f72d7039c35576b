"""Angles without cancellation, and the bounds against the motion in the plane solved by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.spherical.bounds import (
    clock_rate,
    doubled_bound,
    log_cotangent,
    norm_bounds,
    share_of_bound,
    turning_point,
)
from dlnrepro.dynamics.spherical.symmetric_inputs import plain_inputs, radial_pull, teacher_pull

CIRCLE = plain_inputs("sphere", 2)
TIMES = np.concatenate([[0.0], 30 * 10 ** np.linspace(-4, 0, 300)])


def motion(depth: int, norm: float, angle: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Y and |w| along the flow, from the two equations for angle and norm on the circle."""
    pull, g = teacher_pull(CIRCLE), radial_pull(CIRCLE)

    def velocity(_: float, state: np.ndarray) -> list[float]:
        turned, size = state
        rate = size ** (1 - 2 / depth)
        return [pull * rate, depth * size * rate * (pull * math.tanh(turned) - g(size))]

    start = [-math.log(math.tan(angle / 2)), norm]  # cos(theta) = tanh(Y)
    path = solve_ivp(velocity, (0, 30), start, "DOP853", TIMES, rtol=1e-12, atol=1e-14).y
    return torch.from_numpy(path[0].copy()), torch.from_numpy(path[1].copy())


@pytest.mark.parametrize("angle", [1e-30, 1e-9, 0.3, math.pi / 2, 2.0, 3.1])
def test_the_logarithm_of_the_cotangent_knows_tiny_angles(angle: float) -> None:
    predictor = 2.5 * torch.tensor([math.cos(angle), 0.6 * math.sin(angle), 0.8 * math.sin(angle)], dtype=torch.float64)

    assert float(log_cotangent(predictor)) == pytest.approx(-math.log(math.tan(angle / 2)), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("angle", [0.4, 1.5, 2.2])
def test_the_bound_with_derived_constants_is_never_exceeded(depth: int, angle: float) -> None:
    cotangent, norm = motion(depth, 1.3, angle)

    bound = doubled_bound(torch.from_numpy(TIMES), cotangent, norm, depth, teacher_pull(CIRCLE), "derived")

    share = share_of_bound(cotangent, bound)
    assert float(share.max()) < 1 + 1e-9
    assert float(share[0]) == pytest.approx(1, rel=1e-12)
    assert float(share[turning_point(norm)]) == pytest.approx(1, rel=1e-12)


def test_with_two_layers_the_bound_is_an_equality() -> None:
    cotangent, norm = motion(2, 0.7, 2.0)

    bound = doubled_bound(torch.from_numpy(TIMES), cotangent, norm, 2, teacher_pull(CIRCLE), "derived")

    torch.testing.assert_close(bound, 2 * cotangent, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("angle", "factor"), [(2.0, 2.0), (0.3, 1.3)])
def test_a_printed_bound_starts_too_steep_by_its_phase_s_factor(angle: float, factor: float) -> None:
    """(N-2) c_0 = 2 while the norm falls, |w(T)| = 1.3 when it rises from the start."""
    cotangent, norm = motion(4, 1.3, angle)
    times = torch.from_numpy(TIMES)

    bound = doubled_bound(times, cotangent, norm, 4, teacher_pull(CIRCLE), "printed")

    slopes = (bound[1] - bound[0]) / (2 * cotangent[1] - 2 * cotangent[0])
    assert float(slopes) == pytest.approx(factor, rel=0.01)
    assert float(share_of_bound(cotangent, bound).max()) > 1.01


def test_circle_and_three_layers_have_equal_constants_in_the_first_phase() -> None:
    cotangent, norm = motion(3, 1.0, 2.2)
    derived, printed = (
        doubled_bound(torch.from_numpy(TIMES), cotangent, norm, 3, teacher_pull(CIRCLE), constants)
        for constants in ("derived", "printed")
    )

    turn = turning_point(norm)
    assert turn > 10
    torch.testing.assert_close(derived[:turn], printed[:turn])


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("angle", [0.4, 2.9])
def test_the_norm_stays_within_its_bounds(depth: int, angle: float) -> None:
    _, norm = motion(depth, 0.8, angle)

    lower, upper = norm_bounds(torch.from_numpy(TIMES), norm[0], depth, teacher_pull(CIRCLE))

    assert float((norm / upper).max()) < 1 + 1e-9
    assert float((lower / norm).max()) < 1 + 1e-9
    torch.testing.assert_close(torch.stack([lower[0], upper[0]]), norm[0].expand(2), rtol=1e-12, atol=0)


def test_the_lower_bound_on_the_norm_solves_its_equation() -> None:
    """d ln(l) / dt = -N c_0 l^(1-2/N), for the norm falls at most as fast as a gradient of length c_0 lets it."""
    times, start = torch.linspace(0, 1, 2001, dtype=torch.float64), torch.tensor(0.9, dtype=torch.float64)
    for depth in (2, 3, 5):
        lower, _ = norm_bounds(times, start, depth, 1 / math.pi)

        slope = (lower[1001].log() - lower[999].log()) / (times[1001] - times[999])
        assert float(slope) == pytest.approx(-depth * float(lower[1000]) ** (1 - 2 / depth), rel=1e-6)


def test_the_turning_point_is_the_first_rising_record() -> None:
    assert turning_point(torch.tensor([1.0, 2.0, 3.0])) == 0
    assert turning_point(torch.tensor([3.0, 1.0, 2.0, 4.0])) == 2
    assert turning_point(torch.tensor([3.0, 2.0, 1.0])) == 2


def test_the_clock_stands_for_the_depth() -> None:
    norm = torch.tensor([4.0], dtype=torch.float64)

    assert [float(clock_rate(norm, depth)) for depth in (1, 2, 4)] == [0.25, 1.0, 2.0]


def test_a_share_far_below_its_bound_neither_overflows_nor_is_lost() -> None:
    share = share_of_bound(torch.tensor([1000.0, -1000.0]), torch.tensor([1990.0, -5.0]))

    torch.testing.assert_close(share, torch.tensor([math.exp(-10), 1 + math.exp(-5)]), rtol=1e-4, atol=0)
