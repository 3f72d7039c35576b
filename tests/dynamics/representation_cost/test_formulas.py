"""Closed forms of the representation cost, by hand and by their own definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.formulas import (
    Architecture,
    coordinates,
    frequencies,
    k_support_norm,
    power,
    representation_cost,
    representation_costs,
)


def _column(*entries: float) -> Tensor:
    return torch.tensor(entries, dtype=torch.float64)[:, None]


@pytest.mark.parametrize(
    ("law", "depth", "part", "expected"),
    [
        ("fully-connected", 2, 2, 2 * 5.0),
        ("fully-connected", 3, 2, 3 * 5.0 ** (2 / 3)),
        ("diagonal", 2, 2, 2 * 7.0),
        ("diagonal", 4, 2, 4 * (3**0.5 + 2.0)),
        ("group", 2, 2, 2 * 5.0),
        ("group", 2, 1, 2 * 7.0),
        ("k-support", 2, 1, 2 * 7.0),
        ("k-support", 2, 2, 2 * 5.0),
        # |F w| = (7, 1) / sqrt(2) and D = 2: two layers cost 2 (7 + 1) / sqrt(2) / sqrt(2).
        ("convolutional", 2, 2, 2 * 4.0),
    ],
)
def test_costs_of_three_and_four(law: Architecture, depth: int, part: int, expected: float) -> None:
    cost = representation_cost(law, _column(3, 4), depth, part)

    assert float(cost) == pytest.approx(expected, rel=1e-14)


def test_the_costs_of_several_predictors_spare_those_that_are_finite() -> None:
    predictors = torch.stack([torch.stack([_column(3, 4), _column(3, torch.inf)]), torch.zeros(2, 2, 1)])
    predictors[1, 0] = _column(6, 8)
    costs = representation_costs("diagonal", predictors, 2, 2)

    assert costs[:, 0].tolist() == [14, 28]
    assert costs[:, 1].isnan().tolist() == [True, False]
    assert float(costs[1, 1]) == 0


def test_a_matrix_costs_what_its_singular_values_do() -> None:
    matrix = torch.diag(torch.tensor([8.0, -1.0], dtype=torch.float64))

    assert float(representation_cost("fully-connected", matrix, 3, 1)) == pytest.approx(3 * (4 + 1))
    assert coordinates("diagonal", matrix, 1).tolist() == [8, 0, 0, 1]


def test_frequencies_are_those_of_numpy() -> None:
    w = torch.randn(7, generator=Generator().manual_seed(0), dtype=torch.float64)

    np.testing.assert_allclose(frequencies(w).numpy(), np.abs(np.fft.fft(w.numpy(), norm="ortho")), rtol=1e-13)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_the_k_support_norm_is_dual_to_the_norm_of_the_k_largest_entries(k: int) -> None:
    """max <w, x> over x whose k largest entries have length one, by a solver that does not sort."""
    w = np.array([2.0, -1.1, 1.0, 0.4, -0.3])
    chosen = [list(subset) for subset in itertools.combinations(range(5), k)]
    limits = {"type": "ineq", "fun": lambda x: np.array([1 - x[one] @ x[one] for one in chosen])}

    best = minimize(lambda x: -w @ x, 0.1 * w, constraints=[limits], method="SLSQP", options={"ftol": 1e-14})

    assert float(k_support_norm(torch.from_numpy(w), k)) == pytest.approx(-best.fun, rel=1e-8)


def test_the_k_support_norm_of_equal_entries_is_an_even_split_between_subsets() -> None:
    ones = torch.ones(6, dtype=torch.float64)

    for k in range(1, 7):
        assert float(k_support_norm(ones, k)) == pytest.approx(6 / k**0.5)


def test_the_power_is_two_over_depth_except_for_one_full_output() -> None:
    assert power("diagonal", 4, 1) == 0.5
    assert power("fully-connected", 4, 3) == 0.5
    assert power("fully-connected", 4, 1) == 2
