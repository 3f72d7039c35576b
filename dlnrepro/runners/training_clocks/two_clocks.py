"""When a deep linear classifier with weight decay has learned its data, and when, much later, their rule.

F = R + decay/2 sum ||W_l||_F^2 by gradient descent, with R the cross-entropy of K classes whose means lie in a plane;
the rest of every input is noise. There are fewer samples than dimensions, so that training separates them soon from any
initialization, and R does not depend on what W_1 maps from outside their span. This part hurts fresh data, and only
decay removes it: W_1 P = (1 - eta decay)^t W_1(0) P with P the projection off the span. All decays of a sweep are
trained at once.

Source: the two clocks, and delayed generalisation by weight decay, are those of Tan, Gai, Zhang 2026
(arXiv:2606.05863); the data and the law above are derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import log_slope, slope
from dlnrepro.dynamics.fits.sweeps import lasting_fall
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.dynamics.training_clocks.class_means import around_circle, labels, off_span
from dlnrepro.dynamics.training_clocks.cross_entropy import cross_entropy_gradient
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FALLING, Share, StepSize, Window
from dlnrepro.settings.training_clocks import ManyClasses

RECORDS = 200
TESTS = 240

Decay = Annotated[float, Field(gt=0, le=1)]


class Params(ManyClasses):
    """A network that separates classes whose means lie in a plane, a sweep over the decay, and when clocks stop."""

    radius: float = Field(gt=0, le=10, description="radius of the circle on which the class means lie")
    noise: float = Field(gt=0, le=10, description="standard deviation of the other coordinates of the inputs")
    decays: Annotated[tuple[Decay, ...], Field(strict=False, min_length=1, max_length=8), FALLING] = Field(
        description="the weight decays of the sweep, which fall strictly"
    )
    decay_on: Literal["layers", "nothing"] = Field(
        description="what decays: the `layers`, or `nothing`, so that the sweep repeats one descent"
    )
    step_size: StepSize
    steps: int = Field(ge=10, le=10**6, description="the number of steps of each descent")
    learned: Share = Field(description="cross-entropy at which the classifier clock stops")
    structured: Share = Field(description="off-span share of ||W||_F^2 at which the representation clock stops")
    accuracy: Share = Field(description="accuracy on fresh data at which the generalisation clock stops")
    tail: Window = Field(description="range of F - F* in which the power of the tail is fitted")

    def contradictions(self) -> Iterable[Contradiction]:
        """Samples that span all inputs."""
        yield from super().contradictions()
        if self.samples == self.inputs:
            yield Contradiction(
                "samples", f"fewer than {self.inputs}, the inputs, so that something lies off their span"
            )

    def numbers(self) -> int:
        """Weights, gradients and products of the sweep, the data, and the records."""
        descents = len(self.decays)
        data = (self.samples + 2 * TESTS) * self.inputs * descents
        return 12 * descents * self.weight_count + data + 40 * RECORDS


MEASURES = {
    "classifier_spread": "largest over smallest time of the classifier clock in the sweep, >= 1",
    "clocks_ratio": "smallest ratio in the sweep of the representation clock to the classifier clock, > 0",
    "delay": "smallest ratio in the sweep of the generalisation clock to the classifier clock, > 0",
    "representation_slope": "slope of the log of the representation clock against log decay; 0 if it never stops",
    "generalisation_slope": "slope of the log of the generalisation clock against log decay; 0 if it never stops",
    "off_span_error": "largest ||W_1 P - (1 - eta decay)^t W_1(0) P||_F / ||W_1(0) P||_F at the end, with the decays "
    "of the sweep, >= 0",
    "early_accuracy": "largest accuracy on fresh data while the classifier clock runs, in [0, 1]; 0 if that clock "
    "stops at the first record",
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
    """What a network is trained and tested on, with a dimension of length 1 for the sweep.

    Attributes:
        x: inputs for training, of shape (runs, 1, samples, n_0).
        hot: their labels, of shape (runs, 1, samples, classes).
        fresh: inputs for tests, of shape (runs, 1, TESTS, n_0).
        labels: their classes, of shape (TESTS,).
        off: P, the projection off the span of the inputs for training, of shape (runs, 1, n_0, n_0).
    """

    x: Tensor
    hot: Tensor
    fresh: Tensor
    labels: Tensor
    off: Tensor


class _Sweep(NamedTuple):
    """The descents of all decays.

    Attributes:
        decays: the sweep of the settings, of shape (decays,).
        steps: the steps with a record, of shape (records,).
        start: W_1 before the descent, of shape (runs, decays, n_1, n_0).
        end: W_1 after it.
        records: name -> what was observed, of shape (runs, decays, records).
    """

    decays: Tensor
    steps: Tensor
    start: Tensor
    end: Tensor
    records: Mapping[str, Tensor]


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with the whole sweep; read the clocks."""
    data = _draw(params, generators)
    sweep = _descended(params, data, params.weights(generators), progress)
    records = sweep.records
    risk, accuracy = records["risk"], records["accuracy"]
    clocks = {
        "classifier": lasting_fall(risk, params.learned, sweep.steps),
        "representation": lasting_fall(records["off_span"], params.structured, sweep.steps),
        "generalisation": lasting_fall(1 - accuracy, 1 - params.accuracy, sweep.steps),
    }
    gap = records["height"] - (records["height"][..., -1:] if params.decay_on == "layers" else 0.0)
    finite = torch.isfinite(records["height"][..., -1]).all(-1)
    measures = {
        **_clock_measures(sweep, clocks),
        "off_span_error": _off_span_error(params, data, sweep),
        "early_accuracy": torch.where(risk > params.learned, accuracy, 0.0).amax(-1).amax(-1),
        "end_accuracy": accuracy[..., -1].amin(-1),
        "end_risk": risk[..., -1].amax(-1),
        "theta": _theta(params.tail, gap, records["square"]),
    }
    series = {
        "step": sweep.steps,
        "risk": risk[:, 0],
        "off_span": records["off_span"][:, 0],
        "error": 1 - accuracy[:, 0],
        "gap": gap[:, 0],
        "decay": sweep.decays,
        **clocks,
    }
    return Result({name: torch.where(finite, value, torch.nan) for name, value in measures.items()}, series)


