"""Saxe, McClelland, Ganguli, 1312.6120: a mode of a two-layer network follows a sigmoidal curve of time."""

from __future__ import annotations

import torch

from tests.independent.flow import balanced, gradient_flow, orthogonal, product


def test_each_mode_of_two_layers_follows_the_closed_form() -> None:
    left, right = orthogonal(3, 1), orthogonal(3, 2)
    strengths, start = torch.tensor([3.0, 2.0, 0.5]).double(), torch.tensor([0.01, 0.02, 0.03]).double()
    target = left @ torch.diag(strengths) @ right.T
    weights = balanced(left, start, right, 2)
    times = [0.5, 1.0, 2.0, 4.0]
    path = gradient_flow(weights, lambda layers: 0.5 * (product(layers) - target).square().sum(), times)
    for time, layers in zip(times, path, strict=True):
        grown = torch.exp(2 * strengths * time)
        closed_form = strengths * grown / (grown - 1 + strengths / start)
        modes = torch.diag(left.T @ product(layers) @ right)
        torch.testing.assert_close(modes, closed_form, rtol=1e-7, atol=0)
