"""The closed form against its own differential equations and known special cases; rates against the whole network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.one_neuron.closed_form import closed_form, limit_mode
from dlnrepro.dynamics.one_neuron.last_stage import part_rates
from dlnrepro.dynamics.one_neuron.start import Pair, axis_pair, draw_pair
from dlnrepro.dynamics.starts.targets import Target, diagonal, draw_strengths

STRENGTHS = (2.0, 1.2, 0.7, 0.3)


def a_target(runs: int, strengths: tuple[float, ...] = STRENGTHS) -> Target:
    return diagonal(4, 5, torch.tensor(strengths, dtype=torch.float64).expand(runs, -1))


def solved(pair: Pair, start: float, depth: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The strengths and matrices of run 0, by a solver on the equations of s, u and v."""
    matrix = np.zeros((4, 5))
    matrix[range(4), range(4)] = STRENGTHS

    def velocity(_: float, state: np.ndarray) -> np.ndarray:
        s, u, v = state[0], state[1:5], state[5:]
        overlap = u @ matrix @ v
        fast = s ** (1 - 2 / depth)
        return np.concatenate(
            [
                [depth * s ** (2 - 2 / depth) * (overlap - s)],
                fast * (matrix @ v - u * overlap),
                fast * (matrix.T @ u - v * overlap),
            ]
        )

    begin = np.concatenate([[start], pair.left[0].numpy(), pair.right[0].numpy()])
    end = solve_ivp(velocity, (0, times[-1]), begin, "DOP853", times, rtol=1e-12, atol=1e-14).y
    return end[0], end[0][:, None, None] * end[1:5].T[:, :, None] * end[5:].T[:, None, :]


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("interval", [(0.2, 2.0), (-2.0, -0.2)])
def test_the_closed_form_solves_the_equations_of_motion(depth: int, interval: tuple[float, float]) -> None:
    pair = draw_pair(a_target(1), 0, interval, [torch.Generator().manual_seed(depth)])
    times = np.linspace(0, 5, 21)

    motion = closed_form(
        a_target(1).strengths, pair, torch.tensor([0.4], dtype=torch.float64), depth, torch.from_numpy(times)
    )

    strengths, matrices = solved(pair, 0.4, depth, times)
    np.testing.assert_allclose(motion.strength[0].numpy(), strengths, rtol=1e-9)
    np.testing.assert_allclose(motion.matrix[0].numpy(), matrices, rtol=0, atol=1e-9)


def test_two_aligned_layers_grow_by_the_logistic_curve() -> None:
    target = a_target(2)
    times = torch.linspace(0, 8, 30, dtype=torch.float64)
    start = torch.tensor([1e-3, 5.0], dtype=torch.float64)

    motion = closed_form(target.strengths, axis_pair(target, 1, 1, 1.0), start, 2, times)

    exact = 2 / (1 + (2 / start[:, None] - 1) * torch.exp(-4 * times))
    torch.testing.assert_close(motion.strength, exact, rtol=1e-12, atol=0)


def test_two_anti_aligned_layers_shrink_exponentially() -> None:
    """s' = -2 s (sigma + s) has s = sigma c / (e^(2 sigma t) - c) with c = s_0 / (s_0 + sigma)."""
    target = a_target(1)
    times = torch.linspace(0, 20, 30, dtype=torch.float64)

    motion = closed_form(target.strengths, axis_pair(target, 1, 1, -1.0), torch.ones(1, dtype=torch.float64), 2, times)

    exact = 2 * (1 / 3) / (torch.exp(4 * times) - 1 / 3)
    torch.testing.assert_close(motion.strength[0], exact, rtol=1e-11, atol=0)


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_deep_anti_aligned_layers_shrink_by_the_power_of_time(depth: int) -> None:
    target = a_target(1)
    times = torch.tensor([1e5, 1e6], dtype=torch.float64)

    motion = closed_form(
        target.strengths, axis_pair(target, 1, 1, -1.0), torch.ones(1, dtype=torch.float64), depth, times
    )

    power = (motion.strength[0, 1] / motion.strength[0, 0]).log10()
    exponent = -depth / (depth - 2)
    assert abs(float(power) - exponent) < 1e-3
    expected = ((depth - 2) * 2.0 * 1e6) ** exponent
    assert abs(float(motion.strength[0, 1]) / expected - 1) < 1e-3


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_outside_the_range_the_strength_is_a_power_at_all_times(depth: int) -> None:
    """s' = -L s^(3-2/L) has s = (s_0^(-p) + (2L-2) t)^(-1/p) with p = (2L-2)/L."""
    target = a_target(1, (2.0, 1.2, 0.7))
    times = torch.tensor([0.1, 1.0, 100.0, 1e4], dtype=torch.float64)

    motion = closed_form(
        target.strengths, axis_pair(target, 4, 5, 1.0), torch.full((1,), 0.5, dtype=torch.float64), depth, times
    )

    power = (2 * depth - 2) / depth
    exact = (0.5**-power + (2 * depth - 2) * times) ** (-1 / power)
    torch.testing.assert_close(motion.strength[0], exact, rtol=1e-11, atol=0)


