"""Any deep linear network, trained as the settings say, with the measures that the claim itself declares.

    M = sum_p W_(p,L_p) ... W_(p,1),    W_(p,l) <- W_(p,l) - eta dR/dW_(p,l)

The settings describe the layers, the data with the loss R, the initialization (start), the training and the grid of
records. The key `measures` of the claim names recorded quantities, and says how they are reduced to one number per run.
Only these quantities are recorded.

The gradient comes from one chain rule on the matrices. In every run it is compared at recorded points with the gradient
by autograd of a plain forward pass of samples, layer after layer, and a difference is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.general.checks import checked_observer
from dlnrepro.dynamics.general.flow import followed_gradient
from dlnrepro.dynamics.general.grids import recorded_steps, recorded_times
from dlnrepro.dynamics.general.kernel import by_kernel, known_gradient, taken_by_kernel
from dlnrepro.dynamics.general.noise import noisy_slope
from dlnrepro.dynamics.general.quantities import QUANTITIES as RECORDABLE
from dlnrepro.dynamics.general.quantities import Setting, observer
from dlnrepro.dynamics.general.rules import KEEPING, Gradient, decayed, direction_of, rated
from dlnrepro.dynamics.general.training import (
    Stage,
    by_direction,
    follow_flow,
    follow_margin_flow,
    times_of,
    train_in_steps,
)
from dlnrepro.dynamics.observed.evaluation import evaluate, series_of
from dlnrepro.dynamics.observed.records import Records
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.runner import Declared, Progress, Result, Series
from dlnrepro.settings.declared.measures import computed, declaration, expressions
from dlnrepro.settings.declared.quantities import Quantities
from dlnrepro.settings.linear_network.data import Problem
from dlnrepro.settings.linear_network.recording import RecordingSettings


class Params(RecordingSettings):
    """A network, its data, its initialization, its training, and the declared measures."""


SERIES_POINTS = 200
"""The largest number of points of a series."""

QUANTITIES: Mapping[str, str] = {
    "step": "the number of gradient steps",
    "time": "time t, the sum of the step sizes so far",
    "W1, W2, ...": "the layers W_1 .. W_L, each a matrix",
    **{name: quantity.says for name, quantity in RECORDABLE.items()},
}
"""The definition of everything that can be recorded."""

MEASURES: Mapping[str, str] = {}
SERIES: Mapping[str, Series] = {}


def quantities(params: Params) -> Quantities:
    """What the measures and series of a claim may name."""
    return params.quantities()


def elsewhere(params: Params) -> Mapping[str, str]:
    """The quantities that are not recorded for these settings -> for which settings they are recorded."""
    return params.elsewhere()


def declared(params: Params) -> Declared:
    """The measures and series that the claim declares."""
    says = {name: quantity.says for name, quantity in params.quantities().items()}
    return declaration(params.measures, params.series, axis_of(params), says)


def axis_of(params: Params) -> str:
    """What orders the records: the time of a flow, or the steps of a descent."""
    return "time" if params.method == "flow" else "step"


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw the data, then the weights; train all runs together; reduce what was recorded to the measures."""
    problem = params.problem(generators)
    start = params.parameters(problem, generators)
    setting = Setting(
        architecture=params.architecture,
        loss=problem.loss,
        gradient=params.architecture.gradient(problem.loss.slope),
        start=start,
        target=problem.target,
        margins=problem.margins,
        labels=problem.labels,
        fresh=problem.fresh,
    )
    observe = observer(setting, params.recorded)
    train = {"flow": _flow, "margin-flow": _margin_flow}.get(params.method, _descent)
    values = train(params, problem, setting, observe, generators, progress)
    records, constants = Records(axis_of(params), values), params.known_constants(problem)
    series = series_of(expressions(params.series), _thinned(records), constants)
    return Result(evaluate(computed(params.measures), records, constants), series)


def _thinned(records: Records) -> Records:
    """Evenly spaced records, as many as a figure shows."""
    count = records.values[records.axis].shape[1]
    kept = torch.linspace(0, count - 1, min(count, SERIES_POINTS), dtype=torch.float64).round().to(torch.int64)
    return Records(records.axis, {name: value[:, kept] for name, value in records.values.items()})


