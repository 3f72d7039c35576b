"""The predictor's gaps against plain formulas, and fits against laws that are exact."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.classification.margin_convergence import (
    Direction,
    fit_direction,
    observe_direction,
    sine_to_scaled,
)
from dlnrepro.dynamics.classification.separable_data import Classes, separable


def data(seed: int = 0) -> Classes:
    return separable(4, 40, 0.15, True, 0.05, torch.Generator().manual_seed(seed))


def test_the_maximum_margin_direction_has_no_gaps() -> None:
    classes = data()
    predictor = 7.0 * torch.from_numpy(classes.solution.direction)[None]

    turn = observe_direction(predictor, torch.from_numpy(classes.signed), classes.solution)

    assert float(turn.sine) < 1e-15
    assert float(turn.margin_gap) < 1e-14


def test_gaps_are_those_of_the_plain_formulas() -> None:
    classes = data()
    signed, axis = torch.from_numpy(classes.signed), torch.from_numpy(classes.solution.direction)
    predictor = torch.randn(6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    turn = observe_direction(predictor, signed, classes.solution)

    length = predictor.norm(dim=-1)
    margin = (predictor @ signed.T).amin(-1) / length
    torch.testing.assert_close(turn.margin_gap, 1 - margin / classes.solution.margin, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(turn.sine**2, 1 - (predictor @ axis / length) ** 2, rtol=1e-11, atol=1e-13)


def test_a_gap_far_below_rounding_differs_from_no_gap() -> None:
    classes = data()
    axis = torch.from_numpy(classes.solution.direction)
    support = torch.from_numpy(classes.signed[classes.solution.support])
    # Along a support vector, across the direction: the margin of the others falls to first order.
    across = support[0] - (support[0] @ axis) * axis
    predictor = (1e12 * axis + across)[None]

    turn = observe_direction(predictor, torch.from_numpy(classes.signed), classes.solution)

    least = float((support @ across).min())
    assert float(turn.margin_gap) == pytest.approx(-least / (1e12 * classes.solution.margin), rel=1e-3)


def test_equal_rates_lead_to_the_maximum_margin() -> None:
    classes = data()
    signed, axis = torch.from_numpy(classes.signed), torch.from_numpy(classes.solution.direction)

    assert float(sine_to_scaled(axis, signed, torch.full((4,), 3.0, dtype=torch.float64))) < 1e-12
    assert float(sine_to_scaled(axis, signed, torch.tensor([0.2, 1.0, 1.0, 5.0], dtype=torch.float64))) > 0.01


def test_the_direction_of_unequal_rates_minimises_their_norm() -> None:
    # In two dimensions with both points supporting, <w, z_i> = 1 for both whatever the norm; with one it is D z.
    signed = torch.tensor([[1.0, 1.0], [5.0, 5.0]], dtype=torch.float64)
    rates = torch.tensor([4.0, 1.0], dtype=torch.float64)

    assert float(sine_to_scaled(torch.tensor([4.0, 1.0], dtype=torch.float64), signed, rates)) < 1e-12


def test_a_path_on_both_laws_has_their_powers_and_constants() -> None:
    reached = torch.logspace(0, 4, 30, dtype=torch.float64)
    two, three = (torch.tensor(value, dtype=torch.float64) for value in (2.0, 3.0))
    late = torch.where(reached < 1e3, 0.0, 0.5)
    turn = Direction(two / reached, (three + late) / reached, two, three)

    fit = fit_direction(turn, reached, (1.0, 1e2), (10.0, 1e4))

    assert float(fit.slope) == pytest.approx(-1)
    assert float(fit.margin_slope) == pytest.approx(-1)
    assert float(fit.constant) == pytest.approx(1)
    assert float(fit.margin_constant) == pytest.approx(3.5 / 3)
    assert all(bool(value.isnan()) for value in fit_direction(turn, reached, (1e5, 1e6), (1e5, 1e6)))
