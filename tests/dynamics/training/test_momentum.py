"""Descent with momentum, held to the recursion written out for one number."""

from __future__ import annotations

import math

import torch

from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import silent


def quadratic(weights: Weights) -> Weights:
    return [3.0 * weights[0], 0.5 * weights[1]]


def test_momentum_follows_the_two_term_recursion() -> None:
    start = [torch.ones(1, 1, 1, dtype=torch.float64), torch.full((1, 1, 1), -2.0, dtype=torch.float64)]

    end, recorded = descend_with_momentum(
        start, quadratic, 0.1, 0.9, 50, [0, 50], lambda weights: {"first": weights[0]}, silent
    )

    for weight, begin, curvature in zip(end, (1.0, -2.0), (3.0, 0.5), strict=True):
        before = now = begin
        for _ in range(50):
            before, now = now, now - 0.1 * curvature * now + 0.9 * (now - before)
        assert math.isclose(float(weight), now, rel_tol=1e-9)
    assert len(end) == 2
    assert torch.equal(recorded["first"][..., -1], end[0])


def test_without_momentum_it_is_plain_descent() -> None:
    start = [torch.ones(1, 1, 1, dtype=torch.float64)] * 2

    end, _ = descend_with_momentum(start, quadratic, 0.1, 0.0, 20, [], lambda _: {}, silent)
    plain, _ = descend(start, quadratic, lambda _: 0.1, 20, [], lambda _: {}, silent)

    assert all(torch.equal(ours, theirs) for ours, theirs in zip(end, plain, strict=True))
