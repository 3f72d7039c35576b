"""When a deep linear classifier with weight decay has learned its data, and when, much later, their rule.

F = R + decay/2 sum ||W_l||_F^2 by gradient descent, with R the cross-entropy of K classes whose means lie in a plane;
the rest of every input is noise. There are fewer samples than dimensions, so that any start separates them soon, and
what the start maps from outside their span is no matter to R. It hurts fresh data, and decay alone removes it:
W_1 P = (1 - eta decay)^t W_1(0) P with P the projection off the span. A sweep over the decay is trained at once.

Source: the two clocks, and delayed generalisation by weight decay, are those of Tan, Gai, Zhang 2026
(arXiv:2606.05863); the data and the law above are derived here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import log_slope, slope
from dlnrepro.dynamics.fits.sweeps import lasting_fall
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.dynamics.training_clocks.class_means import around_circle, labels, off_span
from dlnrepro.dynamics.training_clocks.cross_entropy import risk_gradient
from dlnrepro.runner import Progress, Result, Series

RECORDS = 200
TESTS = 240

Decay = Annotated[float, Field(gt=0, le=1)]


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    depth: int = Field(ge=2, le=6, description="L, the number of weight matrices")
    dimension: int = Field(ge=4, le=64, description="of the inputs; the first two hold the class means")
    width: int = Field(ge=2, le=64, description="of every hidden layer")
    classes: int = Field(ge=2, le=8, description="K, with as many samples in each as in the others, or one more")
    samples: int = Field(ge=8, le=56, description="fewer than the dimension")
    radius: float = Field(gt=0, le=10, description="of the circle on which the class means lie")
    noise: float = Field(gt=0, le=10, description="deviation of the other coordinates")
    scale: float = Field(gt=0, le=10, description="of the start: entries of W_l have deviation scale / sqrt(n_{l-1})")
    decays: Annotated[tuple[Decay, ...], Field(strict=False, min_length=1, max_length=8)] = Field(
        description="the sweep, falling"
    )
    decay_on: Literal["layers", "nothing"] = Field(description="what decays; with nothing the sweep repeats one run")
    step_size: float = Field(gt=0, le=1, description="eta")
    steps: int = Field(ge=10, le=10**6, description="gradient steps")
    learned: float = Field(gt=0, lt=1, description="cross-entropy at which the classifier clock stops")
    structured: float = Field(gt=0, lt=1, description="off-span share at which the representation clock stops")
    accuracy: float = Field(gt=0, lt=1, description="accuracy on fresh data at which the generalisation clock stops")
    tail_from: float = Field(gt=0, lt=1, description="the tail's power is fitted from this F - F*")
    tail_to: float = Field(gt=0, lt=1, description="to this one")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if self.samples >= self.dimension:
            raise ValueError("samples must be fewer than dimension, or nothing lies off their span")
        if self.samples % 8:
            raise ValueError("samples must be a multiple of 8, for a run to have the same bits in any batch")
        if any(after >= before for before, after in zip(self.decays, self.decays[1:], strict=False)):
            raise ValueError("decays must fall strictly")
        if self.tail_from <= self.tail_to:
            raise ValueError("tail_from must lie above tail_to")
        return self

    @property
    def widths(self) -> list[int]:
        """n_0 .. n_L."""
        return [self.dimension, *[self.width] * (self.depth - 1), self.classes]

    def memory(self, runs: int) -> int:
        """Weights, gradients and products of the sweep, the data, and the records."""
        layers = sum(before * after for before, after in zip(self.widths, self.widths[1:], strict=False))
        points = len(self.decays)
        return 8 * runs * (12 * points * layers + (self.samples + 2 * TESTS) * self.dimension * points + 8000) + 10**7


MEASURES = {
    "classifier_spread": "largest over smallest time of the classifier clock in the sweep, >= 1",
    "clocks_ratio": "smallest ratio in the sweep of the representation clock to the classifier clock, > 0",
    "delay": "smallest ratio in the sweep of the generalisation clock to the classifier clock, > 0",
    "representation_slope": "slope of the log of the representation clock against log decay; 0 if it never stops",
    "generalisation_slope": "slope of the log of the generalisation clock against log decay; 0 if it never stops",
    "off_span_error": "largest ||W_1 P - (1 - eta decay)^t W_1(0) P||_F / ||W_1(0) P||_F at the end, with the decays "
    "of the sweep, >= 0",
    "early_accuracy": "largest accuracy on fresh data while the classifier clock runs, in [0, 1]; 0 if that is no time",
    "end_accuracy": "accuracy on fresh data at the end, in [0, 1]; smallest of the sweep",
    "end_risk": "cross-entropy at the end; largest of the sweep",
    "theta": "slope of log |grad F| against log(F - F*) in the tail, where it is farthest from 1/2 in the sweep; F* is "
    "F at the end, or 0 without decay; 0 if the tail is never reached",
}

SERIES = {
    "step": Series("step", "gradient steps taken"),
    "risk": Series("step", "cross-entropy, at the largest decay"),
    "off_span": Series("step", "share of ||A||_F^2 off the span of the inputs, at the largest decay"),
    "error": Series("step", "share of fresh data that is misclassified, at the largest decay"),
    "gap": Series("step", "F - F*, at the largest decay"),
    "decay": Series("decay", "the decay"),
    "classifier": Series("decay", "the classifier clock, in steps"),
    "representation": Series("decay", "the representation clock, in steps"),
    "generalisation": Series("decay", "the generalisation clock, in steps"),
}


class _Data(NamedTuple):
    """Inputs and labels to train on and to test on, and P, each with a dimension of one for the sweep."""

    x: Tensor
    hot: Tensor
    fresh: Tensor
    labels: Tensor
    off: Tensor


class _Sweep(NamedTuple):
    """The descents of all decays.

    Attributes:
        decays: the sweep, as told, of shape (decays,).
        steps: at which there is a record, of shape (records,).
        start: W_1 before the descent, of shape (runs, decays, n_1, n_0).
        end: W_1 after it.
        seen: name -> what was observed at the records, of shape (runs, decays, records).
    """

    decays: Tensor
    steps: Tensor
    start: Tensor
    end: Tensor
    seen: Mapping[str, Tensor]


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with the whole sweep; read the clocks."""
    data = _draw(params, generators)
    sweep = _descended(params, data, generators, progress)
    seen = sweep.seen
    clocks = {
        "classifier": lasting_fall(seen["risk"], params.learned, sweep.steps),
        "representation": lasting_fall(seen["off_span"], params.structured, sweep.steps),
        "generalisation": lasting_fall(1 - seen["accuracy"], 1 - params.accuracy, sweep.steps),
    }
    gap = seen["height"] - (seen["height"][..., -1:] if params.decay_on == "layers" else 0.0)
    finite = torch.isfinite(seen["height"][..., -1]).all(-1)
    measures = {
        **_clock_measures(sweep, clocks),
        "off_span_error": _off_span_error(params, data, sweep),
        "early_accuracy": torch.where(seen["risk"] > params.learned, seen["accuracy"], 0.0).amax(-1).amax(-1),
        "end_accuracy": seen["accuracy"][..., -1].amin(-1),
        "end_risk": seen["risk"][..., -1].amax(-1),
        "theta": _theta(params, gap, seen["square"]),
    }
    measures = {name: torch.where(finite, value, torch.nan) for name, value in measures.items()}
    series = {
        "step": sweep.steps.expand(len(gap), -1).clone(),
        "risk": seen["risk"][:, 0],
        "off_span": seen["off_span"][:, 0],
        "error": 1 - seen["accuracy"][:, 0],
        "gap": gap[:, 0],
        "decay": sweep.decays.expand(len(gap), -1).clone(),
        **clocks,
    }
    return Result(measures, series)


