"""Parallel paths: the gradient against autograd, and what contributions and shares must sum to."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.starts.balanced import layers_between
from dlnrepro.dynamics.starts.draws import orthonormal
from dlnrepro.runner import silent


@pytest.fixture
def weights(generator: Generator) -> list[Tensor]:
    shapes = [(6, 4), (5, 6), (3, 5)]
    return [torch.randn(2, 3, *shape, generator=generator, dtype=torch.float64) for shape in shapes]


@pytest.fixture
def target(generator: Generator) -> Tensor:
    return torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)


def test_the_gradient_is_autograds(weights: list[Tensor], target: Tensor) -> None:
    tracked = [weight.clone().requires_grad_() for weight in weights]
    expected = torch.autograd.grad(parallel_paths.loss(tracked, target).sum(), tracked)

    for got, want in zip(parallel_paths.loss_gradient(target)(weights), expected, strict=True):
        torch.testing.assert_close(got, want)


def test_the_loss_has_its_half_and_takes_no_mean(weights: list[Tensor]) -> None:
    residual = torch.full((2, 3, 4), 2.0, dtype=torch.float64)

    loss = parallel_paths.loss(weights, parallel_paths.network(weights) - residual)

    torch.testing.assert_close(loss, torch.full((2,), 0.5 * 12 * 4, dtype=torch.float64))


def test_one_path_is_an_ordinary_network(weights: list[Tensor]) -> None:
    single = [weight[:, :1] for weight in weights]
    matrix = single[2][:, 0] @ single[1][:, 0] @ single[0][:, 0]

    torch.testing.assert_close(parallel_paths.network(single), matrix)


def test_contributions_of_all_paths_sum_to_the_modes_of_the_network(weights: list[Tensor]) -> None:
    left, strengths, right = torch.linalg.svd(parallel_paths.network(weights), full_matrices=False)

    kept = parallel_paths.mode_contributions(weights, left, right.mT)

    torch.testing.assert_close(kept.sum(-2), strengths)


def test_balanced_layers_of_several_paths_carry_their_contributions_and_nothing_off_the_modes() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    sizes = [4, 6, 5, 3]
    frames = [orthonormal(size, 2, generators)[:, None].expand(-1, 3, -1, -1) for size in sizes]
    contributions = torch.tensor([[0.7, 0.0], [0.2, 0.1], [0.0, 0.5]], dtype=torch.float64).expand(2, 3, 2)

    solution = layers_between(frames, contributions)

    left, right = frames[-1][:, 0], frames[0][:, 0]
    torch.testing.assert_close(parallel_paths.mode_contributions(solution, left, right), contributions)
    assert float(parallel_paths.off_diagonal_share(solution, left, right).max()) < 1e-30
    middle = solution[1].mT @ solution[1]
    torch.testing.assert_close(middle, solution[0] @ solution[0].mT)


def test_off_diagonal_share_is_one_for_paths_that_miss_every_mode() -> None:
    axes = torch.eye(3, dtype=torch.float64)[None]
    matrix = torch.zeros(1, 2, 3, 3, dtype=torch.float64)
    matrix[..., 2, 0] = 1.0

    share = parallel_paths.off_diagonal_share([matrix], axes[..., :2], axes[..., :2])

    torch.testing.assert_close(share, torch.ones(1, dtype=torch.float64))


def test_shares_use_sizes_and_sum_to_one() -> None:
    contributions = torch.tensor([[[3.0], [-1.0]]], dtype=torch.float64)

    torch.testing.assert_close(
        parallel_paths.shares(contributions), torch.tensor([[[0.75], [0.25]]], dtype=torch.float64)
    )


def test_the_largest_share_is_that_of_the_path_that_carries_most_of_a_mode() -> None:
    carried = torch.tensor([[[3.0, -1.0], [1.0, 1.0]]], dtype=torch.float64)

    assert parallel_paths.largest_share(carried).tolist() == [[0.75, 0.5]]


def test_a_peak_counts_from_the_record_on_at_which_the_mode_is_learned() -> None:
    shares = torch.tensor([[0.9, 0.6, 0.7, 0.65]], dtype=torch.float64).expand(3, -1)
    learned = torch.tensor([[False, True, False, False], [False] * 4, [True] * 4])
    last = torch.tensor([0.5, 0.5, 0.95], dtype=torch.float64)

    assert parallel_paths.peak_share(shares, learned, last).tolist() == [0.7, 0.5, 0.95]


def test_the_sharpness_at_zero_loss_is_that_of_an_aligned_network() -> None:
    """L sum_p q_p^(2-2/L) with q = 2 and 1 at depth 3."""
    generators = [Generator().manual_seed(seed) for seed in range(4)]
    frames = [orthonormal(3, 1, generators)[:, None].expand(-1, 2, -1, -1) for _ in range(4)]
    layers = layers_between(frames, torch.tensor([[[2.0], [1.0]]], dtype=torch.float64).expand(4, -1, -1))
    expected = torch.full((4,), 3 * (2 ** (4 / 3) + 1), dtype=torch.float64)

    torch.testing.assert_close(parallel_paths.sharpness_at_zero_loss(layers, silent), expected)
    pairs = [layer.reshape(2, 2, *layer.shape[1:]) for layer in layers]
    torch.testing.assert_close(parallel_paths.sharpness_at_zero_loss(pairs, silent), expected.view(2, 2))
