"""The rates of the last stage against the Hessian by autograd, whose eigenvalues know no formula."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.last_stage import (
    falling_distance,
    first_order_parts,
    limit_rate,
    part_rates,
    slowest_part,
)
from dlnrepro.dynamics.one_neuron.start import axis_pair, balanced
from dlnrepro.dynamics.starts.targets import Target, diagonal
from tests.runners.running import seeded

STRENGTHS = torch.tensor([[2.5, 1.5, 0.4]], dtype=torch.float64)


def a_target() -> Target:
    return diagonal(4, 5, STRENGTHS)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_rates_are_the_eigenvalues_of_the_hessian_that_are_not_zero(depth: int) -> None:
    target = a_target()
    weights = balanced(
        target, axis_pair(target, 1, 1, 1.0), STRENGTHS[:, 0], [5, 1, *[3] * (depth - 2), 4], seeded([0])
    )
    sizes = [weight.numel() for weight in weights]

    def loss(vector: torch.Tensor) -> torch.Tensor:
        pieces = [part.reshape(weight.shape) for part, weight in zip(torch.split(vector, sizes), weights, strict=True)]
        return (product(pieces) - target.matrix).square().sum() / 2

    start = torch.cat([weight.flatten() for weight in weights])
    hessian = torch.autograd.functional.hessian(loss, start)  # type: ignore[no-untyped-call]
    found = torch.linalg.eigvalsh(hessian)

    for rate in part_rates(target, depth)[0]:
        assert float((found - rate).abs().min()) < 1e-9
    assert float(part_rates(target, depth).min()) == pytest.approx(float(found[found.abs() > 1e-9].min()), rel=1e-9)


def test_the_parts_have_the_norm_of_the_distance_to_first_order() -> None:
    target, small = a_target(), 1e-6
    whole = target.best_rank_one.clone()
    whole[0, 1, 0], whole[0, 0, 1], whole[0, 3, 0], whole[0, 0, 0] = small, -small, 2 * small, 2.5 + small
    parts = first_order_parts(target, whole)

    assert parts.shape == part_rates(target, 3).shape == (1, 8)
    assert float(parts[0, 1]) == 0
    assert float(torch.linalg.vector_norm(parts)) == pytest.approx(7**0.5 * small / 2.5, rel=1e-9)


def test_the_predicted_distance_is_a_sum_of_exponentials_from_the_anchor_on() -> None:
    parts = torch.tensor([[[3.0, 30.0], [4.0, 40.0]]], dtype=torch.float64)
    rates, steps = torch.tensor([[1.0, 2.0]], dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)

    law = falling_distance(parts, rates, steps, 0.1, torch.tensor([0]))

    expected = torch.tensor([[5.0, (2.7**2 + 3.2**2) ** 0.5]], dtype=torch.float64)
    torch.testing.assert_close(law, expected)
    torch.testing.assert_close(slowest_part(parts, rates), parts[:, 0])


def test_the_rate_near_a_saddle_is_that_of_its_own_modes() -> None:
    numbers = torch.tensor([1, 2, 3])
    found = limit_rate(STRENGTHS.expand(3, -1), numbers, 4)

    expected = [2.5**0.5 * 1.0, 1.5**0.5 * 1.1, 0.4**1.5]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
