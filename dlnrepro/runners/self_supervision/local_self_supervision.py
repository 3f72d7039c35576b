"""Layer-wise contrastive learning beside back-propagation of the last layer's loss: how far apart are the gradients?

Nothing is trained but the feedback matrices B^l: they stand at the optimum of their layer's loss, or are fixed. Then
each layer's own gradient is held against the one that back-propagation brings from the last layer. A layer's context
is the other view's activity in the same layer (`own`), or in the last one (`top`, direct feedback). Theory: with
orthogonal W_2 .. W_L of equal widths both are equal, for any falling f. For linear f and any weights,

    g_BP = Q^T Q g_top,    Q = W_L ... W_{l+1},

so that with orthonormal rows and falling widths direct feedback errs only outside the subspace that is read further up.

Source: Zihan, Delrocq, Gerstner, Bellec 2026 (arXiv:2601.21683); the identity of g_top is derived here: with f' = -1
the best feedback is B = P_l M P_L^T / (2 decay), P_l = W_l ... W_1 and M the data's mean of (x_i - x_{i+1}) x'_i^T.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.self_supervision.contrast import (
    Activation,
    Contrast,
    Loss,
    activities,
    backprop_gradients,
    best_feedback,
    contrast,
    feedback_gap,
    local_gradient,
    other_view,
    output_errors,
    paired_views,
)
from dlnrepro.dynamics.starts.draws import gaussian, semi_orthogonal, uniform, uniform_layers
from dlnrepro.runner import Progress, Result, Series

Width = Annotated[int, Field(ge=1, le=512)]
Cosine = Annotated[float, Field(ge=-1, le=1)]
Context = Literal["own", "top", "stranger"]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    widths: Annotated[tuple[Width, ...], Field(strict=False, min_length=3, max_length=17)] = Field(
        description="n_0 .. n_L, not rising after n_1"
    )
    samples: int = Field(ge=2, le=256, description="S, how many objects; each is seen in two views")
    falloff: float = Field(ge=0, le=4, description="the variance of input k falls as k^-falloff")
    noise: float = Field(ge=0, le=1, description="the part of the variance that a view does not share with the other")
    size: float = Field(gt=0, le=100, description="the root mean square of an input")
    loss: Loss = Field(description="of the scores; linear f, or softplus f of two scores or of their difference")
    decay: float = Field(gt=0, le=10, description="factor on ||B||_F^2")
    activation: Activation = Field(description="of every layer")
    disturbance: float = Field(ge=0, le=1, description="scale of noise added to the weights, over sqrt(fan-in)")
    start: Literal["orthogonal", "default"] = Field(
        description="weights with orthonormal rows, or PyTorch's default: uniform on +-1 / sqrt(fan-in)"
    )
    feedback: Literal["best", "random", "identity"] = Field(
        description="B: each layer's optimum; uniform on +-1 / sqrt(n_c) below the last layer; or 1 in every layer"
    )
    context: Context = Field(
        description="what the measured gradients compare with: the other view in the own layer, in the last one, or in "
        "the last one with half a batch between the objects"
    )
    printed: Annotated[tuple[Cosine, ...], Field(strict=False, min_length=2, max_length=16)] = Field(
        description="cosines of layers 1 .. L that the authors print for such a setting, drawn beside ours"
    )

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        layers = self.widths[1:]
        if list(layers) != sorted(layers, reverse=True):
            raise ValueError("widths must not rise after n_1")
        if self.feedback == "identity" and len(set(layers)) > 1:
            raise ValueError("feedback 'identity' needs layers of equal widths")
        if len(self.printed) != len(layers):
            raise ValueError("printed must have a cosine for each layer")
        return self

    def memory(self, runs: int) -> int:
        """All runs' weights and views, and one run's systems of Newton's method."""
        layers = sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        features = 2 * self.samples
        return 8 * runs * (8 * layers + 8 * self.samples * sum(self.widths)) + 8 * 60 * features**2 + 10**6


MEASURES = {
    "gradient_error": "largest ||g_l - g_BP,l||_F / ||g_BP,l||_F over the layers below the last, >= 0",
    "cosine_gap": "largest 1 - cosine of g_l and g_BP,l over the layers below the last, in [0, 2]",
    "printed_gap": "largest distance of a layer's cosine to the authors' printed one, in [0, 2]",
    "closer_ratio": "largest ||g_l - g_BP,l||_F over the same with the own layer's context, over the layers below the "
    "last, >= 0; 1 where the context is the own layer",
    "cosine_gain": "mean over the layers below the last of the cosine of g_l and g_BP,l, less the same with the own "
    "layer's context; 0 where that is the context",
    "transport_error": "largest ||Q^T Q g_l - g_BP,l||_F / ||g_BP,l||_F over the layers below the last, >= 0",
    "feedback_gap": "largest relative slope of a layer's loss in its B, >= 0; 0 if B is fixed",
    "orthogonality_gap": "largest ||W_l W_l^T - I||_F over l = 2 .. L, >= 0",
}

SERIES = {
    "layer": Series("layer", "l = 1 .. L"),
    "cosine": Series("layer", "cosine of the layer's gradient and of back-propagation's"),
    "printed_cosine": Series("layer", "the authors' printed cosine"),
    "error": Series("layer", "relative distance of the layer's gradient to back-propagation's"),
}


