"""Directions near a saddle: which of their coordinates are zero, drawn, or as small as the distance."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.one_neuron.approaches import approaching_pairs
from dlnrepro.dynamics.one_neuron.delays import Approach
from dlnrepro.dynamics.one_neuron.start import Pair
from dlnrepro.dynamics.starts.targets import diagonal
from tests.runners.running import seeded

SCALES = (1e-2, 1e-3)
TARGET = diagonal(4, 5, torch.tensor([[2.5, 1.5, 0.4]] * 2, dtype=torch.float64))


def _pairs(approach: Approach, missing: int = 1, sign: float = -1.0) -> list[Pair]:
    return approaching_pairs(approach, TARGET, 3, SCALES, missing, sign, (0.25, 5.0), seeded([0, 1]))[0]


def test_a_small_start_has_the_same_directions_at_every_distance() -> None:
    first, second = _pairs("small")

    assert torch.equal(first.left, second.left)
    assert torch.equal(first.right, second.right)
    assert bool((first.overlap(TARGET.strengths) > 0.25 * 1.5).all())


def test_near_a_saddle_the_distance_is_the_overlap_with_the_missing_mode() -> None:
    pairs, distances = approaching_pairs("saddle", TARGET, 3, SCALES, 1, -1.0, (0.25, 5.0), seeded([0, 1]))

    torch.testing.assert_close(distances[:, 1], 0.1 * distances[:, 0], rtol=1e-12, atol=0)
    assert float(distances.max()) <= 1e-5
    for distance, pair in zip(distances.unbind(-1), pairs, strict=True):
        assert torch.equal(pair.left[:, 0], distance)
        assert torch.equal(pair.right[:, 0], distance)
    first, second = _pairs("saddle")
    assert torch.equal(first.left[:, 1:], second.left[:, 1:])


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_opposed_directions_are_the_first_mode_except_for_a_tilt_of_the_size_of_the_distance(sign: float) -> None:
    for scale, pair in zip(SCALES, _pairs("opposed", sign=sign), strict=True):
        assert float((pair.left[:, 0] - 1).abs().max()) < scale**2
        assert float((pair.right[:, 0] - sign).abs().max()) < 2 * scale**2
        assert bool(((pair.right[:, 1] > 0.74 * scale) & (pair.right[:, 1] < 1.26 * scale)).all())
