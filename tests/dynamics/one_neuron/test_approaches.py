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
    return approaching_pairs(approach, TARGET, SCALES, missing, sign, (0.25, 5.0), seeded([0, 1]))


def test_a_small_start_has_the_same_directions_at_every_distance() -> None:
    first, second = _pairs("small")

    assert torch.equal(first.left, second.left)
    assert torch.equal(first.right, second.right)
    assert bool((first.overlap(TARGET.strengths) > 0.25 * 1.5).all())


def test_near_a_saddle_the_distance_is_the_overlap_with_the_missing_mode() -> None:
    for scale, pair in zip(SCALES, _pairs("saddle"), strict=True):
        assert pair.left[:, 0].tolist() == [scale, scale]
        assert pair.right[:, 0].tolist() == [scale, scale]
    first, second = _pairs("saddle")
    assert torch.equal(first.left[:, 1:], second.left[:, 1:])


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_opposed_directions_are_the_first_mode_except_for_a_tilt_of_the_size_of_the_distance(sign: float) -> None:
    for scale, pair in zip(SCALES, _pairs("opposed", sign=sign), strict=True):
        assert float((pair.left[:, 0] - 1).abs().max()) < scale**2
        assert float((pair.right[:, 0] - sign).abs().max()) < 2 * scale**2
        torch.testing.assert_close(pair.right[:, 1], torch.full((2,), scale, dtype=torch.float64), rtol=1e-2, atol=0)
