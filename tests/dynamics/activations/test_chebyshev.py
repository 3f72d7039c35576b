"""The stabilised integrator: its order, its interval of stability, and what happens to a run that diverges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dlnrepro.dynamics.activations.chebyshev import chebyshev_step, growing_times, stages_for, trajectory

Array = NDArray[np.float64]


def _pendulum(state: Array) -> Array:
    return np.stack([state[:, 1], -np.sin(state[:, 0])], axis=1)


@pytest.mark.parametrize("stages", [2, 3, 7, 30])
def test_it_is_of_order_two_with_any_number_of_stages(stages: int) -> None:
    ends = []
    for count in (10, 20, 40):
        state = np.array([[1.0, 0.3]])
        for _ in range(count):
            state = chebyshev_step(_pendulum, state, 1 / count, stages)
        ends.append(state)

    quotient = np.linalg.norm(ends[0] - ends[1]) / np.linalg.norm(ends[1] - ends[2])
    assert quotient == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("stages", [2, 5, 20, 200])
def test_it_is_stable_on_the_interval_that_the_number_of_stages_is_chosen_by_and_not_outside(stages: int) -> None:
    reach = 2 / 3 * (stages**2 - 1) * (1 - 4 / 195)
    eigenvalues = np.linspace(0, reach, 500)[:, None]

    inside = chebyshev_step(lambda state: -eigenvalues * state, np.ones((500, 1)), 1.0, stages)
    beyond = chebyshev_step(lambda state: -1.1 * reach * state, np.ones((1, 1)), 1.0, stages)

    assert np.abs(inside).max() <= 1 + 1e-9
    assert np.abs(beyond).max() > 1.1
    assert stages_for(0.9999 * reach) == stages
    assert stages_for(1.0001 * reach) == stages + 1


def test_times_grow_with_the_time_and_end_at_the_horizon() -> None:
    times = np.array(growing_times(100.0, 0.5, 0.1))

    assert times[0] == 0
    assert times[-1] == 100.0
    np.testing.assert_allclose(np.diff(times)[:10], 0.5)
    np.testing.assert_allclose(np.diff(times)[15:-1], 0.1 * times[15:-2])
    assert growing_times(1.0, 0.1, 0.0)[-1] == 1.0
    assert len(growing_times(1.0, 0.1, 0.0)) == 11


def test_a_run_alone_moves_as_in_a_batch_and_a_lost_run_disturbs_no_other() -> None:
    start = np.array([[1.0, 0.3], [2.0, -1.0], [np.inf, 0.0]])
    times = growing_times(5.0, 0.2, 0.1)

    together = list(trajectory(_pendulum, start, times, 3.0))
    alone = list(trajectory(_pendulum, start[1:2], times, 3.0))

    assert len(together) == len(times)
    assert np.array_equal(together[-1][1:2], alone[-1])
    assert np.isnan(together[-1][2]).all()


def test_long_steps_follow_a_stiff_relaxation_to_its_slow_curve() -> None:
    """y' = -50 (y - 1/(1+t)) - 1/(1+t)^2, t' = 1: a step of 1 is 18 times too long for an explicit method."""

    def velocity(state: Array) -> Array:
        slow = 1 / (1 + state[:, 1])
        return np.stack([-50 * (state[:, 0] - slow) - slow**2, np.ones(len(state))], axis=1)

    *_, end = trajectory(velocity, np.array([[3.0, 0.0]]), growing_times(200.0, 0.1, 0.05), 50.0)

    assert end[0, 0] == pytest.approx(1 / 201, rel=1e-3)
