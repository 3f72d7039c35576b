"""Tied layers: the predictors they make, held to the definitions, and their derivatives to autograd."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.representation_cost import tied_layers
from dlnrepro.dynamics.representation_cost.tied_layers import (
    Pattern,
    jacobian,
    matrices,
    predictor,
    squared_norm,
    tied_gradient,
)
from dlnrepro.dynamics.starts.draws import normal

NETWORKS = {
    "full": tied_layers.fully_connected([3, 4, 5, 6]),
    "diagonal": tied_layers.diagonal_layers(5, 3),
    "convolutional": tied_layers.convolutional(6, 4, 3),
    "group": tied_layers.grouped(3, 2, 3),
    "subsets": tied_layers.subsets(4, 2),
}


def _draw(layers: list[Pattern], runs: int = 2) -> list[Tensor]:
    generators = [Generator().manual_seed(seed) for seed in range(runs)]
    return [normal((layer.count,), generators) for layer in layers]


def test_diagonal_layers_multiply_entry_by_entry() -> None:
    first, second, third = values = _draw(NETWORKS["diagonal"])

    torch.testing.assert_close(predictor(NETWORKS["diagonal"], values)[..., 0], first * second * third)


def test_convolutions_multiply_the_fourier_transforms() -> None:
    layers = NETWORKS["convolutional"]
    values = _draw(layers)

    transforms = [torch.fft.fft(value, n=6, dim=-1) for value in values]
    expected = torch.fft.ifft(transforms[0] * transforms[1] * transforms[2], dim=-1).real

    torch.testing.assert_close(predictor(layers, values)[..., 0], expected)
    assert [layer.count for layer in layers] == [6, 4, 4]


def test_groups_are_scaled_by_their_scalars() -> None:
    vector, first, second = values = _draw(NETWORKS["group"])

    expected = (vector.view(2, 3, 2) * (first * second)[..., None]).flatten(1)

    torch.testing.assert_close(predictor(NETWORKS["group"], values)[..., 0], expected)


def test_subsets_add_up_their_scaled_vectors() -> None:
    vectors, scalars = values = _draw(NETWORKS["subsets"])

    expected = torch.zeros(2, 4, dtype=torch.float64)
    for number, (one, other) in enumerate(itertools.combinations(range(4), 2)):
        expected[:, one] += scalars[:, number] * vectors[:, 2 * number]
        expected[:, other] += scalars[:, number] * vectors[:, 2 * number + 1]

    torch.testing.assert_close(predictor(NETWORKS["subsets"], values)[..., 0], expected)


def test_full_layers_are_matrices_row_by_row() -> None:
    values = _draw(NETWORKS["full"])

    expected = values[2].view(2, 6, 5) @ values[1].view(2, 5, 4) @ values[0].view(2, 4, 3)

    torch.testing.assert_close(predictor(NETWORKS["full"], values), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_jacobian_and_gradient_agree_with_autograd(name: str) -> None:
    layers = NETWORKS[name]
    values = [value.requires_grad_() for value in _draw(layers, runs=1)]
    whole = predictor(layers, values)
    slope = torch.randn(whole.shape, generator=Generator().manual_seed(5), dtype=torch.float64)

    expected = torch.stack(
        [torch.cat(torch.autograd.grad(entry, values, retain_graph=True), -1)[0] for entry in whole.flatten()]
    )
    chain = matrices(layers, values)

    torch.testing.assert_close(jacobian(layers, values)[0], expected)
    gradient = tied_gradient(layers, chain, prefixes(chain), slope)
    torch.testing.assert_close(torch.cat(gradient, -1)[0], slope.flatten() @ expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_predictor_is_homogeneous_so_that_its_derivative_along_the_weights_is_depth_times_itself(name: str) -> None:
    layers = NETWORKS[name]
    values = _draw(layers)

    along = (jacobian(layers, values) @ torch.cat(values, -1)[..., None])[..., 0]

    torch.testing.assert_close(along, len(layers) * predictor(layers, values).flatten(-2))


def test_the_cost_is_the_sum_of_squares() -> None:
    values = [torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0]])]

    assert squared_norm(values).tolist() == [14.0]


def test_build_reads_what_concerns_the_architecture() -> None:
    built = [
        tied_layers.build("fully-connected", 2, 6, 3, 4, 1, 1),
        tied_layers.build("diagonal", 3, 6, 1, 1, 1, 1),
        tied_layers.build("convolutional", 2, 6, 1, 1, 2, 1),
        tied_layers.build("group", 2, 6, 1, 1, 1, 3),
        tied_layers.build("k-support", 2, 6, 1, 1, 1, 2),
    ]

    assert [[layer.count for layer in layers] for layers in built] == [[12, 24], [6, 6, 6], [6, 2], [6, 2], [30, 15]]
