"""Distances of gradients: none for the same ones, and known ones for rotated and projected gradients."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.self_supervision.distances import distances, orthogonality_gap
from dlnrepro.dynamics.starts.draws import gaussian, semi_orthogonal
from tests.runners.running import seeded

WIDTHS = [5, 4, 3, 2]


def _one_run(layers: list[torch.Tensor]) -> list[torch.Tensor]:
    return [layer[0] for layer in layers]


def test_a_gradient_has_no_distance_from_itself_and_the_distance_two_from_its_negative() -> None:
    gradients = _one_run(gaussian(WIDTHS, 1.0, seeded([0])))
    weights = _one_run(gaussian(WIDTHS, 1.0, seeded([1])))
    same = distances(gradients, gradients, weights)
    opposed = distances([-2 * gradient for gradient in gradients], gradients, weights)

    assert torch.equal(same.error, torch.zeros(3, dtype=torch.float64))
    assert torch.equal(same.misalignment, torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(opposed.error, torch.full((3,), 3.0, dtype=torch.float64))
    torch.testing.assert_close(opposed.misalignment, torch.full((3,), 2.0, dtype=torch.float64))


def test_a_gradient_seen_through_the_layers_above_is_transported_exactly() -> None:
    gradients = _one_run(gaussian(WIDTHS, 1.0, seeded([0])))
    first, second, third = _one_run(gaussian(WIDTHS, 1.0, seeded([1])))
    above = [third @ second, third, torch.eye(2, dtype=torch.float64)]
    wanted = [read.mT @ read @ gradient for read, gradient in zip(above, gradients, strict=True)]
    found = distances(gradients, wanted, [first, second, third])

    assert float(found.transport.max()) < 1e-14
    assert float(found.error[:-1].min()) > 0.1
    assert float(found.error[-1]) == 0


def test_orthonormal_rows_have_no_gap_and_scaled_ones_the_known_gap() -> None:
    weight = semi_orthogonal([5, 3], seeded([0, 1]))[0]

    assert float(orthogonality_gap(weight).max()) < 1e-14
    torch.testing.assert_close(orthogonality_gap(2 * weight), torch.full((2,), 3 * 3**0.5, dtype=torch.float64))
