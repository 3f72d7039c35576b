"""The loss of a whole population: drawn samples, autograd, quadrature, and the closed form of the flow of one layer."""

from __future__ import annotations

import math

import pytest
import torch

from dlnrepro.dynamics.general.population import population_loss, squared_population_loss
from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw, draw_sample, mixing, plain_inputs
from dlnrepro.dynamics.starts.draws import normal
from tests.runners.running import seeded

RUNS = [0, 1]
LAWS: list[InputLaw] = ["sphere", "gaussian"]
DIMENSIONS = [2, 3, 6]
SAMPLES = 200_000
FIVE_DEVIATIONS = 5 / math.sqrt(SAMPLES)


def signed_points(law: InputLaw, dimension: int) -> torch.Tensor:
    """Points y x of one run."""
    return draw_sample([plain_inputs(law, dimension)], SAMPLES, mixing(dimension, 1.0), seeded([7]))[0]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("size", [1e-3, 1.0, 10.0])
def test_the_slope_is_that_of_the_value_and_of_the_quadrature_from_the_definition(
    law: InputLaw, dimension: int, size: float
) -> None:
    loss, matrix = population_loss(law, dimension, 2), size * normal((1, dimension), seeded(RUNS))
    tracked = matrix.clone().requires_grad_()
    (by_value,) = torch.autograd.grad(loss.value(tracked).sum(), tracked)
    (by_plane,) = torch.autograd.grad(loss.of_outputs()(tracked).sum(), tracked)

    torch.testing.assert_close(loss.slope(matrix), by_value, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(loss.slope(matrix), by_plane, rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(loss.log_slope(matrix) * loss.value(matrix)[:, None, None], by_value)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_value_is_the_mean_of_many_samples(law: InputLaw, dimension: int) -> None:
    loss, matrix = population_loss(law, dimension, 2), 2 * normal((1, dimension), seeded(RUNS))
    losses = torch.nn.functional.softplus(-(signed_points(law, dimension) @ matrix[:, 0].mT))

    apart = (losses.mean(0) - loss.value(matrix)).abs()

    assert bool((apart < FIVE_DEVIATIONS * losses.std(0)).all())
    torch.testing.assert_close(loss.logarithm(matrix).exp(), loss.value(matrix))


@pytest.mark.parametrize("law", LAWS)
def test_the_squared_loss_has_the_moments_of_many_samples(law: InputLaw) -> None:
    loss, signed = squared_population_loss(law, 3, 1), signed_points(law, 3)
    assert loss.moment is not None

    torch.testing.assert_close(loss.cross[0, 0], signed.mean(0), rtol=0, atol=FIVE_DEVIATIONS)
    torch.testing.assert_close(loss.moment[0], signed.mT @ signed / SAMPLES, rtol=0, atol=2 * FIVE_DEVIATIONS)


@pytest.mark.parametrize("law", LAWS)
def test_at_zero_the_loss_is_log_two_and_its_slope_is_along_the_teacher(law: InputLaw) -> None:
    loss, zero = population_loss(law, 3, 1), torch.zeros(1, 1, 3, dtype=torch.float64)

    (by_plane,) = torch.autograd.grad(loss.of_outputs()(zero.requires_grad_()).sum(), zero)

    assert math.isclose(float(loss.value(zero.detach())), math.log(2), rel_tol=1e-14)
    torch.testing.assert_close(loss.slope(zero.detach()), by_plane)
    assert loss.slope(zero.detach())[0, 0, 1:].tolist() == [0, 0]


@pytest.mark.parametrize("law", LAWS)
def test_a_run_that_is_lost_is_lost_alone(law: InputLaw) -> None:
    loss, matrix = population_loss(law, 3, 2), normal((1, 3), seeded(RUNS))
    matrix[0] = torch.nan

    for found in (loss.slope(matrix), loss.value(matrix), loss.of_outputs()(matrix)):
        assert not bool(torch.isfinite(found[0]).any())
        assert bool(torch.isfinite(found[1]).all())
