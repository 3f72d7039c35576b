"""When a deep linear classifier with weight decay has learned its samples, and when, much later, it generalises.

Gradient descent with the step size eta lowers F = R + lambda/2 sum_l ||W_l||_F^2. Here lambda is the weight decay, and
R the cross-entropy of K classes whose means lie in a plane; the rest of every input is noise. There are fewer samples
than dimensions, so training separates them soon from any initialization. R does not depend on how W_1 acts off the span
of the samples. This part of W_1 hurts fresh inputs, and only decay removes it: after t steps it is
W_1 P = (1 - eta lambda)^t W_1(0) P, where P is the projection off the span. Networks with all decays of a sweep are
trained at once. Each clock is the number of steps after which a condition always holds:

* the classifier clock: the cross-entropy is at most `learned`;
* the representation clock: the share of ||W||_F^2 off the span (W = W_L ... W_1) is at most `structured`;
* the generalisation clock: the accuracy on fresh inputs is at least `accuracy`.

The first steps are compared with those of torch's own optimiser with weight decay.

Source: the two clocks, and delayed generalisation by weight decay, are from Tan, Gai, Zhang 2026 (arXiv:2606.05863).
The data and the law above are derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.fits.sweeps import lasting_fall
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.dynamics.training_clocks.by_torch import DescentSteps, cross_entropy, move_error, optimised
from dlnrepro.dynamics.training_clocks.class_means import ClassData, draw_class_data
from dlnrepro.dynamics.training_clocks.tail_powers import farthest_theta
from dlnrepro.dynamics.training_clocks.weight_decay import DecayedClassifier, off_span_error, repeated
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, silent
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FALLING, DrawnAboveZero, Share, StepSize, Window
from dlnrepro.settings.training_clocks import ManyClasses

RECORDS = 200
TESTS = 240
CHECKED = 3
"""The number of steps that are compared with another route."""

Decay = Annotated[float, Field(gt=0, le=1)]


class Params(ManyClasses):
    """A network that separates classes whose means lie in a plane, a sweep over the decay, and when the clocks stop."""

    radius: DrawnAboveZero = Field(
        description="radius of the circle, in two coordinates of the inputs, on which the class means lie: a number, or"
        " a range [low, high] from which each run draws"
    )
    noise: float = Field(
        gt=0, le=10, description="standard deviation of the noise in every other coordinate of the inputs"
    )
    decays: Annotated[tuple[Decay, ...], Field(strict=False, min_length=1, max_length=8), FALLING] = Field(
        description="weight decays lambda of the sweep, which fall strictly"
    )
    decay_on: Literal["layers", "nothing"] = Field(
        description="what decays: the `layers`, or `nothing`; the sweep then repeats one descent"
    )
    step_size: StepSize
    steps: int = Field(ge=10, le=10**6, description="the number of steps of each descent")
    learned: Share = Field(description="cross-entropy at or below which the classifier clock stops")
    structured: Share = Field(
        description="share of ||W||_F^2 off the span of the samples at or below which the representation clock stops"
    )
    accuracy: Share = Field(
        description="accuracy on fresh inputs, in (0, 1), at or above which the generalisation clock stops"
    )
    tail: Window = Field(description="range of the gap F - F* in which theta is fitted")

    def contradictions(self) -> Iterable[Contradiction]:
        """Samples that span the whole space of inputs."""
        yield from super().contradictions()
        if self.samples == self.inputs:
            yield Contradiction(
                "samples", f"fewer than {self.inputs}, the inputs, so that they do not span all dimensions"
            )

    def numbers(self) -> int:
        """Weights, gradients and products of the sweep, the data, and the records."""
        descents = len(self.decays)
        data = (self.samples + 2 * TESTS) * self.inputs * descents
        return 12 * descents * self.weight_count + data + 40 * RECORDS


MEASURES = {
    "classifier_spread": "largest classifier clock in the sweep over the weight decay, divided by the smallest one,"
    " >= 1",
    "clocks_ratio": "representation clock divided by classifier clock, smallest ratio in the sweep over the weight"
    " decay, > 0",
    "delay": "generalisation clock divided by classifier clock, smallest ratio in the sweep over the weight decay, > 0",
    "representation_slope": "slope of the log of the representation clock against the log of the weight decay",
    "generalisation_slope": "slope of the log of the generalisation clock against the log of the weight decay",
    "off_span_error": "distance of W_1 P at the end from (1 - eta lambda)^t W_1(0) P after t steps of size eta,"
    " divided by ||W_1(0) P||_F, >= 0; largest in the sweep over the weight decay lambda, with P the projection off"
    " the span of the samples",
    "start_gain": "product over the layers of sqrt(n) times the root mean square of the initial weights, where n is the"
    " number of inputs of the layer, > 0; 1 for the usual initialization",
    "noise_share": "share of the mean squared length of the samples that lies outside the plane of the class means, in"
    " [0, 1]",
    "route_error": "distance of the weights after three steps from those of torch's own optimiser with the weight"
    " decays of the sweep, divided by the length of the way, >= 0; largest in the sweep",
    "early_accuracy": "largest accuracy on fresh inputs before the classifier clock stops, in [0, 1]; 0 if it stops at "
    "the first record",
    "end_accuracy": "accuracy on fresh inputs at the end of the descent, in [0, 1]; smallest in the sweep over the "
    "weight decay",
    "end_risk": "cross-entropy at the end of the descent; largest in the sweep over the weight decay",
    "theta": "slope of log |grad F| against log(F - F*) in the fitted range of F - F*; the value farthest from 1/2 in "
    "the sweep; NaN if it has fewer than eight records in this range (F* is F at the end of the descent)",
}

SERIES = {
    "step": Series("step", "number of gradient steps taken"),
    "risk": Series("step", "cross-entropy at the largest weight decay"),
    "off_span": Series("step", "share of ||W||_F^2 off the span of the samples, at the largest weight decay"),
    "error": Series("step", "share of fresh inputs that are misclassified, at the largest weight decay"),
    "gap": Series("step", "gap F - F* between the objective and its least value, at the largest weight decay"),
    "decay": Series("decay", "weight decay lambda"),
    "classifier": Series(
        "decay", "classifier clock: steps until the cross-entropy stays at its limit (setting learned) or below"
    ),
    "representation": Series(
        "decay",
        "representation clock: steps until the share of ||W||_F^2 off the span of the samples stays at its limit"
        " (setting structured) or below",
    ),
    "generalisation": Series(
        "decay",
        "generalisation clock: steps until the accuracy on fresh inputs stays at its limit (setting accuracy) or above",
    ),
}


def _with_decays_to_the(power: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The change of `DecayedClassifier` into one that decays by a power of the decays."""
    return lambda right: lambda data, decays: right(data, decays**power)