def test_the_unit_vectors_stay_unit_vectors() -> None:
    pair = draw_pair(a_target(2), 0, (-2.0, 2.0), [torch.Generator().manual_seed(seed) for seed in range(2)])
    times = torch.linspace(0, 30, 40, dtype=torch.float64)

    motion = closed_form(a_target(2).strengths, pair, torch.ones(2, dtype=torch.float64), 3, times)

    ones = torch.ones(2, 40, dtype=torch.float64)
    torch.testing.assert_close(motion.left.norm(dim=-1), ones, rtol=0, atol=1e-12)
    torch.testing.assert_close(motion.right.norm(dim=-1), ones, rtol=0, atol=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_local_rate_is_the_closed_form_s_last_decade(depth: int) -> None:
    target = a_target(1)
    pair = draw_pair(target, 0, (0.5, 1.0), [torch.Generator().manual_seed(1)])
    rate = float(part_rates(target, depth).min())
    times = torch.tensor([20.0, 22.0], dtype=torch.float64) / rate

    motion = closed_form(target.strengths, pair, torch.ones(1, dtype=torch.float64), depth, times)

    distance = torch.linalg.matrix_norm(motion.matrix[0] - target.mode(torch.tensor([1])))
    assert abs(float((distance[0] / distance[1]).log()) / 2 - 1) < 1e-3


def test_the_limit_is_the_first_mode_whose_overlaps_do_not_cancel() -> None:
    left = torch.tensor([[0.6, 0.8, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8], [1.0, 0.0, 0.0]], dtype=torch.float64)
    right = torch.tensor([[0.6, 0.8, 0.0], [-0.6, 0.8, 0.0], [0.0, -0.6, 0.8], [-1.0, 0.0, 0.0]], dtype=torch.float64)

    assert limit_mode(Pair(left, right), 3).tolist() == [1, 2, 3, 0]


def test_a_clock_that_runs_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlnrepro.dynamics.one_neuron.closed_form._MOST_PANELS", 10)
    target = a_target(1)

    with pytest.raises(ValueError, match="within 10 panels of the clock, found 1000"):
        closed_form(
            target.strengths,
            axis_pair(target, 1, 1, 1.0),
            torch.ones(1, dtype=torch.float64),
            2,
            torch.tensor([1000.0], dtype=torch.float64),
        )


def test_the_closed_form_of_a_run_does_not_depend_on_its_neighbours() -> None:
    given = [torch.Generator().manual_seed(seed) for seed in range(4)]
    strengths = draw_strengths(STRENGTHS, 0.1, given)
    pair = draw_pair(a_target(4), 0, (-2.0, 2.0), given)
    start = torch.tensor([0.3, 0.5, 0.7, 1.1], dtype=torch.float64)
    times = torch.linspace(0, 5, 13, dtype=torch.float64)

    together = closed_form(strengths, pair, start, 3, times)
    alone = closed_form(strengths[2:3], Pair(pair.left[2:3], pair.right[2:3]), start[2:3], 3, times)

    assert torch.equal(together.strength[2:3], alone.strength)
    assert torch.equal(together.matrix[2:3], alone.matrix)
