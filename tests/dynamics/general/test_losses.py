"""Losses of a matrix: values, logarithms and gradients against the plain route and closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from dlnrepro.dynamics.general.losses import Loss, MarginLoss, SampleLoss, moment_loss
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import array_of
from dlnrepro.dynamics.training_clocks.class_means import one_hot
from tests.runners.running import seeded

RUNS = [0, 1]
MOMENT = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64).expand(2, -1, -1)
SAMPLES = normal((6, 2), seeded([2, 3]))
LOSSES: dict[str, Loss] = {
    "white": moment_loss(normal((3, 2), seeded([4, 5])), None),
    "moments": moment_loss(normal((3, 2), seeded([4, 5])), MOMENT),
    "samples": SampleLoss("squared", SAMPLES, normal((6, 3), seeded([6, 7]))),
    "cross-entropy": SampleLoss("cross-entropy", SAMPLES, one_hot(2, 6, 3)),
    "logistic": MarginLoss("logistic", SAMPLES),
    "exponential": MarginLoss("exponential", SAMPLES),
    "squared margins": MarginLoss("squared", SAMPLES),
}


def matrix_for(loss: Loss) -> torch.Tensor:
    """A random matrix with as many outputs as the loss has."""
    return normal((1 if isinstance(loss, MarginLoss) else 3, 2), seeded(RUNS))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_value_and_gradients_are_those_of_the_plain_route(loss: Loss) -> None:
    matrix = matrix_for(loss).requires_grad_()
    plain = loss.of_outputs()(matrix @ loss.inputs)
    (slope,) = torch.autograd.grad(plain.sum(), matrix)
    found = matrix.detach()

    # The two losses by second moments differ by a constant from those of samples with these moments.
    constant = plain.detach() - loss.value(found)
    other = 2 * found
    torch.testing.assert_close(loss.of_outputs()(other @ loss.inputs) - loss.value(other), constant)
    assert loss.by_logarithm is False or float(constant.abs().max()) < 1e-12
    torch.testing.assert_close(loss.slope(found), slope)
    torch.testing.assert_close(loss.logarithm(found).exp(), loss.value(found))
    torch.testing.assert_close(loss.log_slope(found) * loss.value(found)[:, None, None], slope)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_field_of_a_flow_is_the_gradient_of_one_run(loss: Loss) -> None:
    matrix, field = matrix_for(loss), loss.field()

    for run in range(2):
        found = torch.from_numpy(field(run, array_of(matrix[run])))
        torch.testing.assert_close(found, loss.slope(matrix)[run])


def test_the_squared_loss_by_moments_vanishes_at_its_solution() -> None:
    loss = moment_loss(normal((3, 2), seeded(RUNS)), MOMENT)

    assert float(loss.value(loss.solution).max()) == 0
    assert float(loss.slope(loss.solution).abs().max()) < 1e-14


def test_the_logarithm_of_a_risk_does_not_underflow() -> None:
    signed = torch.ones(1, 3, 2, dtype=torch.float64)
    predictor = torch.full((1, 1, 2), 1e4, dtype=torch.float64)

    assert float(MarginLoss("logistic", signed).logarithm(predictor)) == -2e4
    assert float(MarginLoss("exponential", signed).value(0 * predictor)) == 1
    assert math.isclose(float(MarginLoss("logistic", signed).value(0 * predictor)), math.log(2))