FLAWS = {
    "decay-to-the-0.9": Flaw(
        "what decays the layers is the power 0.9 of the decay", "DecayedClassifier", _with_decays_to_the(0.9)
    ),
    "decay-to-the-0.75": Flaw(
        "what decays the layers is the power 0.75 of the decay", "DecayedClassifier", _with_decays_to_the(0.75)
    ),
    "steps": Flaw(
        "the law of the part off the span counts one step too many",
        "off_span_error",
        lambda right: lambda *given: right(*given[:-1], given[-1] + 1),
    ),
    "clocks": Flaw(
        "every clock is read as its power 0.4", "lasting_fall", lambda right: lambda *given: right(*given) ** 0.4
    ),
    "spread": Flaw(
        "the spread of the classifier clock is too large by 20 %",
        "_clock_measures",
        lambda right: lambda *given: (found := right(*given)) | {"classifier_spread": 1.2 * found["classifier_spread"]},
    ),
    "gradient": Flaw(
        "the gradient of the cross-entropy is 5 % too large in all layers",
        "dlnrepro.dynamics.training_clocks.weight_decay:cross_entropy_gradient",
        lambda right: lambda *given: ((found := right(*given))[0], [1.05 * part for part in found[1]]),
    ),
    "hidden-layers": Flaw(
        "the gradient of the cross-entropy is three times too large in the layers below the last",
        "dlnrepro.dynamics.training_clocks.weight_decay:cross_entropy_gradient",
        lambda right: (
            lambda *given: ((found := right(*given))[0], [*[3 * part for part in found[1][:-1]], found[1][-1]])
        ),
    ),
    "theta": Flaw("theta is 5 % too large", "dlnrepro.dynamics.training_clocks.tail_powers:log_slope", scaled(1.05)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; descend with the whole sweep; read the clocks."""
    radius = uniform((), *params.radius, generators)
    data = draw_class_data(params.samples, TESTS, params.classes, params.inputs, radius, params.noise, generators)
    decays = torch.tensor(params.decays, dtype=torch.float64)
    starts = repeated(params.weights(generators), len(decays))
    classifier = DecayedClassifier(data, decays if params.decay_on == "layers" else torch.zeros_like(decays))
    grid = log_grid(params.steps, RECORDS)[1:]
    end, records = descend(
        starts, classifier.gradient, lambda _: params.step_size, params.steps, grid, classifier.observe, progress
    )
    steps, height, error = torch.tensor(grid, dtype=torch.float64), records["height"], 1 - records["accuracy"]
    conditions = {
        "classifier": (records["risk"], params.learned),
        "representation": (records["off_span"], params.structured),
        "generalisation": (error, 1 - params.accuracy),
    }
    clocks = {name: lasting_fall(*condition, steps) for name, condition in conditions.items()}
    stops = {name: values[..., -1] <= limit for name, (values, limit) in conditions.items()}
    gap = height - height[..., -1:]
    early = torch.where(records["risk"] > params.learned, records["accuracy"], 0.0)
    measures = {
        **_clock_measures(decays, clocks, stops),
        **_hypotheses(data, starts),
        "off_span_error": off_span_error(starts[0], end[0], data.off, decays, params.step_size, params.steps),
        "route_error": _route_error(classifier, starts, decays, params.step_size),
        "early_accuracy": early.amax(-1).amax(-1),
        "end_accuracy": records["accuracy"][..., -1].amin(-1),
        "end_risk": records["risk"][..., -1].amax(-1),
        "theta": farthest_theta(gap, records["square"], params.tail),
    }
    series = {
        "step": steps,
        "risk": records["risk"][:, 0],
        "off_span": records["off_span"][:, 0],
        "error": error[:, 0],
        "gap": gap[:, 0],
        "decay": decays,
        **clocks,
    }
    finite = torch.isfinite(height[..., -1]).all(-1)
    return Result({name: torch.where(finite, value, torch.nan) for name, value in measures.items()}, series)


def _clock_measures(decays: Tensor, clocks: Mapping[str, Tensor], stops: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The measures of the three clocks, each of shape (runs, decays); a slope is NaN if a clock never stops."""
    logs = each_run(torch.log, torch.stack(list(clocks.values()), 1))
    classifier = clocks["classifier"]
    measures = {
        "classifier_spread": classifier.amax(-1) / classifier.amin(-1),
        "clocks_ratio": (clocks["representation"] / classifier).amin(-1),
        "delay": (clocks["generalisation"] / classifier).amin(-1),
    }
    for row, name in ((1, "representation"), (2, "generalisation")):
        steepness = slope(decays.log(), logs[:, row])
        measures[f"{name}_slope"] = torch.where(stops[name].all(-1), steepness, torch.nan)
    return measures


def _hypotheses(data: ClassData, starts: Sequence[Tensor]) -> dict[str, Tensor]:
    """How large the initialization is, and how much of the samples is noise, each of shape (runs,)."""
    squares = torch.stack([(start[:, 0].square().mean((-2, -1)) * start.shape[-1]) for start in starts], -1)
    outside = data.x[:, 0, :, 2:].square().sum((-2, -1)) / data.x[:, 0].square().sum((-2, -1))
    return {"start_gain": squares.sqrt().prod(-1), "noise_share": outside}


def _route_error(classifier: DecayedClassifier, starts: Sequence[Tensor], decays: Tensor, step_size: float) -> Tensor:
    """How far three steps are from those of torch's own descent with the weight decays of the sweep, (runs,)."""
    data = classifier.data
    found, _ = descend(starts, classifier.gradient, lambda _: step_size, CHECKED, [], lambda _: {}, silent)
    errors = []
    for point, decay in enumerate(decays.tolist()):
        own = [start[:, point] for start in starts]
        wanted = optimised(
            own,
            lambda: cross_entropy(data.x[:, 0], data.hot[:, 0].argmax(-1)),
            partial(DescentSteps, lr=step_size, weight_decay=decay),
            CHECKED,
        )
        errors.append(move_error(own, [weight[:, point] for weight in found], wanted))
    return torch.stack(errors, -1).amax(-1)
