"""Layer-wise contrastive learning and back-propagation of the last layer's loss: how far apart are their gradients?

Only the feedback matrices B^l are computed: each is at the optimum of its layer's loss, or fixed. Nothing is trained.
Then each layer's own gradient g_l is compared with the gradient g_BP that back-propagation gives from the last layer;
automatic differentiation of the losses gives both.
The context of a layer is the activity for the other view in the same layer (`own`), or in the last layer (`top`, direct
feedback). f is the loss of a score. Theory: if W_2 .. W_L are orthogonal and of equal widths, both gradients are equal,
for every falling f. If f is linear, then for any weights

    g_BP = Q^T Q g_top,    Q = W_L ... W_(l+1),

where g_top is the gradient with direct feedback. With orthonormal rows and falling widths, g_top is therefore wrong
only outside the subspace that the layers above read.

Source: Zihan, Delrocq, Gerstner, Bellec 2026 (arXiv:2601.21683). The identity of g_top is derived here: with f' = -1
the best feedback is B = P_l M P_L^T / (2 decay), P_l = W_l ... W_1 and M the data's mean of (x_i - x_(i+1)) x'_i^T.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import AfterValidator, Field
from torch import Generator, Tensor

from dlnrepro.dynamics.self_supervision.comparison import (
    Context,
    Learning,
    compared,
    identical_feedback,
    random_feedback,
)
from dlnrepro.dynamics.self_supervision.contrast import Activation, Loss, paired_views
from dlnrepro.dynamics.self_supervision.distances import orthogonality_gap
from dlnrepro.dynamics.starts.draws import gaussian, semi_orthogonal, uniform, uniform_layers
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction, Settings, refused, written
from dlnrepro.settings.fields import FROM_LIST, DrawnFromZero, Positive

EXACT = 1e-10
"""A relative distance below this is rounding: the layers above have equal widths, and both gradients are exact."""

Width = Annotated[int, Field(ge=1, le=512)]
Cosine = Annotated[float, Field(ge=-1, le=1)]


def _narrowing(widths: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse a layer that is wider than the layer before it."""
    if any(after > before for before, after in pairwise(widths[1:])):
        raise refused("widths that do not rise after n_1", written(widths))
    return widths


