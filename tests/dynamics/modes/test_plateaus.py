"""Plateaus of paths that approach them at known distances."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.modes.plateaus import approached_plateaus, plateau_matrices
from dlnrepro.dynamics.starts.targets import diagonal

STARTS = torch.tensor([1e-1, 1e-2, 1e-3], dtype=torch.float64)
POWERS = torch.tensor([[1.5, 1.5]], dtype=torch.float64)


def test_the_least_distance_and_its_power_are_those_of_the_path() -> None:
    plateau = torch.diag(torch.tensor([2.0, 0.0], dtype=torch.float64))
    away = torch.diag(torch.tensor([0.0, 1.0], dtype=torch.float64))
    heights = torch.stack([STARTS**0, STARTS**1.5, 3 * STARTS**0], -1)  # the closest record is the second one
    path = (plateau + heights[..., None, None] * away)[None]
    found = approached_plateaus(path, [plateau[None], (plateau + 4 * away)[None]], STARTS, POWERS)

    torch.testing.assert_close(found.least[0, 0], STARTS**1.5 / 2, rtol=1e-13, atol=0)
    assert float(found.powers[0, 0]) == pytest.approx(1.5, rel=1e-12)
    assert float(found.limits[0, 0]) == pytest.approx(0, abs=1e-14)
    assert float(found.limits[0, 1]) == pytest.approx(1 / 20**0.5, rel=1e-12)  # W stays 1 away from 2 and 4
    torch.testing.assert_close(found.first[0], heights[-1] / 2, rtol=1e-13, atol=0)


def test_the_first_plateau_is_the_mode_that_explains_most_or_the_strongest_one() -> None:
    """Mode 1 has sigma^2 / lambda = 1/2, mode 2 has 1: reduced-rank regression keeps mode 2, with the value 1."""
    target = diagonal(2, 2, torch.tensor([[2.0, 1.0]], dtype=torch.float64))
    moment = torch.diag(torch.tensor([8.0, 1.0], dtype=torch.float64))[None]
    (best,), (strongest,) = (plateau_matrices(law, target, moment) for law in ("reduced-rank", "strengths"))

    torch.testing.assert_close(best[0], torch.diag(torch.tensor([0.0, 1.0], dtype=torch.float64)))
    torch.testing.assert_close(strongest[0], torch.diag(torch.tensor([0.25, 0.0], dtype=torch.float64)))