def _descent(
    params: Params,
    problem: Problem,
    setting: Setting,
    observe: Callable[[Weights], Record],
    generators: Sequence[Generator],
    progress: Progress,
) -> dict[str, Tensor]:
    """The recorded quantities of the training in steps."""
    displacement = params.displacement(generators) if any(params.kick) else []
    gradient, stage = _steps(params, problem, setting, generators)
    steps = recorded_steps(params.record, params.total_steps, params.points, params.reach)
    expected = _of_logarithm(setting) if params.of_logarithm else _unchanged
    network = setting.architecture, problem.loss
    checked = checked_observer(*network, gradient, observe, len(steps), expected)
    values = train_in_steps(setting.start, stage, params.phases, displacement, steps, checked, progress)
    runs, clock = len(generators), times_of(params.phases, steps)
    counted = torch.tensor(steps, dtype=torch.float64)
    return values | {"step": counted.expand(runs, -1), "time": clock.expand(runs, -1)}


def _steps(
    params: Params, problem: Problem, setting: Setting, generators: Sequence[Generator]
) -> tuple[Gradient, Stage]:
    """The gradient that moves the parameters, without decay and noise, and what takes the steps of a stage."""
    architecture, loss = setting.architecture, problem.loss
    known = known_gradient(architecture, loss, setting.start) if params.plain_steps else None
    if known is not None:
        momentum = params.momentum if params.method == "heavy-ball" else 0.0
        return taken_by_kernel(known, momentum), by_kernel(known, momentum)
    gradient = architecture.gradient(loss.log_slope) if params.of_logarithm else setting.gradient
    used = gradient
    if params.noisy:
        used = architecture.gradient(noisy_slope(loss, params.batch, params.label_noise, generators))
    used = decayed(used, params.per_parameter(params.weight_decay))
    assert params.method != "flow"
    assert params.method != "margin-flow"
    step = direction_of(params.method, used, params.momentum, params.memory_of_squares, params.sam_radius)
    step = rated(step, params.per_parameter(params.rates))
    return gradient, by_direction(step, params.method in KEEPING or params.noisy)


def _flow(
    params: Params,
    problem: Problem,
    setting: Setting,
    observe: Callable[[Weights], Record],
    generators: Sequence[Generator],
    progress: Progress,
) -> dict[str, Tensor]:
    """The recorded quantities along gradient flow."""
    assert params.time is not None
    assert params.record in ("linear", "log")
    times = recorded_times(params.record, params.time, params.points, params.decades)
    field, rates = problem.loss.field(), params.per_parameter(params.rates)
    network, followed = setting.architecture, followed_gradient(setting.architecture, field, rates)

    def expected(_: Weights, plain: Weights) -> Weights:
        return [rate * part for rate, part in zip(rates, plain, strict=True)]

    checked = checked_observer(network, problem.loss, followed, observe, len(times), expected)
    values = follow_flow(network, setting.start, field, times, rates, params.tolerance, checked, progress)
    clock = times.expand(len(generators), -1)
    return values | {"step": torch.arange(len(times), dtype=torch.float64).expand_as(clock), "time": clock}


def _margin_flow(
    params: Params,
    problem: Problem,
    setting: Setting,
    observe: Callable[[Weights], Record],
    generators: Sequence[Generator],
    progress: Progress,
) -> dict[str, Tensor]:
    """The recorded quantities along the flow of a classifier, on the clock of log(1/R)."""
    assert problem.sets is not None
    assert params.horizon is not None
    assert params.loss != "cross-entropy"
    gradient = setting.architecture.gradient(problem.loss.log_slope)
    network = setting.architecture, problem.loss
    checked = checked_observer(*network, gradient, observe, params.points, _of_logarithm(setting))
    rates = params.per_parameter(params.rates)
    until = params.horizon, params.tolerance[0], params.points
    values = follow_margin_flow(setting.start, problem.sets, params.loss, rates, *until, checked, progress)
    count = torch.arange(params.points, dtype=torch.float64).expand(len(generators), -1)
    return values | {"step": count}


def _unchanged(_: Weights, plain: Weights) -> Weights:
    """The gradient of R itself."""
    return plain


def _of_logarithm(setting: Setting) -> Callable[[Weights, Weights], Weights]:
    """The gradient of log R, from that of R."""

    def divided(parameters: Weights, plain: Weights) -> Weights:
        risk = setting.loss.value(setting.architecture.matrix(parameters))
        return [part / risk.reshape(-1, *[1] * (part.dim() - 1)) for part in plain]

    return divided
