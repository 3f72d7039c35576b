"""Sharpness: J J^T against a Jacobian by autograd, the Hessian against finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.curvature import checked_sharpness, gauss_newton, hessian, largest_eigenvalue, sharpness
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.errors import Disagreement
from dlnrepro.runner import silent


def _weights(generator: Generator, shape: tuple[int, ...], widths: list[int]) -> list[Tensor]:
    return [
        torch.randn(*shape, after, before, generator=generator, dtype=torch.float64)
        for before, after in pairwise(widths)
    ]


def test_gauss_newton_matrix_is_the_jacobian_times_its_transpose(generator: Generator) -> None:
    weights = _weights(generator, (1, 3), [4, 5, 6, 2])

    tracked = [weight.requires_grad_() for weight in weights]
    entries = parallel_paths.network(tracked).flatten()
    rows = [torch.autograd.grad(entry, tracked, retain_graph=True) for entry in entries]
    jacobian = torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])

    torch.testing.assert_close(gauss_newton(weights)[0], jacobian @ jacobian.T)


def test_hessian_agrees_with_finite_differences_of_the_gradient(generator: Generator) -> None:
    weights = _weights(generator, (1, 2), [2, 3, 2])
    target = torch.randn(1, 2, 2, generator=generator, dtype=torch.float64)
    flat = torch.cat([weight.flatten() for weight in weights])
    sizes = [weight.numel() for weight in weights]

    def gradient(point: Tensor) -> Tensor:
        pieces = torch.split(point, sizes)
        given = [piece.reshape(weight.shape) for piece, weight in zip(pieces, weights, strict=True)]
        return torch.cat([part.flatten() for part in parallel_paths.loss_gradient(target)(given)])

    steps = 1e-6 * torch.eye(len(flat), dtype=torch.float64)
    columns = [(gradient(flat + step) - gradient(flat - step)) / 2e-6 for step in steps]
    whole = hessian(lambda given: parallel_paths.loss(given, target), weights, silent)

    torch.testing.assert_close(whole[0], torch.stack(columns, -1), rtol=1e-7, atol=1e-7)


def test_at_zero_loss_both_routes_have_the_same_largest_eigenvalue(generator: Generator) -> None:
    weights = _weights(generator, (5, 2), [3, 4, 4, 2])
    target = parallel_paths.network(weights)

    whole = largest_eigenvalue(hessian(lambda given: parallel_paths.loss(given, target), weights, silent))

    torch.testing.assert_close(sharpness(weights), whole, rtol=1e-11, atol=0)


def test_a_run_that_is_not_finite_is_nan_and_leaves_its_neighbours_alone(generator: Generator) -> None:
    weights = _weights(generator, (3, 2), [3, 4, 2])
    before = sharpness(weights)
    weights[0][1, 0, 0, 0] = torch.inf

    after = sharpness(weights)

    assert torch.isnan(after[1])
    assert torch.equal(after[[0, 2]], before[[0, 2]])


def test_a_sharpness_is_confirmed_by_the_whole_hessian_or_refused(generator: Generator) -> None:
    weights = _weights(generator, (1, 2), [2, 3, 2])
    target = parallel_paths.network(weights)
    found = sharpness(weights)

    def loss(layers: Sequence[Tensor]) -> Tensor:
        return parallel_paths.loss(layers, target)

    assert checked_sharpness(found, loss, weights, silent) is found
    words = r"^sharpness: the Hessian by autograd and the matrix J J\^T differ relatively by 9.9e-3$"
    with pytest.raises(Disagreement, match=words):
        checked_sharpness(found * 1.01, loss, weights, silent)