def _draw(params: Params, generators: Sequence[Generator]) -> _Data:
    """Inputs to train on, then fresh ones."""
    shape = (params.classes, params.inputs, params.radius, params.noise)
    train = around_circle(params.samples, *shape, generators)
    fresh = around_circle(TESTS, *shape, generators)
    hot, off = params.one_hot(len(train)), off_span(train)
    return _Data(train[:, None], hot[:, None], fresh[:, None], labels(TESTS, params.classes), off[:, None])


def _descended(params: Params, data: _Data, weights: Weights, progress: Progress) -> _Sweep:
    """One start for each run, and the descent from it at every decay."""
    decays = torch.tensor(params.decays, dtype=torch.float64)
    decay = decays if params.decay_on == "layers" else torch.zeros_like(decays)
    starts = [weight[:, None].repeat(1, len(decays), 1, 1) for weight in weights]

    def gradient(current: Sequence[Tensor]) -> tuple[Tensor, Weights]:
        """The risk, and the gradient of F, which is the risk with the penalty of the decay."""
        risk, parts = cross_entropy_gradient(current, data.x, data.hot)
        return risk, [part + decay[:, None, None] * weight for part, weight in zip(parts, current, strict=True)]

    def observe(current: Weights) -> Record:
        """What the clocks and the tail are read from."""
        risk, parts = gradient(current)
        whole = product(current)
        guess = (data.fresh @ whole.mT).argmax(-1)
        return {
            "risk": risk,
            "height": risk + decay / 2 * squared_length(current),
            "square": squared_length(parts),
            "off_span": squared_length([whole @ data.off]) / squared_length([whole]),
            "accuracy": (guess == data.labels).double().mean(-1),
        }

    steps = log_grid(params.steps, RECORDS)[1:]
    end, records = descend(
        starts, lambda now: gradient(now)[1], lambda _: params.step_size, params.steps, steps, observe, progress
    )
    return _Sweep(decays, torch.tensor(steps, dtype=torch.float64), starts[0], end[0], records)


def _clock_measures(sweep: _Sweep, clocks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The measures of the three clocks, each of shape (runs, decays)."""
    logs = each_run(torch.log, torch.stack(list(clocks.values()), 1))
    grid, classifier = sweep.decays.log(), clocks["classifier"]
    return {
        "classifier_spread": classifier.amax(-1) / classifier.amin(-1),
        "clocks_ratio": (clocks["representation"] / classifier).amin(-1),
        "delay": (clocks["generalisation"] / classifier).amin(-1),
        "representation_slope": slope(grid, logs[:, 1]),
        "generalisation_slope": slope(grid, logs[:, 2]),
    }


def _off_span_error(params: Params, data: _Data, sweep: _Sweep) -> Tensor:
    """The distance of W_1 P from (1 - eta decay)^steps W_1(0) P, over ||W_1(0) P||_F; the largest of the sweep."""
    factor = each_run(lambda one: (1 - params.step_size * sweep.decays) ** params.steps + 0 * one[:, 0, 0], sweep.start)
    first = sweep.start @ data.off
    error = squared_length([sweep.end @ data.off - factor[..., None, None] * first]) / squared_length([first])
    return error.sqrt().amax(-1)


def _theta(tail: tuple[float, float], gap: Tensor, square: Tensor) -> Tensor:
    """The power of the tail, for the decay at which it is farthest from 1/2, of shape (runs,)."""
    rows = gap.flatten(0, 1)
    inside = (rows < tail[1]) & (rows > tail[0])
    logs = each_run(torch.log, rows.clamp_min(1e-300))
    theta = log_slope(logs, square.flatten(0, 1).sqrt(), inside).view(gap.shape[:2])
    farthest = (theta - 0.5).abs().argmax(-1, keepdim=True)
    return theta.gather(-1, farthest)[:, 0]
