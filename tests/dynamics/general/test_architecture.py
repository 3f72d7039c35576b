"""Layers filled from parameters: products and gradients against plain loops and autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.checks import plain_loss
from dlnrepro.dynamics.general.losses import moment_loss
from dlnrepro.dynamics.networks.plain import gradients
from dlnrepro.dynamics.starts.draws import normal
from tests.runners.running import seeded

ARCHITECTURES = {
    "chain": Architecture(((4, 5, 3),)),
    "one layer": Architecture(((4, 3),)),
    "equal paths": Architecture(((4, 5, 3), (4, 5, 3))),
    "unequal paths": Architecture(((4, 5, 3), (4, 3), (4, 2, 2, 3))),
    "diagonal": Architecture(((4, 4, 4),), "diagonal"),
    "shared": Architecture(((4, 4, 4, 4),), "shared"),
    "skip": Architecture(((4, 4, 4),), "dense", True),
    "shared paths with skip": Architecture(((4, 4, 4), (4, 4, 4)), "shared", True),
    "unequal shared paths": Architecture(((4, 4, 4), (4, 4)), "shared"),
}


def drawn(architecture: Architecture) -> list[Tensor]:
    """Random parameters of two runs; those of diagonal layers are diagonal."""
    layers = [normal(shape, seeded([0, 1])) for shape in architecture.shapes]
    if architecture.filling == "diagonal":
        return [layer * torch.eye(layer.shape[-1], dtype=layer.dtype) for layer in layers]
    return layers


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_the_gradient_of_every_architecture_is_that_of_autograd(architecture: Architecture) -> None:
    parameters = drawn(architecture)
    loss = moment_loss(normal(architecture.matrix(parameters).shape[1:], seeded([2, 3])), None)

    found = architecture.gradient(loss.slope)(parameters)

    plain = gradients(plain_loss(architecture, loss), parameters)
    for one, other in zip(found, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_the_matrix_is_the_sum_of_the_products_of_the_paths() -> None:
    architecture = ARCHITECTURES["unequal paths"]
    first, second, alone, *others = drawn(architecture)

    expected = second @ first + alone + others[2] @ others[1] @ others[0]

    torch.testing.assert_close(architecture.matrix([first, second, alone, *others]), expected)
    torch.testing.assert_close(architecture.path_matrices([first, second, alone, *others]).sum(1), expected)


def test_shared_layers_with_a_skip_are_a_power() -> None:
    architecture = Architecture(((3, 3, 3, 3),), "shared", True)
    (parameter,) = drawn(architecture)

    expected = torch.linalg.matrix_power(torch.eye(3, dtype=torch.float64) + parameter, 3)

    torch.testing.assert_close(architecture.matrix([parameter]), expected)