class Layer(NamedTuple):
    """One layer's gradient held against back-propagation's, for all layers stacked: each of shape (L,)."""

    error: Tensor
    misalignment: Tensor
    transport: Tensor
    gap: Tensor


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw views, weights and fixed feedback, and compare gradients run by run.

    One by one, for a batch's logistic functions would round according to a run's place in it; there are no steps.
    """
    count = len(generators)
    views = paired_views(params.samples, params.widths[0], params.falloff, params.noise, params.size, generators)
    weights = _weights(params, generators)
    fixed = _fixed_feedback(params, generators)
    how = contrast(params.loss, params.samples)
    found, own = [], []
    for index in range(count):
        progress(index / count, f"network {index} of {count}")
        one = [weight[index] for weight in weights]
        given = [matrix[index] for matrix in fixed]
        layers = activities(one, views[index], params.activation)
        found.append(_compare(params, one, layers, given, how, params.context))
        # Fixed feedback is drawn for one context alone; a layer's best one is found again for the other.
        other = params.context != "own" and not fixed
        own.append(_compare(params, one, layers, given, how, "own") if other else found[-1])
    measured, local = (Layer(*(torch.stack(values) for values in zip(*runs, strict=True))) for runs in (found, own))
    cosine = 1 - measured.misalignment
    printed = torch.tensor(params.printed, dtype=torch.float64)
    return Result(
        {
            "gradient_error": measured.error[:, :-1].amax(-1),
            "cosine_gap": measured.misalignment[:, :-1].amax(-1),
            "printed_gap": (cosine - printed).abs().amax(-1),
            "closer_ratio": (measured.error / local.error)[:, :-1].amax(-1),
            "cosine_gain": (local.misalignment - measured.misalignment)[:, :-1].mean(-1),
            "transport_error": measured.transport[:, :-1].amax(-1),
            "feedback_gap": torch.maximum(measured.gap, local.gap).amax(-1),
            "orthogonality_gap": torch.stack([_off_identity(weight) for weight in weights[1:]]).amax(0),
        },
        {
            "layer": torch.arange(1, len(weights) + 1, dtype=torch.float64).expand(count, -1),
            "cosine": cosine,
            "printed_cosine": printed.expand(count, -1),
            "error": measured.error,
        },
    )


def _weights(params: Params, generators: Sequence[Generator]) -> list[Tensor]:
    """The weights, with noise on top where there is a disturbance."""
    start = semi_orthogonal if params.start == "orthogonal" else uniform_layers
    weights = start(params.widths, generators)
    if params.disturbance == 0:
        return weights
    noise = gaussian(params.widths, params.disturbance, generators)
    return [weight + extra for weight, extra in zip(weights, noise, strict=True)]


def _fixed_feedback(params: Params, generators: Sequence[Generator]) -> list[Tensor]:
    """The feedback matrices of the layers where they are fixed, from the first on; none where they are not."""
    layers = params.widths[1:]
    if params.feedback == "identity":
        return [torch.eye(layers[0], dtype=torch.float64).expand(len(generators), 2, -1, -1)] * len(layers)
    if params.feedback == "best":
        return []
    shapes = [(width, width if params.context == "own" else layers[-1]) for width in layers[:-1]]
    return [uniform((2, *shape), -(shape[1] ** -0.5), shape[1] ** -0.5, generators) for shape in shapes]


def _compare(
    params: Params, weights: list[Tensor], layers: list[Tensor], fixed: list[Tensor], how: Contrast, context: Context
) -> Layer:
    """One run's gradients, layer by layer, beside those of back-propagation."""
    gradients, gaps = [], []
    errors = torch.zeros(())
    for index in range(1, len(layers)):
        compared = other_view(layers[index] if context == "own" else layers[-1])
        if context == "stranger" and index < len(layers) - 1:
            compared = compared.roll(params.samples // 2, -2)
        known = index <= len(fixed)
        feedback = fixed[index - 1] if known else best_feedback(layers[index], compared, how, params.decay)
        gap = feedback_gap(layers[index], feedback, compared, how, params.decay).amax()
        gaps.append(torch.zeros_like(gap) if known else gap)
        errors = output_errors(layers[index], feedback, compared, how)
        gradients.append(local_gradient(layers[index - 1], layers[index], errors, params.activation))
    wanted = backprop_gradients(weights, layers, errors, params.activation)
    transport = torch.eye(weights[-1].shape[-2], dtype=torch.float64)
    rows = []
    for index in range(len(weights) - 1, -1, -1):
        mine, theirs = gradients[index], wanted[index]
        size = torch.linalg.matrix_norm(theirs)
        carried = transport.mT @ transport @ mine
        rows.append(
            (
                torch.linalg.matrix_norm(mine - theirs) / size,
                # 1 - cos without cancellation: half the squared distance of the unit matrices.
                0.5 * (mine / torch.linalg.matrix_norm(mine) - theirs / size).square().sum(),
                torch.linalg.matrix_norm(carried - theirs) / size,
                gaps[index],
            )
        )
        transport = transport @ weights[index]
    return Layer(*(torch.stack(values) for values in zip(*rows[::-1], strict=True)))


def _off_identity(weight: Tensor) -> Tensor:
    """||W W^T - I||_F, of shape (runs,)."""
    rows = weight.shape[-2]
    gap: Tensor = torch.linalg.matrix_norm(weight @ weight.mT - torch.eye(rows, dtype=torch.float64))
    return gap
