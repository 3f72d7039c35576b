"""The losses of a factorised matrix: their gradients by the formula and by autograd, and the bounds of their size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.factorisation.losses import LossName, draw_problem
from dlnrepro.dynamics.networks.plain import gradients
from dlnrepro.dynamics.starts.draws import normal

LOSSES: list[LossName] = ["squared", "log-cosh", "completion"]


def _generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in (5, 6)]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_formula_of_a_gradient_is_that_of_autograd(loss: LossName) -> None:
    generators = _generators()
    problem = draw_problem(loss, 4, 3, 7, generators)
    matrices = normal((3, 4), generators)

    (slopes,) = gradients(problem.plain, [matrices[:, None]])

    for run in range(2):
        found = problem.field()(run, matrices[run].numpy())
        np.testing.assert_allclose(found, slopes[run, 0].numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_change_at_most_by_the_steepness_times_the_distance(loss: LossName) -> None:
    generators = _generators()
    problem = draw_problem(loss, 4, 3, 7, generators)
    first, second = (normal((3, 4), generators) for _ in range(2))

    for run in range(2):
        near, far = (problem.field()(run, matrix[run].numpy()) for matrix in (first, second))
        distance = float(torch.linalg.matrix_norm(first[run] - second[run]))
        assert np.linalg.norm(near - far) <= float(problem.steepness[run]) * distance


def test_a_missing_entry_has_no_gradient() -> None:
    problem = draw_problem("completion", 4, 3, 7, _generators())

    found = problem.field()(0, np.zeros((3, 4)))

    assert ((found == 0) == (problem.counted[0].numpy() == 0)).all()
    assert 0 < float(problem.counted.mean()) < 1
