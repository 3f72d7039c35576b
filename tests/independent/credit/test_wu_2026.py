"""Zihan et al., 2601.21683: local contrastive losses and back-propagation of the last layer's loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.independent.flow import normal, orthogonal

DECAY = 0.05
OBJECTS = normal(16, 5, seed=1)
VIEWS = OBJECTS + 0.3 * normal(16, 5, seed=2), OBJECTS + 0.3 * normal(16, 5, seed=3)


def activities(weights: Sequence[Tensor], inputs: Tensor) -> list[Tensor]:
    """The activities of all layers; one row per object."""
    found = []
    for weight in weights:
        inputs = inputs @ weight.T
        found.append(inputs)
    return found


def contrast(z: Tensor, feedback: Tensor, context: Tensor, linear: bool) -> Tensor:
    """The loss of a layer: an object's score with its own context must exceed that of another object."""
    advantage = ((z - z.roll(-1, 0)) @ feedback * context).sum(1)
    fall = -advantage if linear else torch.nn.functional.softplus(-advantage)
    return fall.mean()


def best_feedback(z: Tensor, context: Tensor, linear: bool) -> Tensor:
    """The feedback matrix that minimises the loss with weight decay."""
    feedback = torch.zeros(z.shape[1], context.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([feedback], max_iter=500, tolerance_grad=1e-13, tolerance_change=1e-16,
                                  line_search_fn="strong_wolfe")  # fmt: skip

    def closure() -> float:
        optimiser.zero_grad()
        loss = contrast(z, feedback, context, linear) + DECAY * feedback.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return feedback.detach()


def gradient(weights: Sequence[Tensor], of: int, at: int, context: int, linear: bool = False) -> Tensor:
    """The gradient in the weights of one layer of the loss of layer `at`, whose context is the layer `context`."""
    leaves = [weight.clone().requires_grad_() for weight in weights]
    z = activities(leaves, VIEWS[0])[at]
    c = activities(weights, VIEWS[1])[context]
    loss = contrast(z, best_feedback(z.detach(), c, linear), c, linear)
    return torch.autograd.grad(loss, leaves[of])[0]


def test_with_orthogonal_weights_local_learning_is_back_propagation() -> None:
    weights = [orthogonal(5, 10 + layer) for layer in range(3)]
    for layer in range(2):
        local, whole = gradient(weights, layer, layer, layer), gradient(weights, layer, 2, 2)
        assert float((local - whole).norm() / whole.norm()) < 1e-6


def test_with_other_weights_it_is_not() -> None:
    weights = [0.6 * normal(5, 5, seed=20 + layer) for layer in range(3)]
    local, whole = gradient(weights, 0, 0, 0), gradient(weights, 0, 2, 2)
    assert float((local - whole).norm() / whole.norm()) > 0.1


def test_direct_feedback_is_closer_if_rows_are_orthonormal_and_widths_fall() -> None:
    weights = [orthogonal(5, 30)[:4, :], orthogonal(4, 31)[:3, :], orthogonal(3, 32)[:2, :]]
    for layer in range(2):
        whole = gradient(weights, layer, 2, 2, linear=True)
        local = gradient(weights, layer, layer, layer, linear=True)
        direct = gradient(weights, layer, layer, 2, linear=True)
        assert float((direct - whole).norm()) < float((local - whole).norm())
