"""log R and its derivatives, compared with plain formulas, finite differences and autograd."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.risks.margin_losses import (
    LossName,
    batched_log_risk,
    log_excess,
    log_loss_at_zero,
    log_risk,
    log_risks,
    margin_slopes,
    risk_field,
)

NAMES = get_args(LossName)
MARGINS = np.array([-1.7, 0.3, 0.9, 2.5, 40.0])


def plain(name: LossName, margins: torch.Tensor) -> torch.Tensor:
    losses = {
        "logistic": torch.log1p(torch.exp(-margins)),
        "exponential": torch.exp(-margins),
        "squared": (1 - margins) ** 2 / 2,
    }
    return losses[name].mean().log()


@pytest.mark.parametrize("name", NAMES)
def test_value_gradient_and_hessian_are_those_of_the_plain_formula(name: LossName) -> None:
    margins = torch.from_numpy(MARGINS)
    gradient = torch.autograd.functional.jacobian(lambda m: plain(name, m), margins)  # type: ignore[no-untyped-call]
    hessian = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
        lambda m: plain(name, m), margins
    )

    risk = log_risk(name)(MARGINS)

    assert risk.value == pytest.approx(float(plain(name, margins)), rel=1e-14)
    np.testing.assert_allclose(risk.gradient, gradient.numpy(), rtol=1e-11, atol=1e-15)
    ours = np.diag(risk.curvature) - np.outer(risk.gradient, risk.gradient)
    np.testing.assert_allclose(ours, hessian.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", ["logistic", "exponential"])
@pytest.mark.parametrize("least", [50.0, 1e6, 1e12])
def test_nothing_underflows_far_out(name: LossName, least: float) -> None:
    risk = log_risk(name)(least + np.array([0.0, 1.0, 1000.0]))

    assert risk.value == pytest.approx(-least + math.log((1 + math.exp(-1)) / 3), abs=least * 1e-15)
    assert -risk.gradient.sum() == pytest.approx(1, rel=1e-14)
    np.testing.assert_allclose(risk.curvature, -risk.gradient, rtol=1e-15)


def test_the_logistic_loss_has_no_step_where_it_becomes_exponential() -> None:
    low, high = (log_risk("logistic")(np.array([m, m + 1.0])) for m in (33.9999999, 34.0000001))

    assert high.value - low.value == pytest.approx(-2e-7, rel=1e-6)
    np.testing.assert_allclose(low.gradient, high.gradient, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_at_zero_is_that_of_zero_margins(name: LossName) -> None:
    assert log_loss_at_zero(name) == pytest.approx(log_risk(name)(np.zeros(3)).value, rel=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shift", [0.0, 45.0])
def test_tensors_and_arrays_agree(name: LossName, shift: float) -> None:
    rows = shift + MARGINS + np.linspace(-1, 1, 3)[:, None]

    value, gradient = batched_log_risk(name, torch.from_numpy(rows))

    for row, one, slope in zip(rows, value, gradient, strict=True):
        risk = log_risk(name)(row)
        assert float(one) == pytest.approx(risk.value, rel=1e-14)
        np.testing.assert_allclose(slope.numpy(), risk.gradient, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_alone_is_bitwise_identical_to_the_run_in_a_batch(name: LossName) -> None:
    margins = torch.randn(7, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * 20

    value, gradient = batched_log_risk(name, margins)

    for run in range(7):
        alone, slope = batched_log_risk(name, margins[run : run + 1])
        assert torch.equal(alone[0], value[run])
        assert torch.equal(slope[0], gradient[run])


@pytest.mark.parametrize("name", NAMES)
def test_slopes_of_many_runs_are_those_of_each(name: LossName) -> None:
    margins = np.stack([MARGINS, MARGINS + 0.7, 100 * MARGINS**2])

    slopes = margin_slopes(name, margins)

    for row, slope in zip(margins, slopes, strict=True):
        np.testing.assert_allclose(slope, log_risk(name)(row).gradient, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_the_field_of_a_run_is_the_gradient_of_its_risk_on_the_predictor(
    name: LossName, generator: torch.Generator
) -> None:
    signed = torch.randn(2, 9, 4, generator=generator, dtype=torch.float64)
    predictor = torch.randn(1, 4, generator=generator, dtype=torch.float64)
    field = risk_field(name, list(signed.numpy()))

    for run, points in enumerate(signed):
        gradient = torch.autograd.functional.jacobian(  # type: ignore[no-untyped-call]
            lambda row, points=points: plain(name, points @ row[0]).exp(), predictor
        )
        np.testing.assert_allclose(field(run, predictor.numpy()), gradient[None, 0].numpy(), rtol=1e-12)


def test_the_field_stays_finite_where_the_risk_overflows() -> None:
    field = risk_field("exponential", [np.ones((3, 2))])

    assert np.isfinite(field(0, np.full((1, 2), -1e4))).all()


@pytest.mark.parametrize("name", NAMES)
def test_log_risks_are_those_of_the_rows(name: LossName) -> None:
    found = log_risks(name, np.stack([MARGINS, MARGINS + 1]))

    assert found.tolist() == [log_risk(name)(MARGINS).value, log_risk(name)(MARGINS + 1).value]


@pytest.mark.parametrize("name", NAMES)
def test_the_excess_is_zero_for_the_zero_predictor_and_that_of_the_plain_formula_elsewhere(name: LossName) -> None:
    generator = torch.Generator().manual_seed(2)
    signed = torch.randn(2, 7, 3, generator=generator, dtype=torch.float64)
    predictors = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64)
    predictors[:, 0] = 0

    excess = log_excess(name, signed, predictors)

    assert float(excess[:, 0].abs().max()) < 1e-15
    zero = plain(name, torch.zeros(7, dtype=torch.float64))
    for run in range(2):
        expected = torch.stack([plain(name, signed[run] @ row) - zero for row in predictors[run]])
        torch.testing.assert_close(excess[run], expected, rtol=1e-12, atol=1e-14)
