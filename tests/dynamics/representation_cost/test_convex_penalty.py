"""Penalised least squares: held to another solver, and the certificate to what it certifies."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize as scipy_minimise
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.convex_penalty import (
    Penalty,
    certified_distance,
    dual_norm,
    fourier,
    inverse_fourier,
    minimise,
    norm,
    shrink,
)
from dlnrepro.dynamics.representation_cost.formulas import representation_cost
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import silent

LAWS: list[Penalty] = ["fully-connected", "diagonal", "convolutional", "group"]


def _data(outputs: int) -> tuple[Tensor, Tensor]:
    generators = [Generator().manual_seed(seed) for seed in (0, 1)]
    return normal((20, 6), generators), normal((20, outputs), generators)


def _point(outputs: int, seed: int = 7) -> Tensor:
    return normal((6, outputs), [Generator().manual_seed(seed)])


@pytest.mark.parametrize(("law", "outputs"), [*((law, 1) for law in LAWS), ("fully-connected", 3)])
def test_the_norm_is_half_the_cost_of_two_layers(law: Penalty, outputs: int) -> None:
    w = _point(outputs)

    torch.testing.assert_close(norm(law, w, 2)[0], representation_cost(law, w[0], 2, 2) / 2)


@pytest.mark.parametrize(("law", "outputs"), [*((law, 1) for law in LAWS), ("fully-connected", 3)])
def test_the_solution_beats_its_neighbours_and_is_certified(law: Penalty, outputs: int) -> None:
    x, y = _data(outputs)
    w = minimise(law, x, y, 0.1, 2, 400, silent)

    def objective(v: Tensor) -> Tensor:
        return ((x @ v - y) ** 2).sum((-2, -1)) / 40 + 0.1 * norm(law, v, 2)

    for seed in range(20):
        step = 1e-3 * _point(outputs, seed)
        assert bool((objective(w + step) > objective(w)).all())
    assert float(certified_distance(law, w, x, y, 0.1, 2).max()) < 1e-6


@pytest.mark.parametrize(("law", "outputs"), [*((law, 1) for law in LAWS), ("fully-connected", 3)])
def test_the_certificate_is_never_smaller_than_the_distance(law: Penalty, outputs: int) -> None:
    x, y = _data(outputs)
    solution = minimise(law, x, y, 0.1, 2, 400, silent)

    for steps in (1, 3, 10, 30):
        w = minimise(law, x, y, 0.1, 2, steps, silent)
        size = torch.linalg.matrix_norm(w)
        distance = torch.linalg.matrix_norm(w - solution) / size
        assert bool((distance <= certified_distance(law, w, x, y, 0.1, 2) + 1e-7).all())


def test_the_lasso_is_that_of_a_solver_with_bounds() -> None:
    """Positive and negative parts, both bounded below by zero, for L-BFGS-B."""
    x, y = (one[0].numpy() for one in _data(1))

    def objective(parts: np.ndarray) -> tuple[float, np.ndarray]:
        rest = x @ (parts[:6] - parts[6:]) - y[:, 0]
        slope = x.T @ rest / 20
        return float(rest @ rest / 40 + 0.1 * parts.sum()), np.concatenate([slope + 0.1, 0.1 - slope])

    found = scipy_minimise(
        objective,
        np.zeros(12),
        jac=True,
        bounds=[(0, None)] * 12,
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-12},
    ).x
    w = minimise("diagonal", *_data(1), 0.1, 2, 400, silent)[0, :, 0].numpy()

    np.testing.assert_allclose(w, found[:6] - found[6:], atol=1e-7)
    assert 0 < (np.abs(w) > 0).sum() < 6


@pytest.mark.parametrize(("law", "outputs"), [*((law, 1) for law in LAWS), ("fully-connected", 3)])
def test_shrinking_solves_its_own_problem(law: Penalty, outputs: int) -> None:
    """The residual of the proximal map is a subgradient: of dual norm `by`, and aligned with what is left."""
    w = 2 * _point(outputs)
    left = shrink(law, w, torch.tensor(0.7, dtype=torch.float64)[None, None, None], 2)
    rest = w - left

    assert float(dual_norm(law, rest, 2)) == pytest.approx(0.7)
    assert float((rest * left).sum()) == pytest.approx(0.7 * float(norm(law, left, 2)))


def test_fourier_coefficients_are_those_of_torch_and_come_back() -> None:
    w = _point(1)[..., 0]

    real, imaginary = fourier(w)
    expected = torch.fft.fft(w, norm="ortho")

    torch.testing.assert_close(torch.complex(real, imaginary), expected)
    torch.testing.assert_close(inverse_fourier(real, imaginary), w)
    assert float(norm("convolutional", w[..., None], 2)) == pytest.approx(float(expected.abs().sum()) / math.sqrt(6))


def test_progress_may_stop_the_solver() -> None:
    def progress(fraction: float, _: str) -> None:
        if fraction > 0.5:
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        minimise("diagonal", *_data(1), 0.1, 2, 400, progress)
