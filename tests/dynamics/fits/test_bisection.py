from __future__ import annotations

import math

import torch

from dlnrepro.dynamics.fits.bisection import bisect


def test_bisection_brackets_the_root_to_the_last_bits() -> None:
    roots = torch.tensor([0.1, 0.5, math.pi / 4], dtype=torch.float64)

    found = bisect(lambda x: x - roots, torch.zeros_like(roots), torch.ones_like(roots))

    assert float((found - roots).abs().max()) <= 2.3e-16
