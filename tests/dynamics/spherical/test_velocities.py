"""The velocity along a path against the gradient, for paths that follow the risk and for paths that do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.spherical.symmetric_inputs import mixing, plain_inputs, population_gradient
from dlnrepro.dynamics.spherical.velocities import velocity_errors
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.dynamics.training.time_panels import log_panels
from dlnrepro.runner import silent

LAW, MIX = plain_inputs("sphere", 2), mixing(2, 1.0)
GRID = log_panels(10.0, 30, 3)


def _path(factor: float, rates: tuple[float, float] = (1.0, 1.0)) -> list[torch.Tensor]:
    right = population_gradient(LAW, MIX)

    def gradient(_: int, product: Array) -> Array:
        return np.asarray(factor * right(product[0])[None])

    start = [torch.tensor([[[0.5, 0.8], [-0.3, 0.4]]], dtype=torch.float64), torch.tensor([[[0.9, 0.2]]]).double()]
    return flow(start, gradient, GRID.times, rates, 1e-9, 1e-200, silent)


def test_a_path_of_the_flow_has_the_velocity_of_the_risk() -> None:
    assert float(velocity_errors(GRID.times, _path(1.0), [LAW], MIX)) < 1e-5


@pytest.mark.parametrize(("factor", "rates", "least"), [(1.1, (1.0, 1.0), 0.0999), (1.0, (2.0, 1.0), 0.3)])
def test_another_gradient_or_another_rate_of_a_layer_is_seen(
    factor: float, rates: tuple[float, float], least: float
) -> None:
    assert float(velocity_errors(GRID.times, _path(factor, rates), [LAW], MIX)) > least


def test_other_inputs_are_seen() -> None:
    assert float(velocity_errors(GRID.times, _path(1.0), [plain_inputs("gaussian", 2)], MIX)) > 0.1


def test_a_run_that_is_not_finite_is_nan() -> None:
    path = [torch.full_like(weight, torch.nan) for weight in _path(1.0)]

    assert bool(torch.isnan(velocity_errors(GRID.times, path, [LAW], MIX)).all())
