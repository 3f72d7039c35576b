"""Layer-wise contrastive learning and back-propagation of the last layer's loss: how far apart are their gradients?

Nothing is trained but the feedback matrices B^l: they stand at the optimum of their layer's loss, or are fixed. Then
each layer's own gradient is compared with the one that back-propagation gives from the last layer. A layer's context
is the other view's activity in the same layer (`own`), or in the last one (`top`, direct feedback). Theory: with
orthogonal W_2 .. W_L of equal widths both are equal, for any falling f. For linear f and any weights,

    g_BP = Q^T Q g_top,    Q = W_L ... W_{l+1},

so that with orthonormal rows and falling widths direct feedback errs only outside the subspace that is read further up.

Source: Zihan, Delrocq, Gerstner, Bellec 2026 (arXiv:2601.21683); the identity of g_top is derived here: with f' = -1
the best feedback is B = P_l M P_L^T / (2 decay), P_l = W_l ... W_1 and M the data's mean of (x_i - x_{i+1}) x'_i^T.
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
from dlnrepro.dynamics.starts.draws import gaussian, semi_orthogonal, uniform_layers
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction, Settings, refused, written
from dlnrepro.settings.fields import FROM_LIST, Positive

Width = Annotated[int, Field(ge=1, le=512)]
Cosine = Annotated[float, Field(ge=-1, le=1)]


def _narrowing(widths: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse a layer that is wider than the one before it."""
    if any(after > before for before, after in pairwise(widths[1:])):
        raise refused("widths that do not rise after n_1", written(widths))
    return widths


class Params(Settings):
    """Views of objects, the layers that see them, and the feedback and context of their local losses."""

    widths: Annotated[tuple[Width, ...], FROM_LIST, AfterValidator(_narrowing)] = Field(
        min_length=3, max_length=17, description="n_0 .. n_L, which do not rise after n_1"
    )
    samples: int = Field(ge=2, le=256, description="S, the number of objects, each of which is seen in two views")
    falloff: float = Field(ge=0, le=4, description="p, with which the variance of the k-th input falls as k^-p")
    noise: float = Field(ge=0, le=1, description="share of the variance that a view does not share with the other view")
    size: Positive = Field(description="the root mean square of an input")
    loss: Loss = Field(
        description="`linear`: f(u) = -u of a difference of scores; `difference`: softplus f of such a difference;"
        " `two-sided`: softplus f of two scores"
    )
    decay: float = Field(gt=0, le=10, description="factor on ||B||_F^2 in the loss of every layer")
    activation: Activation = Field(description="the activation of every layer")
    disturbance: float = Field(
        ge=0, le=1, description="scale of the Gaussian noise added to the weights, over the root of the fan-in"
    )
    start: Literal["orthogonal", "default"] = Field(
        description="`orthogonal`: weights with orthonormal rows; `default`: those of PyTorch, uniform on +-1 /"
        " sqrt(fan-in)"
    )
    feedback: Literal["best", "random", "identity"] = Field(
        description="the feedback matrices B: `best` is the optimum of each layer's loss; `random` is uniform on"
        " +-1 / sqrt(n_c) below the last layer; `identity` is 1 in every layer"
    )
    context: Context = Field(
        description="what a layer is compared with, in the other view: `own` is its own activity; `top` is that of the"
        " last layer; `stranger` is the latter for an object half a batch away"
    )
    printed: Annotated[tuple[Cosine, ...], FROM_LIST] = Field(
        min_length=2, max_length=16, description="cosines of layers 1 .. L that the authors print for such a setting"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Identical feedback for layers of several widths, and printed cosines of other layers."""
        yield from super().contradictions()
        layers = self.widths[1:]
        if self.feedback == "identity" and len(set(layers)) > 1:
            yield Contradiction("feedback", "best or random, because the layers have several widths")
        if len(self.printed) != len(layers):
            yield Contradiction("printed", f"{len(layers)} values, one for each layer", f"{len(self.printed)} values")

    def numbers(self) -> int:
        """The weights and the views."""
        layers = sum(before * after for before, after in pairwise(self.widths))
        return 8 * layers + 8 * self.samples * sum(self.widths)

    def memory(self, runs: int) -> int:
        """The numbers of all runs, and the systems of Newton's method of one run."""
        return super().memory(runs) + 8 * 60 * (2 * self.samples) ** 2


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


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw views, weights and fixed feedback, and compare gradients run by run."""
    views = paired_views(params.samples, params.widths[0], params.falloff, params.noise, params.size, generators)
    weights, fixed = _weights(params, generators), _fixed_feedback(params, generators)
    learning = Learning(params.loss, params.decay, params.activation)
    # Fixed feedback is drawn for one context alone; a layer's best one is found again for the other.
    two_contexts = params.context != "own" and not fixed
    first = part_of(progress, 0, 0.5 if two_contexts else 1)
    compare = partial(compared, weights, views, fixed)
    (measured, gap) = (local, own_gap) = compare(params.context, learning, first)
    if two_contexts:
        local, own_gap = compare("own", learning, part_of(progress, 0.5, 0.5))
    cosine, printed = 1 - measured.misalignment, torch.tensor(params.printed, dtype=torch.float64)
    measures = {
        "gradient_error": measured.error[:, :-1].amax(-1),
        "cosine_gap": measured.misalignment[:, :-1].amax(-1),
        "printed_gap": (cosine - printed).abs().amax(-1),
        "closer_ratio": (measured.error / local.error)[:, :-1].amax(-1),
        "cosine_gain": (local.misalignment - measured.misalignment)[:, :-1].mean(-1),
        "transport_error": measured.transport[:, :-1].amax(-1),
        "feedback_gap": torch.maximum(gap, own_gap),
        "orthogonality_gap": torch.stack([orthogonality_gap(weight) for weight in weights[1:]]).amax(0),
    }
    layers = torch.arange(1, len(weights) + 1, dtype=torch.float64)
    series = {"layer": layers, "cosine": cosine, "printed_cosine": printed, "error": measured.error}
    return Result(measures, series)


def _weights(params: Params, generators: Sequence[Generator]) -> Weights:
    """The weights, with noise on top where there is a disturbance."""
    weights = (semi_orthogonal if params.start == "orthogonal" else uniform_layers)(params.widths, generators)
    if params.disturbance == 0:
        return weights
    noise = gaussian(params.widths, params.disturbance, generators)
    return [weight + extra for weight, extra in zip(weights, noise, strict=True)]


def _fixed_feedback(params: Params, generators: Sequence[Generator]) -> list[Tensor]:
    """The feedback matrices of the layers where they are fixed, from the first on; none where they are not."""
    layers = params.widths[1:]
    if params.feedback == "identity":
        return identical_feedback(layers[0], len(layers), len(generators))
    return [] if params.feedback == "best" else random_feedback(layers, params.context, generators)
