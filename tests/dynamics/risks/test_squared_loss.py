"""Second moments: the gradient, commuting and perturbed moments, and reduced-rank regression."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.risks.squared_loss import (
    commuting_moment,
    leading_modes,
    reduced_rank,
    regression_gradient,
    spread_moment,
    squared_loss_field,
    squared_loss_gradient,
    unit_symmetric,
)
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.starts.targets import rotated

STRENGTHS = torch.tensor([[3.0, 1.5, 0.4]] * 4, dtype=torch.float64)


def _generators(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def _risk(whole: torch.Tensor, moment: torch.Tensor, cross: torch.Tensor) -> torch.Tensor:
    return 0.5 * (whole @ moment * whole).sum((-2, -1)) - (whole * cross).sum((-2, -1))


def test_the_gradient_is_that_of_the_squared_loss_on_samples() -> None:
    generators = _generators(2)
    inputs, outputs = normal((5, 40), generators), normal((3, 40), generators)
    weights = [weight.requires_grad_() for weight in gaussian([5, 4, 3], 1.0, generators)]

    loss = 0.5 * ((outputs - weights[1] @ weights[0] @ inputs) ** 2).sum((-2, -1)) / 40
    expected = torch.autograd.grad(loss.sum(), weights)
    gradient = regression_gradient(inputs @ inputs.mT / 40, outputs @ inputs.mT / 40)
    found = gradient([weight.detach() for weight in weights])

    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


def _spread(*first: float) -> torch.Tensor:
    """Variances of four runs with six inputs: the first ones are given, and the others are 1."""
    return torch.tensor([*first, *[1.0] * (6 - len(first))], dtype=torch.float64).expand(4, -1)


def test_a_commuting_moment_has_the_target_s_singular_vectors_and_the_given_variances() -> None:
    target = rotated(4, 6, STRENGTHS, _generators(4))
    moment = commuting_moment(target, _spread(2.0, 0.5))

    diagonal = target.right.mT @ moment @ target.right
    expected = torch.diag(torch.tensor([2.0, 0.5, 1, 1, 1, 1], dtype=torch.float64)).expand_as(diagonal)
    torch.testing.assert_close(diagonal, expected, rtol=0, atol=1e-14)


def test_a_symmetric_perturbation_is_symmetric_and_of_norm_one() -> None:
    bend = unit_symmetric(5, _generators(3))

    assert torch.equal(bend, bend.mT)
    torch.testing.assert_close(torch.linalg.eigvalsh(bend).abs().amax(-1), torch.ones(3, dtype=torch.float64))


def test_reduced_rank_regression_keeps_the_modes_that_explain_most() -> None:
    """With variances 9, 1, 1 the squares over variances are 1, 2.25, 0.16: the second mode comes first."""
    target = rotated(4, 6, STRENGTHS, _generators(4))
    found = reduced_rank(commuting_moment(target, _spread(9.0)), target.matrix, 1)

    torch.testing.assert_close(found, target.mode(torch.full((4,), 2)), rtol=0, atol=1e-13)


def test_leading_modes_follow_strengths_and_not_what_they_explain() -> None:
    target = rotated(4, 6, STRENGTHS, _generators(4))
    moment = commuting_moment(target, _spread(9.0))

    expected = target.mode(torch.ones(4, dtype=torch.int64)) / 9
    torch.testing.assert_close(leading_modes(target, moment, 1), expected, rtol=0, atol=1e-13)
    torch.testing.assert_close(leading_modes(target, moment, 3) @ moment, target.matrix, rtol=0, atol=1e-13)


def test_no_neighbour_of_the_same_rank_has_a_lower_risk() -> None:
    generators = _generators(1)
    bend = unit_symmetric(6, generators)
    moment = torch.eye(6, dtype=torch.float64) + 0.7 * bend
    cross = normal((4, 6), generators)
    best = reduced_rank(moment, cross, 2)
    left, strengths, right = torch.linalg.svd(best)
    factors = left[..., :2] * strengths[:, None, :2], right[:, :2]

    assert float(strengths[0, 2]) < 1e-14
    for _ in range(20):
        moved = (factors[0] + 0.05 * normal((4, 2), generators)) @ (factors[1] + 0.05 * normal((2, 6), generators))
        assert float(_risk(moved, moment, cross)) > float(_risk(best, moment, cross))


def test_full_rank_is_least_squares() -> None:
    generators = _generators(2)
    moment = torch.eye(5, dtype=torch.float64) + 0.5 * unit_symmetric(5, generators)
    cross = normal((3, 5), generators)

    torch.testing.assert_close(reduced_rank(moment, cross, 3) @ moment, cross, rtol=0, atol=1e-13)


def test_the_spread_moment_has_determinant_one_and_the_asked_spread_and_is_white_for_one() -> None:
    moment = spread_moment(6, 50.0)

    assert float(moment.prod()) == pytest.approx(1, rel=1e-14)
    assert float(moment[0] / moment[-1]) == pytest.approx(50, rel=1e-14)
    torch.testing.assert_close(moment.log().diff(), torch.full((5,), -math.log(50) / 5, dtype=torch.float64))
    assert spread_moment(6, 1.0).tolist() == [1.0] * 6


def test_the_field_of_a_run_is_the_derivative_of_its_squared_loss() -> None:
    generators = _generators(2)
    whole, cross = normal((3, 5), generators).requires_grad_(), normal((3, 5), generators)
    moment = torch.diag(spread_moment(5, 20.0)).expand(2, 5, 5)
    (expected,) = torch.autograd.grad(_risk(whole, moment, cross).sum(), whole)

    field = squared_loss_field(cross, 20.0)

    for run in range(2):
        product = whole[run].detach().numpy()
        np.testing.assert_allclose(field(run, product), expected[run].numpy(), rtol=1e-13, atol=1e-14)


def test_the_gradient_for_spread_inputs_is_that_of_their_second_moment() -> None:
    generators = _generators(2)
    cross, weights = normal((3, 5), generators), gaussian([5, 4, 3], 1.0, generators)

    found = squared_loss_gradient(cross, 20.0)(weights)

    expected = regression_gradient(torch.diag(spread_moment(5, 20.0)), cross)(weights)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_the_field_of_white_inputs_is_exactly_the_distance_from_the_target() -> None:
    generators = _generators(1)
    whole, cross = normal((3, 5), generators), normal((3, 5), generators)

    assert squared_loss_field(cross, 1.0)(0, whole[0].numpy()).tolist() == (whole - cross)[0].tolist()
