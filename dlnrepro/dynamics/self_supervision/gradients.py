"""The gradients of local learning and of back-propagation, both by automatic differentiation of the losses.

The loss of a layer is written out here from its definition (`dynamics.self_supervision.contrast`), without the matrices
by which the best feedback is computed. Conventions: activities have shape (2, S, n_l), weights W_l (n_l, n_(l-1)), and
feedback B (2, n_l, n_c).

Source: Zihan, Delrocq, Gerstner, Bellec 2026 (arXiv:2601.21683).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import softplus

from dlnrepro.dynamics.self_supervision.contrast import Activation, Loss, activities


def layer_loss(layer: Tensor, feedback: Tensor, context: Tensor, loss: Loss) -> Tensor:
    """The loss of a layer without the penalty on its feedback, 1/2 sum over both views of (1/S) sum_j f(u_j).

    Args:
        layer: z, of shape (2, S, n).
        feedback: B, of shape (2, n, n_c).
        context: c, of shape (2, S, n_c).
        loss: the name of the loss.
    """
    toward = torch.einsum("vnc,vsc->vsn", feedback, context)
    own, following = (layer * toward).sum(-1), (layer.roll(-1, -2) * toward).sum(-1)
    if loss == "two-sided":
        values = softplus(1 - own) + softplus(1 + following)
    else:
        values = following - own if loss == "linear" else softplus(following - own)
    return values.sum() / (2 * layer.shape[-2])


@torch.inference_mode(False)  # the caller may have switched autograd off
def local_gradient(
    below: Tensor, weight: Tensor, feedback: Tensor, context: Tensor, loss: Loss, activation: Activation
) -> Tensor:
    """The gradient of a layer's own loss with respect to its weights W_l, with the context held fixed.

    Args:
        below: z^(l-1), the activities of the layer before.
        weight: W_l.
        feedback: B.
        context: c.
        loss: the name of the loss.
        activation: the activation function of the layer.
    """
    free = weight.clone().requires_grad_()
    layer = activities([free], below.clone(), activation)[-1]
    (found,) = torch.autograd.grad(layer_loss(layer, feedback.clone(), context.clone(), loss), free)
    return found


@torch.inference_mode(False)
def backprop_gradients(
    weights: Sequence[Tensor], views: Tensor, feedback: Tensor, context: Tensor, loss: Loss, activation: Activation
) -> list[Tensor]:
    """The gradients of the last layer's loss with respect to W_1 .. W_L.

    Args:
        weights: W_1 .. W_L.
        views: the inputs z^0.
        feedback: the feedback B of the last layer.
        context: the context c of the last layer, which is held fixed.
        loss: the name of the loss.
        activation: the activation function of every layer.
    """
    free = [weight.clone().requires_grad_() for weight in weights]
    top = activities(free, views.clone(), activation)[-1]
    return list(torch.autograd.grad(layer_loss(top, feedback.clone(), context.clone(), loss), free))


@torch.inference_mode(False)
def feedback_gap(layer: Tensor, feedback: Tensor, context: Tensor, loss: Loss, decay: float) -> Tensor:
    """The relative slope of a layer's loss in its feedback B, one number; it is 0 at the best feedback.

    The whole loss has the penalty 1/2 sum over both views of decay ||B||_F^2, and its slope is divided by that of the
    penalty alone.
    """
    free = feedback.clone().requires_grad_()
    whole = layer_loss(layer.clone(), free, context.clone(), loss) + decay / 2 * free.square().sum()
    (slope,) = torch.autograd.grad(whole, free)
    gap: Tensor = torch.linalg.matrix_norm(slope) / torch.linalg.matrix_norm(decay * feedback)
    return gap.amax()
