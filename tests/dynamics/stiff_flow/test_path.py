"""The path to the horizon, compared with a closed form, another solver, the conservation law and the oracle's limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dlnrepro.dynamics.classification.separable_data import separable
from dlnrepro.dynamics.classification.training import start
from dlnrepro.dynamics.compiled.library import COMPILER, kernels
from dlnrepro.dynamics.risks.margin_losses import LogRisk, LossName, exponential, log_risk, squared
from dlnrepro.dynamics.stiff_flow import path
from dlnrepro.dynamics.stiff_flow.compiled_path import field_in_c, path_in_c
from dlnrepro.dynamics.stiff_flow.margin_flow import MarginFlow, vector_of, weights_of
from dlnrepro.dynamics.stiff_flow.path import follow
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.errors import BudgetSpent


def silent(time: float) -> None:
    """Shows nothing."""


def classifier(seed: int, depth: int, width: int = 6) -> tuple[MarginFlow, Array]:
    generator = torch.Generator().manual_seed(seed)
    classes = separable(4, 40, 0.15, True, 0.05, generator)
    weights = start([4, *[width] * (depth - 1), 1], 1.0, "logistic", [classes.signed], False, [generator])
    layers = [weight[0].numpy() for weight in weights]
    theta = vector_of(layers)
    shapes = tuple((layer.shape[0], layer.shape[1]) for layer in layers)
    return MarginFlow(classes.signed, log_risk("logistic"), shapes, np.ones_like(theta)), theta


NEEDS_COMPILER = pytest.mark.skipif(not kernels(), reason="there is no C compiler")
COMPILED = pytest.param("cc", marks=NEEDS_COMPILER)
COMPILED_OR_NOT = pytest.mark.parametrize("compiler", ["none", COMPILED], ids=["scipy", "c"], indirect=True)


@pytest.fixture(autouse=True)
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMPILER, getattr(request, "param", "none"))


@pytest.fixture(params=[10**9, 0], ids=["narrow", "wide"])
def either_route(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "MANY", request.param)


@COMPILED_OR_NOT
@pytest.mark.usefixtures("either_route")
def test_one_point_and_two_scalars_follow_the_hyperbola_to_the_horizon() -> None:
    # R = exp(-a b), so log(1/R) = a b, while b^2 - a^2 stays: at a b = H, a^2 = -c/2 + sqrt(c^2/4 + H^2).
    flow = MarginFlow(np.ones((1, 1)), exponential, ((1, 1), (1, 1)), np.ones(2))
    path = follow(flow, np.array([0.5, 1.5]), np.linspace(0, 30, 40), 1e12, 1e-9, silent)

    conserved = 1.5**2 - 0.5**2
    first = np.sqrt(-conserved / 2 + np.sqrt(conserved**2 / 4 + 1e24))
    assert path.points.shape == (41, 2)
    np.testing.assert_allclose(path.points[-1], [first, 1e12 / first], rtol=1e-12)
    middle = path.points[12]
    assert middle[1] ** 2 - middle[0] ** 2 == pytest.approx(conserved, abs=1e-7 * (middle @ middle))
    assert path.route_gap < 1e-7


@COMPILED_OR_NOT
@pytest.mark.slow
@pytest.mark.usefixtures("either_route")
def test_times_after_the_horizon_repeat_the_end() -> None:
    flow, theta = classifier(0, 3)

    path = follow(flow, theta, np.linspace(0, 20, 21), 1e5, 1e-8, silent)

    assert flow.log_inverse_risk(path.points[-1]) == pytest.approx(1e5, rel=1e-9)
    np.testing.assert_array_equal(path.points[-2], path.points[-1])


@COMPILED_OR_NOT
@pytest.mark.slow
@pytest.mark.parametrize("horizon", [20.0, 50.0, 1e3])
def test_a_wide_network_stops_at_a_horizon_that_it_comes_to_sooner_than_the_clock_says(horizon: float) -> None:
    flow, theta = classifier(0, 3, 48)
    times = np.linspace(0, 10, 11)

    path = follow(flow, theta, times, horizon, 1e-8, silent)

    assert flow.log_inverse_risk(path.points[-1]) == pytest.approx(horizon, rel=1e-9)
    np.testing.assert_array_equal(path.points[-2], path.points[-1])


@COMPILED_OR_NOT
@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_another_method_follows_the_same_path(depth: int) -> None:
    flow, theta = classifier(1, depth)
    times = np.linspace(0, 7, 8)

    path = follow(flow, theta, times, 1e12, 3e-9, silent)
    other = solve_ivp(
        lambda _, now: flow.velocity(now),
        (0, 7),
        theta,
        "Radau",
        times,
        jac=lambda _, now: flow.jacobian(now),
        rtol=1e-9,
        atol=1e-11,
    ).y.T

    assert np.abs(path.points[:-1] - other).max() < 2e-7 * np.abs(other).max()
    assert path.route_gap < 1e-7


@COMPILED_OR_NOT
@pytest.mark.slow
@pytest.mark.parametrize("width", [6, 24])
def test_imbalances_are_conserved_to_the_limit_of_double_precision(width: int) -> None:
    flow, theta = classifier(2, 3, width)

    path = follow(flow, theta, np.linspace(0, 28, 29), 1e12, 3e-9, silent)

    def imbalances(point: Array) -> list[Array]:
        layers = weights_of(point, flow.shapes)
        return [layers[k + 1].T @ layers[k + 1] - layers[k] @ layers[k].T for k in range(2)]

    for point in path.points:
        for now, then in zip(imbalances(point), imbalances(theta), strict=True):
            assert np.abs(now - then).max() <= 1e-8 * (point @ point)


@pytest.mark.slow
def test_a_wide_network_follows_the_path_that_the_dense_jacobian_finds_to_the_horizon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow, theta = classifier(3, 3, 14)
    times = np.linspace(0, 27, 28)

    with monkeypatch.context() as patch:
        patch.setattr(MarginFlow, "jacobian", None)  # no matrix of the weights is made
        found = follow(flow, theta, times, 1e12, 1e-9, silent)
    monkeypatch.setattr(path, "MANY", len(theta) + 1)
    dense = follow(flow, theta, times, 1e12, 1e-9, silent)

    assert len(theta) > 200
    assert flow.log_inverse_risk(found.points[-1]) == pytest.approx(1e12, rel=1e-9)
    distances = np.linalg.norm(found.points - dense.points, axis=1) / np.linalg.norm(dense.points, axis=1)
    assert distances.max() < 1e-7
    assert 0 < found.route_gap < 1e-7


@COMPILED_OR_NOT
def test_a_wide_network_that_is_stiff_from_the_start_comes_to_rest_at_least_squares() -> None:
    flow, theta = classifier(0, 3, 12)
    flow = MarginFlow(flow.signed, squared, flow.shapes, flow.rates)

    path = follow(flow, theta, np.linspace(0, 25, 26), 1e12, 1e-8, silent)

    assert len(theta) > 200
    predictor = np.linalg.multi_dot(weights_of(path.points[-1], flow.shapes)[::-1])[0]
    expected = np.linalg.lstsq(flow.signed, np.ones(len(flow.signed)))[0]
    np.testing.assert_allclose(predictor, expected, rtol=0, atol=1e-8)


@pytest.mark.usefixtures("either_route")
def test_a_run_that_leaves_the_numbers_is_nan_and_no_error() -> None:
    def broken(margins: Array) -> LogRisk:
        return LogRisk(-1.0, np.full_like(margins, np.nan), np.ones_like(margins))

    flow = MarginFlow(np.ones((1, 1)), broken, ((1, 1), (1, 1)), np.ones(2))

    path = follow(flow, np.array([0.5, 1.5]), np.linspace(0, 30, 40), 1e12, 1e-9, silent)

    assert np.isnan(path.points[-1]).all()
    assert np.isnan(path.route_gap)


@COMPILED_OR_NOT
@pytest.mark.slow
@pytest.mark.usefixtures("either_route")
@pytest.mark.parametrize("limit", [0.0, 8.0])
def test_a_spent_budget_stops_either_solver(limit: float) -> None:
    flow, theta = classifier(0, 3)

    def tick(time: float) -> None:
        if time >= limit:
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        follow(flow, theta, np.linspace(0, 28, 29), 1e12, 3e-9, tick)


@NEEDS_COMPILER
@pytest.mark.parametrize("many", [1, 10**9], ids=["wide", "narrow"])
def test_the_kernel_is_checked_from_the_start_if_the_run_ends_before_the_switch_time(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COMPILER, "cc")
    monkeypatch.setattr(path, "MANY", many)
    flow, theta = classifier(0, 3)

    found = follow(flow, theta, np.linspace(0, 0.4, 41), 1e12, 1e-9, silent)

    assert 0 < found.route_gap < 1e-7


@NEEDS_COMPILER
@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize(("depth", "width"), [(2, 6), (3, 6), (6, 6), (3, 24)])
def test_the_kernel_follows_the_path_that_scipy_finds(
    loss: LossName, depth: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, theta = classifier(4, depth, width)
    flow = replace(flow, risk=log_risk(loss), rates=np.linspace(0.5, 2, len(theta)))
    times = np.linspace(0, 8, 9)

    scipys = follow(flow, theta, times, 1e4, 1e-9, silent)
    monkeypatch.setenv(COMPILER, "cc")
    found = follow(flow, theta, times, 1e4, 1e-9, silent)

    distances = np.linalg.norm(found.points - scipys.points, axis=1) / np.linalg.norm(scipys.points, axis=1)
    assert distances.max() < 1e-7
    assert found.route_gap < 1e-7


@NEEDS_COMPILER
@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
@pytest.mark.parametrize("depth", [2, 5])
@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_the_kernel_has_the_field_and_the_jacobian_of_python(loss: LossName, depth: int, scale: float) -> None:
    flow, theta = classifier(5, depth, 7)
    flow, theta = replace(flow, risk=log_risk(loss), rates=np.linspace(0.5, 2, len(theta))), scale * theta
    vector = np.random.default_rng(1).standard_normal(len(theta))

    found = field_in_c(flow, theta, vector)

    assert found is not None
    field, moved = flow.velocity(theta), flow.jacobian(theta) @ vector
    assert np.abs(found[0] - field).max() <= 1e-12 * np.abs(field).max()
    assert np.abs(found[1] - moved).max() <= 1e-9 * np.abs(flow.jacobian(theta)).max() * np.abs(vector).max()


@NEEDS_COMPILER
def test_a_run_in_which_the_kernel_fails_is_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMPILER, "cc")
    flow, theta = classifier(0, 3)
    theta[3] = np.nan

    found = follow(flow, theta, np.linspace(0, 3, 4), 1e12, 1e-9, silent)

    assert np.isnan(found.points[1:]).all()
    assert np.isnan(found.route_gap)


@NEEDS_COMPILER
@pytest.mark.parametrize(("many", "switch"), [(1, 0.5), (10**9, 4.0)], ids=["wide", "narrow"])
@pytest.mark.parametrize("late", [False, True], ids=["at the beginning", "where it is stiff"])
def test_a_kernel_that_leaves_the_path_is_noticed(
    late: bool, many: int, switch: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COMPILER, "cc")
    monkeypatch.setattr(path, "MANY", many)
    flow, theta = classifier(0, 3)
    times = np.linspace(0, 5 * switch, 41)
    first = int(np.searchsorted(times, switch)) + 1 if late else 1

    def wrong(*asked: Any) -> Array:
        points = path_in_c(*asked)
        points[first:] *= 1.001
        return points

    monkeypatch.setattr(path, "path_in_c", wrong)
    assert follow(flow, theta, times, 1e12, 1e-9, silent).route_gap > 1e-4
