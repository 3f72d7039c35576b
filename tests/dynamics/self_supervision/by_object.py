"""A layer's loss written out object by object, and toy data for it."""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.self_supervision.contrast import Loss
from dlnrepro.dynamics.starts.draws import normal

SAMPLES, DECAY = 5, 0.02


def generators(count: int = 1) -> list[torch.Generator]:
    """One generator per run; its seed is the number of the run."""
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def parts() -> tuple[Tensor, Tensor, Tensor]:
    """The activities of a layer (2, 5, 4), its feedback (2, 4, 3) and a context (2, 5, 3) for two views."""
    layer, context = normal((2, SAMPLES, 4), generators())[0], normal((2, SAMPLES, 3), generators())[0] + 0.2
    return layer, 0.5 * normal((2, 4, 3), generators())[0], context


def written_out(layer: Tensor, feedback: Tensor, context: Tensor, loss: Loss) -> Tensor:
    """The loss of one run, without its penalty: views one by one, objects one by one."""
    total = torch.zeros((), dtype=torch.float64)
    soft = torch.nn.functional.softplus
    for view in range(2):
        for index in range(SAMPLES):
            toward = feedback[view] @ context[view, index]
            own, following = layer[view, index] @ toward, layer[view, (index + 1) % SAMPLES] @ toward
            if loss == "two-sided":
                total = total + soft(1 - own) + soft(1 + following)
            elif loss == "difference":
                total = total + soft(following - own)
            else:
                total = total + following - own
    return total / (2 * SAMPLES)
