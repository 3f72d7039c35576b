"""Perturbed moments: their distance from the plain ones, and what they commute with."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.modes.perturbations import perturbed_moments
from dlnrepro.dynamics.starts.targets import draw_strengths, rotated
from tests.runners.running import seeded

SIZES = torch.tensor([0.2, 0.01], dtype=torch.float64)
TARGET = rotated(3, 4, draw_strengths((2.0, 1.2, 0.5), 0.1, seeded([0, 1])), seeded([2, 3]))


def test_perturbed_inputs_lie_at_the_distance_epsilon_in_the_spectral_norm_and_do_not_commute() -> None:
    moment, cross = perturbed_moments("inputs", TARGET, SIZES, seeded([4, 5]))
    off = moment - torch.eye(4, dtype=torch.float64)

    torch.testing.assert_close(torch.linalg.matrix_norm(off, ord=2), SIZES.expand(2, 2), rtol=1e-12, atol=0)
    torch.testing.assert_close(off, off.mT)
    assert torch.equal(cross[:, 1], TARGET.matrix)
    square = cross.mT @ cross
    assert float(torch.linalg.matrix_norm(moment @ square - square @ moment)[:, 0].min()) > 0.01


def test_a_perturbed_cross_moment_has_the_same_modes_with_strengths_moved_by_epsilon() -> None:
    moment, cross = perturbed_moments("cross", TARGET, SIZES, seeded([4, 5]))
    moves = TARGET.carried(cross) - TARGET.strengths[:, None]

    assert torch.equal(moment, torch.eye(4, dtype=torch.float64).expand(2, 2, 4, 4))
    torch.testing.assert_close(moves.abs(), SIZES[None, :, None].expand(2, 2, 3), rtol=1e-12, atol=0)
    torch.testing.assert_close(moves[:, 0].sign(), moves[:, 1].sign())
    strengths = torch.linalg.svdvals(cross)
    torch.testing.assert_close(strengths, TARGET.carried(cross).sort(-1, descending=True).values, rtol=1e-12, atol=0)
