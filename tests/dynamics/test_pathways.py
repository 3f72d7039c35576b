"""Parallel paths: the gradient against autograd, and what contributions and shares must sum to."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics import pathways
from dlnrepro.dynamics.initialise import orthonormal


@pytest.fixture
def weights(generator: Generator) -> list[Tensor]:
    shapes = [(6, 4), (5, 6), (3, 5)]
    return [torch.randn(2, 3, *shape, generator=generator, dtype=torch.float64) for shape in shapes]


@pytest.fixture
def target(generator: Generator) -> Tensor:
    return torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)


def test_the_gradient_is_autograds(weights: list[Tensor], target: Tensor) -> None:
    tracked = [weight.clone().requires_grad_() for weight in weights]
    expected = torch.autograd.grad(pathways.loss(tracked, target).sum(), tracked)

    for got, want in zip(pathways.loss_gradient(weights, target), expected, strict=True):
        torch.testing.assert_close(got, want)


def test_the_loss_has_its_half_and_takes_no_mean(weights: list[Tensor]) -> None:
    residual = torch.full((2, 3, 4), 2.0, dtype=torch.float64)

    loss = pathways.loss(weights, pathways.network(weights) - residual)

    torch.testing.assert_close(loss, torch.full((2,), 0.5 * 12 * 4, dtype=torch.float64))


def test_one_path_is_an_ordinary_network(weights: list[Tensor]) -> None:
    single = [weight[:, :1] for weight in weights]
    matrix = single[2][:, 0] @ single[1][:, 0] @ single[0][:, 0]

    torch.testing.assert_close(pathways.network(single), matrix)


def test_contributions_of_all_paths_sum_to_the_modes_of_the_network(weights: list[Tensor]) -> None:
    left, strengths, right = torch.linalg.svd(pathways.network(weights), full_matrices=False)

    kept = pathways.mode_contributions(weights, left, right.mT)

    torch.testing.assert_close(kept.sum(-2), strengths)


def test_an_aligned_solution_carries_what_it_is_told_and_nothing_off_the_modes() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    sizes = [4, 6, 5, 3]
    frames = [orthonormal(size, 2, generators)[:, None].expand(-1, 3, -1, -1) for size in sizes]
    contributions = torch.tensor([[0.7, 0.0], [0.2, 0.1], [0.0, 0.5]], dtype=torch.float64).expand(2, 3, 2)

    solution = pathways.aligned_solution(contributions, frames)

    left, right = frames[-1][:, 0], frames[0][:, 0]
    torch.testing.assert_close(pathways.mode_contributions(solution, left, right), contributions)
    assert float(pathways.off_diagonal_share(solution, left, right).max()) < 1e-30
    middle = solution[1].mT @ solution[1]
    torch.testing.assert_close(middle, solution[0] @ solution[0].mT)


def test_off_diagonal_share_is_one_for_paths_that_miss_every_mode() -> None:
    axes = torch.eye(3, dtype=torch.float64)[None]
    matrix = torch.zeros(1, 2, 3, 3, dtype=torch.float64)
    matrix[..., 2, 0] = 1.0

    share = pathways.off_diagonal_share([matrix], axes[..., :2], axes[..., :2])

    torch.testing.assert_close(share, torch.ones(1, dtype=torch.float64))


def test_shares_use_sizes_and_sum_to_one() -> None:
    contributions = torch.tensor([[[3.0], [-1.0]]], dtype=torch.float64)

    torch.testing.assert_close(pathways.shares(contributions), torch.tensor([[[0.75], [0.25]]], dtype=torch.float64))
