"""Orthogonal starts: the target's modes, the product that is asked for, and balance."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from dlnrepro.dynamics.networks.chain import largest_imbalance, product
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.training_clocks.orthogonal_start import draw_orthogonal_start, orthogonal_factor

STRENGTHS = torch.tensor([[1.5, 0.5], [1.5, 0.5]], dtype=torch.float64)
START = torch.full((2,), 0.3, dtype=torch.float64)


def _generators() -> list[Generator]:
    return [Generator().manual_seed(seed) for seed in (0, 1)]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_layers_are_balanced_and_multiply_to_a_scaled_orthogonal_matrix(depth: int) -> None:
    target, weights = draw_orthogonal_start(STRENGTHS, 5, depth, START, 2.0, _generators())

    expected = torch.tensor([1.5, 0.5, 0, 0, 0], dtype=torch.float64).expand(2, -1)
    torch.testing.assert_close(torch.linalg.svdvals(target), expected, rtol=1e-12, atol=1e-14)
    strengths = torch.linalg.svdvals(product(weights))
    torch.testing.assert_close(strengths, torch.full_like(strengths, 0.3), rtol=1e-12, atol=0)
    assert len(weights) == depth
    assert float(largest_imbalance(weights).max()) < 1e-14


def test_without_misalignment_the_product_carries_the_modes_of_the_target() -> None:
    target, weights = draw_orthogonal_start(STRENGTHS, 5, 3, START, 0.0, _generators())
    left, _, right = torch.linalg.svd(target)

    carried = torch.diagonal(left.mT @ product(weights) @ right.mT, dim1=-2, dim2=-1)

    torch.testing.assert_close(carried[:, :2], torch.full((2, 2), 0.3, dtype=torch.float64), rtol=1e-10, atol=0)


def test_no_small_turn_brings_the_orthogonal_factor_nearer() -> None:
    """The factor Q maximises tr(Q^T X), so that Q^T X is symmetric, with eigenvalues of at least zero."""
    matrix = normal((4, 4), _generators())

    polar = orthogonal_factor(matrix).mT @ matrix

    torch.testing.assert_close(polar, polar.mT, rtol=0, atol=1e-13)
    assert float(torch.linalg.eigvalsh(polar).min()) >= 0


def test_each_run_has_its_own_strengths_and_its_own_start() -> None:
    strengths, start = STRENGTHS * torch.tensor([[1.0], [2.0]]), START * torch.tensor([1.0, 2.0])
    target, weights = draw_orthogonal_start(strengths, 5, 3, start, 0.5, _generators())

    torch.testing.assert_close(torch.linalg.svdvals(target)[:, :2], strengths, rtol=1e-12, atol=0)
    torch.testing.assert_close(torch.linalg.svdvals(product(weights))[:, 0], start, rtol=1e-12, atol=0)