def _descended(params: Params, data: _Data, generators: Sequence[Generator], progress: Progress) -> _Sweep:
    """One start for each run, descended from at every decay."""
    count = len(params.decays)
    weights = [one[:, None].repeat(1, count, 1, 1) for one in gaussian(params.widths, params.scale, generators)]
    told = torch.tensor(params.decays, dtype=torch.float64)
    decay = told if params.decay_on == "layers" else torch.zeros_like(told)

    def slopes(current: Sequence[Tensor]) -> tuple[Tensor, Weights]:
        """The risk, and the gradient of what descends: the risk with the decay's penalty."""
        risk, parts = risk_gradient(current, data.x, data.hot)
        return risk, [part + decay[:, None, None] * weight for part, weight in zip(parts, current, strict=True)]

    def observe(current: Weights) -> Record:
        """What the clocks and the tail are read from."""
        risk, parts = slopes(current)
        whole = product(current)
        guess = (data.fresh @ whole.mT).argmax(-1)
        outside = whole @ data.off
        return {
            "risk": risk,
            "height": risk + decay / 2 * squared_length(current),
            "square": squared_length(parts),
            "off_span": squared_length([outside]) / squared_length([whole]),
            "accuracy": (guess == data.labels).double().mean(-1),
        }

    records = log_grid(params.steps, RECORDS)[1:]
    end, seen = descend(
        weights, lambda now: slopes(now)[1], lambda _: params.step_size, params.steps, records, observe, progress
    )
    return _Sweep(told, torch.tensor(records, dtype=torch.float64), weights[0], end[0], seen)


