"""The tangent kernel against autograd's Jacobian, and the linear flow against a matrix exponential."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.tangent_kernel import linear_flow, tangent_kernel

SHAPES = [(2, 4), (3, 2), (3, 3)]


def some_weights(generator: torch.Generator, runs: int) -> list[Tensor]:
    return [torch.randn(runs, *shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


@pytest.mark.slow
def test_the_kernel_is_the_jacobian_times_its_transpose(generator: torch.Generator) -> None:
    weights = some_weights(generator, 2)

    kernel = tangent_kernel(weights)

    for run in range(2):

        def outputs(flat: Tensor) -> Tensor:
            pieces = torch.split(flat, [rows * columns for rows, columns in SHAPES])
            return product([p.reshape(shape) for p, shape in zip(pieces, SHAPES, strict=True)]).reshape(-1)

        flat = torch.cat([weight[run].reshape(-1) for weight in weights])
        jacobian = torch.func.jacrev(outputs)(flat)
        torch.testing.assert_close(kernel[run], jacobian @ jacobian.mT, rtol=1e-12, atol=1e-12)


def test_the_linear_flow_is_a_matrix_exponential(generator: torch.Generator) -> None:
    weights = [0.5 * weight for weight in some_weights(generator, 3)]
    target = torch.randn(3, 3, 4, generator=generator, dtype=torch.float64)
    kernel, start = tangent_kernel(weights), product(weights)

    path = linear_flow(kernel, start, target, torch.tensor([0.0, 0.7], dtype=torch.float64))

    torch.testing.assert_close(path[:, 0], start, rtol=0, atol=1e-12)
    moved = torch.linalg.matrix_exp(-0.7 * kernel) @ (start - target).reshape(3, 12, 1)
    torch.testing.assert_close(path[:, 1], target + moved.reshape(3, 3, 4), rtol=0, atol=1e-11)
