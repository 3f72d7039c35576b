"""The clusters: what their labels say, what separates them, and that a run's draw is its own."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.activations.clusters import clusters
from dlnrepro.dynamics.classification.maximum_margin import maximum_margin


def _generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_crossed_labels_are_the_product_of_signs_and_no_plane_separates_them() -> None:
    points, labels = clusters("crossed", 5, 0.3, 0.2, _generators(0, 1))

    assert points.shape == (2, 20, 4)
    assert torch.equal(labels, (points[..., 0] * points[..., 1]).sign())
    for run in range(2):
        assert maximum_margin((labels[run][:, None] * points[run]).numpy()) is None


def test_parted_labels_can_be_separated_and_contradictory_ones_come_twice() -> None:
    points, labels = clusters("parted", 5, 0.3, 0.2, _generators(0))
    both, opposite = clusters("contradictory", 5, 0.3, 0.2, _generators(0))

    assert maximum_margin((labels[0][:, None] * points[0]).numpy()) is not None
    assert both.shape == (1, 30, 4)
    assert torch.equal(both[:, :10], both[:, 20:])
    assert torch.equal(opposite[:, :10], -opposite[:, 20:])


@pytest.mark.slow
def test_the_longest_point_has_length_one_and_the_last_coordinate_is_constant() -> None:
    points, _ = clusters("crossed", 4, 0.5, 0.3, _generators(0, 1, 2))

    lengths = torch.linalg.vector_norm(points, dim=-1)
    torch.testing.assert_close(lengths.amax(-1), torch.ones(3, dtype=torch.float64))
    assert torch.equal(points[..., 3], points[:, :1, 3].expand(-1, 16))


def test_a_run_draws_the_same_alone_and_in_a_batch() -> None:
    together, _ = clusters("crossed", 3, 0.3, 0.2, _generators(0, 1, 2))
    alone, _ = clusters("crossed", 3, 0.3, 0.2, _generators(1))

    assert torch.equal(together[1:2], alone)
