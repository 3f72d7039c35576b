"""The product along a descent at every recorded step, and its errors at several step sizes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.modes.descents import product_path, relative_distance, settling_path
from dlnrepro.dynamics.networks.plain import data_of, squared_error
from dlnrepro.dynamics.risks.squared_loss import squared_loss_gradient
from dlnrepro.dynamics.starts.balanced import layers_between
from dlnrepro.dynamics.starts.targets import diagonal
from dlnrepro.errors import Disagreement
from dlnrepro.runner import silent


def _half_of_squares(weights: Sequence[Tensor]) -> Tensor:
    """The loss whose gradients are the layers."""
    return torch.stack([weight.square().sum((-2, -1)) for weight in weights]).sum(0) / 2


def test_the_products_of_two_scalar_layers_shrink_by_the_square_of_each_step_s_factor() -> None:
    weights = [torch.full((2, 3, 1, 1), start, dtype=torch.float64) for start in (2.0, 3.0)]

    path = product_path(weights, lambda layers: layers, _half_of_squares, 0.1, 6, 2, silent)

    assert path.shape == (2, 3, 4, 1, 1)
    expected = 6 * 0.9 ** (2 * torch.tensor([0.0, 2.0, 4.0, 6.0], dtype=torch.float64))
    torch.testing.assert_close(path[1, 2, :, 0, 0], expected, rtol=1e-14, atol=0)


def test_a_descent_that_does_not_follow_its_loss_is_refused() -> None:
    weights = [torch.full((2, 3, 1, 1), start, dtype=torch.float64) for start in (2.0, 3.0)]

    words = "the descent after step 0: expected W_2 within 1e-11 of its value by autograd"
    with pytest.raises(Disagreement, match=words):
        product_path(weights, lambda layers: [layers[0], 1.01 * layers[1]], _half_of_squares, 0.1, 6, 2, silent)


def test_a_distance_is_relative_to_the_second_matrix() -> None:
    other = torch.eye(2, dtype=torch.float64)

    assert relative_distance(3 * other, other).item() == 2
    assert relative_distance(other, other).item() == 0


def test_the_errors_at_every_step_size_are_those_of_the_scalar_recursion() -> None:
    """An aligned, balanced mode moves by a <- a (1 + eta (sigma - a))^2, each mode by itself."""
    strengths = torch.tensor([[2.0, 0.8]], dtype=torch.float64)
    target, frame = diagonal(2, 2, strengths), torch.eye(2, dtype=torch.float64)[None]
    modes = torch.tensor([[0.3, 0.1]], dtype=torch.float64)
    sizes = torch.tensor([[0.1, 0.25]], dtype=torch.float64)
    found = settling_path(
        layers_between([frame] * 3, modes),
        squared_loss_gradient(target.matrix, 1.0),
        squared_error(*(part[:, None] for part in data_of(frame, target.matrix))),
        sizes,
        target,
        strengths,
        4,
        silent,
    )

    assert {name: values.shape for name, values in found.items()} == {"error": (1, 2, 5), "distance": (1, 2, 5)}
    for point, size in enumerate(sizes[0]):
        values = modes[0]
        for step in range(5):
            torch.testing.assert_close(found["error"][0, point, step], values[0] / 2 - 1, rtol=1e-12, atol=0)
            gap = torch.linalg.vector_norm(values - strengths[0]) / torch.linalg.vector_norm(strengths[0])
            torch.testing.assert_close(found["distance"][0, point, step], gap, rtol=1e-12, atol=0)
            values = values * (1 + size * (strengths[0] - values)) ** 2