class Params(Settings):
    """Views of objects, the layers that receive them, and the feedback and context of the local losses."""

    widths: Annotated[tuple[Width, ...], FROM_LIST, AfterValidator(_narrowing)] = Field(
        min_length=3,
        max_length=17,
        description="widths n_0 .. n_L of the inputs and of each layer, which do not rise after n_1",
    )
    samples: int = Field(ge=2, le=256, description="number of objects, each of which has two views")
    falloff: DrawnFromZero = Field(
        description="power p of the spectrum: the variance of the k-th input is proportional to k^-p; a number,"
        " or a range [low, high] from which each run draws"
    )
    noise: DrawnFromZero = Field(
        description="share of a view's variance that is independent of the other view, at most 1: a number, or a range"
        " [low, high] from which each run draws"
    )
    size: Positive = Field(description="root mean square of the inputs")
    loss: Loss = Field(
        description="loss f of the scores: f(u) = -u of a difference of scores (`linear`), a softplus of such a"
        " difference (`difference`), or a softplus of each score (`two-sided`)"
    )
    decay: float = Field(
        gt=0, le=10, description="factor on ||B||_F^2 in the loss of every layer, where B is its feedback"
    )
    activation: Activation = Field(description="activation function of every layer")
    disturbance: float = Field(
        ge=0,
        le=1,
        description="scale of Gaussian noise that is added to the weights: its standard deviation times sqrt(fan-in)",
    )
    start: Literal["orthogonal", "default"] = Field(
        description="weights with orthonormal rows (`orthogonal`), or PyTorch's default weights, which are uniform"
        " between -1 / sqrt(fan-in) and 1 / sqrt(fan-in) (`default`)"
    )
    feedback: Literal["best", "random", "identity"] = Field(
        description="feedback matrices B: the optimum of each layer's loss (`best`), the identity in every layer"
        " (`identity`), or below the last layer uniform between -1 / sqrt(n) and 1 / sqrt(n) with the width n of the"
        " context (`random`)"
    )
    context: Context = Field(
        description="activity for the other view with which a layer is compared: its own (`own`), that of the last"
        " layer (`top`), or that of the last layer for another object, half a batch away (`stranger`)"
    )
    printed: Annotated[tuple[Cosine, ...], FROM_LIST] = Field(
        max_length=16,
        description="cosines of the layers 1 .. L that the authors print for this setting; empty if they print none",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Feedback by the identity for layers of several widths; a number of printed cosines that is not L."""
        yield from super().contradictions()
        layers = self.widths[1:]
        if self.noise[1] > 1:
            yield Contradiction("noise", "shares of at most 1")
        if self.feedback == "identity" and len(set(layers)) > 1:
            yield Contradiction("feedback", "`best` or `random`, because the layers have several widths")
        if self.printed and len(self.printed) != len(layers):
            yield Contradiction("printed", f"{len(layers)} values, one for each layer", f"{len(self.printed)} values")

    def numbers(self) -> int:
        """The weights and the views."""
        layers = sum(before * after for before, after in pairwise(self.widths))
        return 8 * layers + 8 * self.samples * sum(self.widths)

    def memory(self, runs: int) -> int:
        """The numbers of all runs, and the linear systems of Newton's method for one run."""
        return super().memory(runs) + 8 * 60 * (2 * self.samples) ** 2


MEASURES = {
    "gradient_error": "largest relative distance, over the layers below the last, of a layer's own gradient from that"
    " of back-propagation, in the Frobenius norm, >= 0",
    "cosine_gap": "largest 1 - cosine, over the layers below the last, between a layer's own gradient and that of"
    " back-propagation, in [0, 2]",
    "printed_gap": "largest difference between the cosine of a layer and the cosine that the authors print, in [0, 2];"
    " NaN if they print none",
    "closer_ratio": "largest ratio, over the layers below the last, of a gradient's distance from that of"
    " back-propagation to the same distance with the layer's own context, >= 0; 1 if the context is the layer's own;"
    " layers are left out in which the latter distance is rounding",
    "cosine_gain": "mean cosine with the gradient of back-propagation, over the layers below the last, less the same"
    " mean with the layer's own context; 0 if the context is the layer's own",
    "transport_error": "largest ||Q^T Q g - g_BP||_F / ||g_BP||_F over the layers below the last, where g is a"
    " layer's own gradient, g_BP that of back-propagation and Q the product of the layers above, >= 0",
    "feedback_gap": "largest relative slope of a layer's loss in its feedback matrix, >= 0; 0 if the feedback is fixed",
    "orthogonality_gap": "largest ||W_l W_l^T - I||_F of the weights W_l over the layers l = 2 .. L, >= 0",
}

SERIES = {
    "layer": Series("layer", "layer, counted from the input"),
    "cosine": Series("layer", "cosine between the layer's own gradient and that of back-propagation"),
    "printed_cosine": Series("layer", "cosine that the authors print for the layer"),
    "error": Series("layer", "relative distance of the layer's own gradient from that of back-propagation"),
}

_LOCAL = "dlnrepro.dynamics.self_supervision.comparison:local_gradient"

FLAWS = {
    "local": Flaw("the local gradients are too large by 5 %", _LOCAL, scaled(1.05)),
    "transposed": Flaw(
        "the local gradients use the transposed feedback",
        _LOCAL,
        lambda right: lambda below, weight, feedback, *rest: right(below, weight, feedback.mT, *rest),
    ),
    "objects": Flaw(
        "the local gradients use the activities below in the reversed order of the objects",
        _LOCAL,
        lambda right: lambda below, *rest: right(below.flip(-2), *rest),
    ),
    "cubes": Flaw(
        "the local gradients use the cubes of the activities below",
        _LOCAL,
        lambda right: lambda below, *rest: right(below**3, *rest),
    ),
    "half-feedback": Flaw(
        "the local gradients use half of the feedback",
        _LOCAL,
        lambda right: lambda below, weight, feedback, *rest: right(below, weight, 0.5 * feedback, *rest),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw views, weights and fixed feedback, and compare gradients run by run."""
    falloff, noise = uniform((), *params.falloff, generators), uniform((), *params.noise, generators)
    views = paired_views(params.samples, params.widths[0], falloff, noise, params.size, generators)
    weights, fixed = _weights(params, generators), _fixed_feedback(params, generators)
    learning = Learning(params.loss, params.decay, params.activation)
    # Fixed feedback is drawn for one context only. The best feedback is computed for both contexts.
    two_contexts = params.context != "own" and not fixed
    first = part_of(progress, 0, 0.5 if two_contexts else 1)
    compare = partial(compared, weights, views, fixed)
    (measured, gap) = (local, own_gap) = compare(params.context, learning, first)
    if two_contexts:
        local, own_gap = compare("own", learning, part_of(progress, 0.5, 0.5))
    cosine = 1 - measured.misalignment
    printed = torch.tensor(params.printed or [torch.nan] * len(weights), dtype=torch.float64)
    measures = {
        "gradient_error": measured.error[:, :-1].amax(-1),
        "cosine_gap": measured.misalignment[:, :-1].amax(-1),
        "printed_gap": (cosine - printed).abs().amax(-1),
        "closer_ratio": _largest_ratio(measured.error[:, :-1], local.error[:, :-1]),
        "cosine_gain": (local.misalignment - measured.misalignment)[:, :-1].mean(-1),
        "transport_error": measured.transport[:, :-1].amax(-1),
        "feedback_gap": torch.maximum(gap, own_gap),
        "orthogonality_gap": torch.stack([orthogonality_gap(weight) for weight in weights[1:]]).amax(0),
    }
    layers = torch.arange(1, len(weights) + 1, dtype=torch.float64)
    series = {"layer": layers, "cosine": cosine, "printed_cosine": printed, "error": measured.error}
    return Result(measures, series)


def _largest_ratio(errors: Tensor, others: Tensor) -> Tensor:
    """The largest ratio of two errors over the layers in which the other error is more than rounding; else NaN."""
    inexact = others > EXACT
    largest = torch.where(inexact, errors / others, -torch.inf).amax(-1)
    return torch.where(inexact.any(-1), largest, torch.nan)


def _weights(params: Params, generators: Sequence[Generator]) -> Weights:
    """The weights, to which a disturbance may add Gaussian noise."""
    weights = (semi_orthogonal if params.start == "orthogonal" else uniform_layers)(params.widths, generators)
    if params.disturbance == 0:
        return weights
    noise = gaussian(params.widths, params.disturbance, generators)
    return [weight + extra for weight, extra in zip(weights, noise, strict=True)]


def _fixed_feedback(params: Params, generators: Sequence[Generator]) -> list[Tensor]:
    """The fixed feedback matrices, from the first layer on; none for `best`."""
    layers = params.widths[1:]
    if params.feedback == "identity":
        return identical_feedback(layers[0], len(layers), len(generators))
    return [] if params.feedback == "best" else random_feedback(layers, params.context, generators)