def _clock_measures(sweep: _Sweep, clocks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the three clocks, each (runs, decays), show together."""
    logs = each_run(torch.log, torch.stack(list(clocks.values()), 1))
    grid = sweep.decays.log().expand(len(logs), -1)
    classifier = clocks["classifier"]
    return {
        "classifier_spread": classifier.amax(-1) / classifier.amin(-1),
        "clocks_ratio": (clocks["representation"] / classifier).amin(-1),
        "delay": (clocks["generalisation"] / classifier).amin(-1),
        "representation_slope": slope(grid, logs[:, 1]),
        "generalisation_slope": slope(grid, logs[:, 2]),
    }


def _off_span_error(params: Params, data: _Data, sweep: _Sweep) -> Tensor:
    """How far W_1's part off the span is from (1 - eta lambda)^steps times what it was, over what it was."""
    left = each_run(lambda one: (1 - params.step_size * sweep.decays) ** params.steps + 0 * one[:, 0, 0], sweep.start)
    first = sweep.start @ data.off
    error = squared_length([sweep.end @ data.off - left[..., None, None] * first]) / squared_length([first])
    return error.sqrt().amax(-1)


def _draw(params: Params, generators: Sequence[Generator]) -> _Data:
    """Inputs to train on, then fresh ones."""
    shape = (params.classes, params.dimension, params.radius, params.noise)
    train = around_circle(params.samples, *shape, generators)
    fresh = around_circle(TESTS, *shape, generators)
    hot = torch.nn.functional.one_hot(labels(params.samples, params.classes), params.classes).to(train.dtype)
    return _Data(
        train[:, None],
        hot.expand(len(train), 1, -1, -1),
        fresh[:, None],
        labels(TESTS, params.classes),
        off_span(train)[:, None],
    )


def _theta(params: Params, gap: Tensor, square: Tensor) -> Tensor:
    """The tail's power, of the decay for which it is farthest from 1/2, of shape (runs,)."""
    rows = gap.flatten(0, 1)
    inside = (rows < params.tail_from) & (rows > params.tail_to)
    logs = each_run(torch.log, rows.clamp_min(1e-300))
    theta = log_slope(logs, square.flatten(0, 1).sqrt(), inside).view(gap.shape[:2])
    farthest = (theta - 0.5).abs().argmax(-1, keepdim=True)
    return theta.gather(-1, farthest)[:, 0]
