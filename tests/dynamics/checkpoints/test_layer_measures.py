"""Measures of layers, held against plain numpy and against networks in which they are known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.checkpoints.layer_measures import measure_chain
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.balanced import balanced_layers
from dlnrepro.dynamics.starts.draws import orthonormal


def drawn(*widths: int, seed: int = 0) -> list[torch.Tensor]:
    """Gaussian layers between these widths."""
    generator = torch.Generator().manual_seed(seed)
    pairs = pairwise(widths)
    return [torch.randn(after, before, dtype=torch.float64, generator=generator) for before, after in pairs]


def test_every_measure_is_that_of_plain_numpy() -> None:
    weights = drawn(3, 5, 4)
    found = measure_chain(weights)
    first, second = (weight.numpy() for weight in weights)
    values = np.linalg.svd(first, compute_uv=False)
    layer = found.layers[0]
    assert layer.norm == pytest.approx(math.sqrt((first**2).sum()))
    assert layer.spectral_norm == pytest.approx(np.linalg.norm(first, 2))
    assert layer.stable_rank == pytest.approx((first**2).sum() / np.linalg.norm(first, 2) ** 2)
    assert layer.rank_one_gap == pytest.approx(1 - np.linalg.norm(first, 2) / np.linalg.norm(first))
    assert layer.singular_values == pytest.approx(tuple(values))
    left, _, _ = np.linalg.svd(first)
    _, _, right = np.linalg.svd(second)
    (pair,) = found.neighbours
    assert pair.alignment == pytest.approx(abs(right[0] @ left[:, 0]))
    difference = second.T @ second - first @ first.T
    assert pair.imbalance == pytest.approx(np.linalg.norm(difference))
    scale = np.linalg.norm(second.T @ second) + np.linalg.norm(first @ first.T)
    assert pair.relative_imbalance == pytest.approx(np.linalg.norm(difference) / scale)
    assert found.product.singular_values == pytest.approx(tuple(np.linalg.svd(second @ first, compute_uv=False)))
    assert found.whole_norm == pytest.approx(math.sqrt((first**2).sum() + (second**2).sum()))


def test_balanced_layers_are_aligned_and_without_imbalance() -> None:
    generators = [torch.Generator().manual_seed(1)]
    left, right = orthonormal(3, 2, generators), orthonormal(4, 2, generators)
    strengths = torch.tensor([[2.0, 0.5]], dtype=torch.float64)
    found = measure_chain([layer[0] for layer in balanced_layers(left, strengths, right, [5, 5], generators)]).numbers
    assert found["alignment_gap"] < 1e-14
    assert found["alignment"] == pytest.approx(1)
    assert found["relative_imbalance"] < 1e-14
    assert found["product_norm"] == pytest.approx(math.hypot(2, 0.5))


def test_a_matrix_of_rank_one_has_no_gap_and_stable_rank_one() -> None:
    column, row = drawn(1, 4)[0], drawn(3, 1)[0]
    found = measure_chain([column @ row])
    assert found.layers[0].rank_one_gap < 1e-30
    assert found.layers[0].stable_rank == pytest.approx(1)
    assert found.product == found.layers[0]


def test_the_worst_layer_and_the_worst_neighbours_describe_the_run() -> None:
    found = measure_chain(drawn(4, 5, 6, 3))
    numbers = found.numbers
    assert numbers["alignment"] == min(pair.alignment for pair in found.neighbours)
    assert numbers["imbalance"] == max(pair.imbalance for pair in found.neighbours)
    assert numbers["stable_rank"] == max(layer.stable_rank for layer in found.layers[:2])
    assert numbers["smallest_norm"] == min(layer.norm for layer in found.layers)


def test_a_single_layer_has_no_neighbours() -> None:
    found = measure_chain(drawn(3, 2))
    assert found.neighbours == ()
    assert math.isnan(found.numbers["alignment"])
    assert math.isfinite(found.numbers["stable_rank"])


def test_an_alignment_without_a_first_singular_vector_is_not_defined() -> None:
    found = measure_chain([torch.eye(3, dtype=torch.float64), drawn(3, 2)[0]])
    assert math.isnan(found.neighbours[0].alignment)
    assert math.isfinite(found.neighbours[0].imbalance)


def test_weights_that_are_not_finite_give_numbers_that_are_not_defined() -> None:
    weights = drawn(3, 4, 2)
    weights[0][0, 0] = torch.nan
    found = measure_chain(weights)
    assert math.isnan(found.layers[0].norm)
    assert math.isfinite(found.layers[1].norm)
    assert math.isnan(found.numbers["alignment"])
    assert math.isnan(found.product.norm)
    assert bool(product(weights).isnan().any())


def test_zero_weights_are_measured_without_an_error() -> None:
    found = measure_chain([torch.zeros(2, 2, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)])
    assert found.layers[0].norm == 0
    assert math.isnan(found.layers[0].stable_rank)
