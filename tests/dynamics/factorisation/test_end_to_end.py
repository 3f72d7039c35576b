"""The equation of the product, against the chain rule on balanced layers and a solution in closed form."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dlnrepro.dynamics.factorisation.end_to_end import (
    EDGE,
    end_to_end_velocity,
    follow_product,
    layer_velocity_error,
    path_velocity,
    singular_velocity,
    singular_velocity_error,
    stencils,
)
from dlnrepro.dynamics.networks.chain import prefixes, product, pull_back
from dlnrepro.dynamics.starts.draws import normal, orthonormal


def _balanced(depth: int, rows: int, columns: int) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Balanced layers and a gradient, both drawn."""
    generators = [torch.Generator().manual_seed(3)]
    left, strengths, right = torch.linalg.svd(normal((rows, columns), generators), full_matrices=False)
    rank = strengths.shape[-1]
    frames = [right.mT, *(orthonormal(6, rank, generators) for _ in range(depth - 1)), left]
    layers = [after * (strengths ** (1 / depth))[:, None] @ before.mT for before, after in pairwise(frames)]
    return layers, normal((rows, columns), generators)


@pytest.mark.parametrize(("depth", "rows", "columns"), [(1, 3, 4), (2, 3, 4), (3, 4, 4), (4, 4, 2), (3, 1, 5)])
def test_the_velocity_is_the_chain_rule_on_balanced_layers(depth: int, rows: int, columns: int) -> None:
    layers, gradient = _balanced(depth, rows, columns)
    parts = pull_back(layers, prefixes(layers), gradient)
    expected = -sum(product([*layers[:at], part, *layers[at + 1 :]]) for at, part in enumerate(parts))

    found = end_to_end_velocity(product(layers)[0].numpy(), gradient[0].numpy(), depth)

    np.testing.assert_allclose(found, np.asarray(expected)[0], rtol=0, atol=1e-12)


def test_singular_values_move_as_a_small_step_moves_them() -> None:
    layers, gradient = _balanced(3, 3, 4)
    size = 1e-6
    parts = pull_back(layers, prefixes(layers), gradient)
    ends = [
        product([layer - sign * size * part for layer, part in zip(layers, parts, strict=True)]) for sign in (1, -1)
    ]
    after, before = (torch.linalg.svdvals(end) for end in ends)

    _, _, found = singular_velocity(product(layers), gradient, 3)

    torch.testing.assert_close(found, (after - before) / (2 * size), rtol=1e-7, atol=1e-8)


def _stencils(rate: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Matrices that grow as exp(rate t), at nine times around each of three centres, and the spacing of the times."""
    spacings = torch.tensor([1 / 40], dtype=torch.float64)
    times = stencils(torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64), spacings)
    matrix = torch.tensor([[1.0, 2.0], [-1.0, 0.5]], dtype=torch.float64)
    return (rate * times).exp()[..., None, None] * matrix, spacings


def test_the_velocity_of_an_exponential_path_is_its_rate_times_the_path() -> None:
    path, spacings = _stencils(2.0)

    torch.testing.assert_close(path_velocity(path, spacings), 2 * path[:, :, EDGE], rtol=1e-11, atol=1e-12)


def test_a_path_that_follows_another_gradient_has_an_error_in_its_velocity() -> None:
    """W' = W is the flow of one layer with the gradient -W."""
    path, spacings = _stencils(1.0)
    centres, velocity = path[:, :, EDGE], path_velocity(path, spacings)

    assert float(singular_velocity_error(centres, velocity, -centres, 1)) < 1e-11
    assert float(singular_velocity_error(centres, velocity, -0.9 * centres, 1)) == pytest.approx(0.1, rel=1e-9)
    assert float(layer_velocity_error([velocity], [-centres])) < 1e-11
    assert float(layer_velocity_error([velocity], [-0.9 * centres])) == pytest.approx(0.1, rel=1e-9)


def test_one_layer_follows_the_exponential_of_linear_regression() -> None:
    start, aim = np.ones((2, 3)), np.arange(6.0).reshape(2, 3)
    times = np.linspace(0, 2, 5)

    def gradient(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.5 * (matrix - aim)

    found = follow_product(start, gradient, 1, times, 1e-10, lambda _: None)

    np.testing.assert_allclose(found, aim + np.exp(-1.5 * times)[:, None, None] * (start - aim), rtol=1e-8, atol=1e-8)


def test_a_path_that_diverges_is_nan() -> None:
    found = follow_product(
        np.ones((2, 2)), lambda matrix: -(matrix**3), 2, np.linspace(0, 100, 4), 1e-8, lambda _: None
    )

    assert np.isnan(found[-1]).all()
