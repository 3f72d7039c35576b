"""scipy's solvers without a matrix take the steps that they take with one, and refuse another scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import BDF, Radau, solve_ivp

from dlnrepro.dynamics.classification.separable_data import separable
from dlnrepro.dynamics.classification.training import start
from dlnrepro.dynamics.risks.margin_losses import log_risk
from dlnrepro.dynamics.stiff_flow import low_rank_solvers
from dlnrepro.dynamics.stiff_flow.low_rank_jacobian import low_rank_jacobian
from dlnrepro.dynamics.stiff_flow.low_rank_solvers import Combination, LowRankBDF, LowRankRadau
from dlnrepro.dynamics.stiff_flow.margin_flow import MarginFlow, vector_of
from dlnrepro.dynamics.tensors.arrays import Array


def classifier() -> tuple[MarginFlow, Array]:
    generator = torch.Generator().manual_seed(1)
    signed = separable(4, 40, 0.15, True, 0.05, generator).signed
    layers = [weight[0].numpy() for weight in start([4, 8, 7, 1], 1.0, "logistic", [signed], False, [generator])]
    theta = vector_of(layers)
    shapes = tuple((layer.shape[0], layer.shape[1]) for layer in layers)
    return MarginFlow(signed, log_risk("logistic"), shapes, np.ones_like(theta)), theta


def solution(flow: MarginFlow, theta: Array, method: Any, jacobian: Any, until: float, tolerance: float) -> Any:
    options = {"rtol": tolerance, "atol": tolerance / 100, "jac": lambda _, now: jacobian(flow, now)}
    return solve_ivp(lambda _, now: flow.velocity(now), (0, until), theta, method, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("with_matrix", "without"), [(BDF, LowRankBDF), (Radau, LowRankRadau)])
def test_the_steps_are_those_that_scipy_takes_with_the_matrix(with_matrix: Any, without: Any) -> None:
    flow, theta = classifier()

    dense = solution(flow, theta, with_matrix, MarginFlow.jacobian, 10, 1e-6)
    found = solution(flow, theta, without, low_rank_jacobian, 10, 1e-6)

    assert flow.log_inverse_risk(found.y[:, -1]) > 1e5
    assert found.status == 0
    for count in ("nfev", "njev", "nlu"):  # equal, unless rounding decides whether a step is accepted
        assert found[count] == pytest.approx(dense[count], rel=0.05)
    assert np.abs(found.y[:, -1] - dense.y[:, -1]).max() < 1e-7 * np.abs(dense.y[:, -1]).max()


def test_what_scipy_forms_is_the_shifted_jacobian() -> None:
    flow, theta = classifier()
    jacobian = low_rank_jacobian(flow, theta)
    identity, slope = Combination(1.0, 0.0, None), Combination(0.0, 1.0, jacobian)

    for_bdf = identity - np.float64(0.3) * slope
    for_radau = np.complex128(2 - 1j) * identity - slope

    assert for_bdf == Combination(1.0, -0.3, jacobian)
    assert for_radau == Combination(2 - 1j, -1.0, jacobian)


@pytest.mark.parametrize("solver", [LowRankBDF, LowRankRadau])
def test_a_scipy_without_one_of_the_attributes_is_refused(solver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(low_rank_solvers, "REPLACED", (*low_rank_solvers.REPLACED, "factors", "matrix"))

    with pytest.raises(NotImplementedError, match=rf"this scipy's {solver.__name__[7:]} has no factors, matrix"):
        solution(*classifier(), solver, low_rank_jacobian, 1, 1e-6)


@pytest.mark.parametrize("solver", [LowRankBDF, LowRankRadau])
def test_a_scipy_that_steps_without_asking_for_factors_is_refused(solver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver.__bases__[1], "_step_impl", lambda _: (False, "no step"))

    with pytest.raises(NotImplementedError, match=r"steps without its attribute lu"):
        solution(*classifier(), solver, low_rank_jacobian, 1, 1e-6)
