"""Passage times against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.one_neuron.first_passage import STATES, half_mode_times, passage_times
from dlnrepro.dynamics.starts.balanced import layers_between
from dlnrepro.dynamics.starts.targets import draw_strengths, rotated
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.errors import BudgetSpent
from tests.runners.running import seeded


def scalar_layers(depth: int, products: list[float]) -> list[torch.Tensor]:
    """Balanced layers of width 1, one run for each product."""
    root = torch.tensor(products, dtype=torch.float64) ** (1 / depth)
    return [root[:, None, None].clone() for _ in range(depth)]


def towards_two(_: int, whole: Array) -> Array:
    return whole - 2.0


def above_one(_: int, whole: Array) -> float:
    return float(whole[0, 0] - 1)


def quiet(fraction: float, note: str) -> None:
    """No progress shown."""


def test_two_scalar_layers_pass_a_level_when_the_logistic_curve_does() -> None:
    """s' = 2 s (2 - s) has s = 2 / (1 + (2/s_0 - 1) e^(-4t)), which is 1 at t = ln(2/s_0 - 1) / 4."""
    starts = [1e-12, 1e-3, 0.5]

    times = passage_times(scalar_layers(2, starts), towards_two, above_one, 100.0, 1e-10, 1e-20, quiet).times

    exact = torch.tensor([math.log(2 / start - 1) / 4 for start in starts], dtype=torch.float64)
    torch.testing.assert_close(times, exact, rtol=1e-8, atol=0)


def test_half_of_the_first_mode_is_there_when_its_own_logistic_curve_says_so() -> None:
    """s' = 2 s (sigma_1 - s) for two aligned layers: s is sigma_1 / 2 at t = ln(sigma_1 / s_0 - 1) / (2 sigma_1)."""
    target = rotated(3, 4, draw_strengths((2.0, 0.7), 0.1, seeded([0, 1])), seeded([2, 3]))
    start = torch.tensor([[1e-4, 1e-3]] * 2, dtype=torch.float64)
    middle = torch.eye(2, dtype=torch.float64).expand(2, 2, 2)
    weights = layers_between([target.right[..., :2], middle, target.left[..., :2]], start)

    times = half_mode_times(weights, target, 100.0, 1e-10, 1e-20, quiet).times

    first = target.strengths[:, 0]
    torch.testing.assert_close(times, (first / 1e-4 - 1).log() / (2 * first), rtol=1e-8, atol=0)


def test_a_run_that_does_not_arrive_or_never_starts_is_nan_and_does_not_change_other_runs() -> None:
    weights = scalar_layers(2, [1e-12, 0.5, 0.5])
    weights[0][2] = math.nan

    times = passage_times(weights, towards_two, above_one, 1.0, 1e-8, 1e-20, quiet).times

    assert torch.isnan(times).tolist() == [True, False, True]


@pytest.mark.parametrize(("start", "level"), [(3.0, 1.0), (3.0, 2.5), (1.0, 1.0)])
def test_a_start_at_or_above_the_level_is_there_at_time_zero(start: float, level: float) -> None:
    """The product goes from its start to 2: from 3 it stays above 1, or falls below 2.5; from 1 it rises."""
    times = passage_times(
        scalar_layers(3, [start]), towards_two, lambda _, whole: float(whole[0, 0] - level), 50.0, 1e-8, 1e-20, quiet
    ).times

    assert times.tolist() == [0.0]


def test_a_run_s_time_does_not_depend_on_its_neighbours_and_its_own_level_is_used() -> None:
    levels = [0.7, 1.3, 1.9]

    def level(run: int, whole: Array) -> float:
        return float(whole[0, 0] - levels[run])

    together = passage_times(scalar_layers(2, [0.1, 0.1, 0.1]), towards_two, level, 50.0, 1e-8, 1e-20, quiet).times

    alone = passage_times(scalar_layers(2, [0.1]), towards_two, level, 50.0, 1e-8, 1e-20, quiet).times
    assert torch.equal(together[:1], alone)
    assert bool((together.diff() > 0).all())


def test_progress_is_called_and_may_stop_the_flow() -> None:
    def stop(fraction: float, _: str) -> None:
        if fraction > 0.4:
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        passage_times(scalar_layers(2, [0.1, 0.1]), towards_two, above_one, 50.0, 1e-8, 1e-20, stop)


def test_rectangular_layers_are_put_together_in_order() -> None:
    """The level sees the product that numpy forms."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(1, *shape, generator=generator, dtype=torch.float64) for shape in ((3, 4), (2, 3), (5, 2))]
    seen: list[Array] = []

    def level(_: int, whole: Array) -> float:
        seen.append(whole)
        return -1.0

    passage_times(weights, lambda _, whole: whole, level, 1e-6, 1e-6, 1e-12, quiet)

    expected = (weights[2] @ weights[1] @ weights[0])[0].numpy()
    np.testing.assert_allclose(seen[0], expected, rtol=1e-12)


def test_the_way_to_a_passage_is_kept_with_its_velocities() -> None:
    """Two scalar layers w, w have s = w^2 and w' = -w (s - 2), from the start to the level."""
    _, weights, velocities = passage_times(
        scalar_layers(2, [0.1, 0.5]), towards_two, above_one, 50.0, 1e-9, 1e-20, quiet
    )

    assert weights[0].shape == (2, STATES, 1, 1)
    torch.testing.assert_close(weights[0][:, 0, 0, 0].square(), torch.tensor([0.1, 0.5], dtype=torch.float64))
    torch.testing.assert_close(weights[0][:, -1, 0, 0].square(), torch.ones(2, dtype=torch.float64), rtol=1e-6, atol=0)
    whole = weights[0] * weights[1]
    torch.testing.assert_close(velocities[0], weights[1] * (2 - whole), rtol=1e-12, atol=0)


def test_a_tolerance_may_be_given_for_every_weight() -> None:
    weights = scalar_layers(2, [1e-3])
    tight = [torch.full_like(weight, 1e-20) for weight in weights]

    alike, one = (
        passage_times(weights, towards_two, above_one, 50.0, 1e-8, bound, quiet).times for bound in (tight, 1e-20)
    )

    assert torch.equal(alike, one)
