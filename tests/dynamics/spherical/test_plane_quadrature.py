"""The integral of the definition against sampling, and against closed forms where there are some."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.spherical.plane_quadrature import (
    exponential_pull,
    logistic_pull,
    mean_length,
    plane_gradient,
    risk_gradient,
)
from dlnrepro.dynamics.spherical.symmetric_inputs import (
    InputLaw,
    SymmetricInputs,
    mixing,
    plain_inputs,
    population_gradient,
    radial_pull,
    teacher_pull,
)

CASES: list[tuple[InputLaw, int]] = [("sphere", 2), ("sphere", 3), ("sphere", 8), ("gaussian", 2)]


@pytest.mark.slow
@pytest.mark.parametrize(("law", "dimension"), CASES)
def test_it_agrees_with_the_constant_and_radial_fields_at_all_norms_and_angles(law: InputLaw, dimension: int) -> None:
    norms = np.array([0.01, 0.3, 2.0, 20.0, 60.0, 60.0, 60.0])
    angles = np.array([1.0, 3.0, 0.2, 1.6, 1e-3, 2.9, 3.14])

    along, across = plane_gradient(plain_inputs(law, dimension), logistic_pull, norms, angles)

    pull = np.array([radial_pull(plain_inputs(law, dimension))(norm) for norm in norms])
    np.testing.assert_allclose(
        along, teacher_pull(plain_inputs(law, dimension)) - pull * np.cos(angles), rtol=0, atol=2e-12
    )
    np.testing.assert_allclose(across, -pull * np.sin(angles), rtol=0, atol=2e-12)


@pytest.mark.parametrize(("law", "dimension"), CASES)
def test_a_constant_push_leaves_twice_the_teacher_s_pull(law: InputLaw, dimension: int) -> None:
    along, across = plane_gradient(plain_inputs(law, dimension), np.ones_like, np.ones(2), np.array([0.4, 2.0]))

    np.testing.assert_allclose(along, 2 * teacher_pull(plain_inputs(law, dimension)), rtol=1e-12)
    np.testing.assert_allclose(across, 0, rtol=0, atol=1e-15)


def test_the_exponential_loss_matches_sampling() -> None:
    points = torch.randn(400_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy()
    signed = points * np.sign(points[:, :1])
    angle, norm = 0.8, 0.7
    weights = np.exp(-signed @ (norm * np.array([np.cos(angle), np.sin(angle)])))

    along, across = plane_gradient(plain_inputs("gaussian", 2), exponential_pull, np.array([norm]), np.array([angle]))

    np.testing.assert_allclose([along[0], across[0]], weights @ signed / len(signed), rtol=0, atol=0.01)


def test_the_logistic_push_is_the_sigmoid() -> None:
    margins = np.array([-50.0, -1.0, 0.0, 2.0, 30.0])

    np.testing.assert_allclose(logistic_pull(margins), 1 / (1 + np.exp(margins)), rtol=1e-12, atol=1e-16)


MIXTURE = np.array([0.5, 2.0]), np.array([0.3, 0.7])


@pytest.mark.parametrize(("law", "dimension"), CASES)
def test_the_mean_length_is_pi_times_the_teacher_s_pull(law: InputLaw, dimension: int) -> None:
    inputs = SymmetricInputs(law, dimension, *MIXTURE)

    assert mean_length(inputs) == pytest.approx(math.pi * teacher_pull(inputs), rel=1e-12)


@pytest.mark.parametrize(("law", "dimension"), CASES)
@pytest.mark.parametrize("stretch", [1.0, 5.0])
def test_autograd_on_the_risk_agrees_with_the_closed_gradient(law: InputLaw, dimension: int, stretch: float) -> None:
    """dR/dW_1 = W_2^T g^T and dR/dW_2 = g^T W_1^T, with g the gradient on the predictor."""
    inputs, mix = SymmetricInputs(law, dimension, *MIXTURE), mixing(dimension, stretch)
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(3, dimension, generator=generator, dtype=torch.float64)
    second = torch.randn(1, 3, generator=generator, dtype=torch.float64)
    closed = torch.from_numpy(population_gradient(inputs, mix)((second @ first)[0].numpy()))[None]

    gradients = risk_gradient(inputs, mix, [first, second])

    torch.testing.assert_close(gradients[0], second.mT @ closed, rtol=0, atol=1e-5)
    torch.testing.assert_close(gradients[1], closed @ first.mT, rtol=0, atol=1e-5)
