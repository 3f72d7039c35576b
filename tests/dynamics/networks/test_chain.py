"""The product, its pull-back and the imbalance, against autograd, dense products and the conservation law."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import (
    imbalance,
    largest_imbalance,
    prefixes,
    product,
    pull_back,
    relative_imbalance,
    smallest_norm,
    whole_norm,
)

WIDTHS = [(3, 5, 2), (4, 3, 6, 2), (2, 3, 4, 5, 3)]


def layers(widths: tuple[int, ...], leading: tuple[int, ...], generator: torch.Generator) -> list[Tensor]:
    """Gaussian weights with leading dimensions."""
    return [
        torch.randn(*leading, rows, columns, dtype=torch.float64, generator=generator)
        for columns, rows in itertools.pairwise(widths)
    ]


@pytest.mark.parametrize("widths", WIDTHS)
def test_the_product_multiplies_from_the_input_to_the_output(
    widths: tuple[int, ...], generator: torch.Generator
) -> None:
    weights = layers(widths, (3, 2), generator)
    dense = torch.linalg.multi_dot([weight[1, 0] for weight in reversed(weights)])
    torch.testing.assert_close(product(weights)[1, 0], dense)
    torch.testing.assert_close(prefixes(weights)[1][2, 1], weights[1][2, 1] @ weights[0][2, 1])


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("leading", [(1,), (3,), (2, 3)])
def test_the_pull_back_is_the_gradient_of_autograd(
    widths: tuple[int, ...], leading: tuple[int, ...], generator: torch.Generator
) -> None:
    weights = [weight.requires_grad_() for weight in layers(widths, leading, generator)]
    end_to_end = product(weights)
    loss = (end_to_end**3).sum() + end_to_end.cos().sum()
    expected = torch.autograd.grad(loss, weights)
    found = pull_back(weights, prefixes(weights), 3 * end_to_end**2 - end_to_end.sin())
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("widths", WIDTHS)
def test_the_imbalance_does_not_change_along_the_gradient(widths: tuple[int, ...], generator: torch.Generator) -> None:
    weights = layers(widths, (2,), generator)
    gradient = torch.randn(2, widths[-1], widths[0], dtype=torch.float64, generator=generator)
    slopes = pull_back(weights, prefixes(weights), gradient)

    def change(step: float) -> Tensor:
        moved = [weight - step * slope for weight, slope in zip(weights, slopes, strict=True)]
        return torch.stack(
            [(after - before).norm() for before, after in zip(imbalance(weights), imbalance(moved), strict=True)]
        )

    # The first-order term vanishes, so the change is exactly of second order.
    ratio = change(2e-3) / change(1e-3)
    torch.testing.assert_close(ratio, torch.full_like(ratio, 4.0), rtol=1e-6, atol=0)


def test_the_largest_imbalance_is_that_of_the_worst_pair_of_layers(generator: torch.Generator) -> None:
    weights = layers((3, 5, 4, 2), (2,), generator)
    pairs = [after[1].mT @ after[1] - before[1] @ before[1].mT for before, after in itertools.pairwise(weights)]

    largest = max(float(matrix.square().sum().sqrt()) for matrix in pairs)

    assert float(largest_imbalance(weights)[1]) == pytest.approx(largest, rel=1e-14)
    assert float(relative_imbalance(weights)[1]) == pytest.approx(
        largest / float(weights[0][1].square().sum()), rel=1e-14
    )


def test_a_single_layer_has_no_imbalance(generator: torch.Generator) -> None:
    assert relative_imbalance(layers((3, 2), (4,), generator)).tolist() == [0.0] * 4


def test_norms_of_a_network_are_those_of_its_entries(generator: torch.Generator) -> None:
    weights = layers((2, 3, 4), (2, 5), generator)
    weights[1] = 3 * weights[1]

    squares = [(weight**2).sum((-2, -1)) for weight in weights]

    torch.testing.assert_close(whole_norm(weights), (squares[0] + squares[1]).sqrt())
    torch.testing.assert_close(smallest_norm(weights), torch.minimum(*squares).sqrt())
