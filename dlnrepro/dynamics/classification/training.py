"""Training of deep linear classifiers: the initialization that the theorem assumes, then flow or a discrete descent.

Conventions: data sets are signed points Z, one array (samples, dimension) per run; weights are W_1 .. W_L of shape
(runs, n_l, n_{l-1}) with n_L = 1; a path is the stacked weights at the records, of shape (runs, points, parameters).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import prefixes, pull_back
from dlnrepro.dynamics.risks.margin_losses import LossName, batched_log_risk, log_loss_at_zero, log_risk
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.stiff_flow.margin_flow import MarginFlow, layers_of, vector_of
from dlnrepro.dynamics.stiff_flow.path import follow
from dlnrepro.dynamics.tensors.arrays import Array, Weights, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record, log_grid
from dlnrepro.dynamics.training.descent import descend, descend_with_memory
from dlnrepro.dynamics.training.step_rules import DescentRule, direction

SHRINK = 0.7
"""Factor by which W_L is shrunk, again and again, until the risk is at most that of the zero network."""


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        loss: l, the loss of a margin.
        method: `flow` for gradient flow, or the rule by which a discrete descent moves.
        rates: the learning rate of every weight, of a shape that broadcasts with its layer.
        horizon: the log(1/R) at which the flow stops.
        tolerance: the relative error that the flow's solver allows per step.
        step_size: the step size of the discrete descent.
        steps: the number of updates of the discrete descent.
        points: the number of recorded points along the path, about evenly spaced on the flow's clock, or in the
            logarithm of the descent's steps.
    """

    loss: LossName
    method: Literal["flow"] | DescentRule
    rates: Sequence[Tensor]
    horizon: float
    tolerance: float
    step_size: float
    steps: int
    points: int


def shapes_of(weights: Sequence[Tensor]) -> tuple[tuple[int, int], ...]:
    """(n_l, n_{l-1}) of every layer."""
    return tuple((int(weight.shape[-2]), int(weight.shape[-1])) for weight in weights)


def learning_rates(
    depth: int, hidden: int, dimension: int, spread: float, alternating: float, second_layer: float
) -> list[Tensor]:
    """The learning rate of every weight, of a shape that broadcasts with its layer; 1 in W_3 .. W_L.

    Args:
        depth: L.
        hidden: n_1, the number of rows of W_1.
        dimension: n_0, the dimension of the data.
        spread: the rates of W_1's columns go from 1 / spread to spread, as in `coordinate_rates`.
        alternating: the rates of W_1's entries are multiplied by this and divided by it in turn, like the squares of a
            chessboard.
        second_layer: the learning rate of W_2.
    """
    rates = [torch.ones(1, 1, dtype=torch.float64) for _ in range(depth)]
    rates[1] = rates[1] * second_layer
    colours = torch.arange(hidden)[:, None] + torch.arange(dimension)
    factors = torch.where(colours % 2 == 0, alternating, 1 / alternating).to(torch.float64)
    rates[0] = coordinate_rates(dimension, spread)[None] * factors
    return rates


def coordinate_rates(dimension: int, spread: float) -> Tensor:
    """Learning rates of W_1's columns, from 1 / spread to spread, evenly spaced in the logarithm."""
    exponents = torch.linspace(-1, 1, dimension, dtype=torch.float64)
    return torch.tensor([spread**exponent for exponent in exponents.tolist()], dtype=torch.float64)


def start(
    widths: Sequence[int],
    scale: float,
    loss: LossName,
    sets: Sequence[Array],
    in_span: bool,
    generators: Sequence[Generator],
) -> list[Tensor]:
    """Gaussian weights that meet the theorem's assumption: their risk is at most l(0), and they are not stationary.

    If the predictor points uphill from zero, W_L changes its sign. Then W_L is shrunk until the risk is not above that
    of the zero network, l(0).

    Args:
        widths: n_0 .. n_L.
        scale: entries of W_l have standard deviation scale / sqrt(n_{l-1}), as in `gaussian`.
        loss: the loss l of a margin.
        sets: one data set per run.
        in_span: whether the rows of W_1 are projected on the span of the data, where a flow would keep them.
        generators: one per run.
    """
    risk, zero = log_risk(loss), log_loss_at_zero(loss)
    drawn = [array_of(layer).copy() for layer in gaussian(widths, scale, generators)]
    for run, signed in enumerate(sets):
        layers = [layer[run] for layer in drawn]
        if in_span:
            frame = np.linalg.qr(signed.T)[0]
            layers[0][:] = layers[0] @ frame @ frame.T
        margins = signed @ np.linalg.multi_dot(layers[::-1])[0]
        if risk(np.zeros_like(margins)).gradient @ margins > 0:
            layers[-1][:] = -layers[-1]
            margins = -margins
        while risk(margins).value > zero:
            layers[-1][:] = SHRINK * layers[-1]
            margins = SHRINK * margins
    return [tensor_of(layer) for layer in drawn]


def train(
    training: Training, weights: Sequence[Tensor], sets: Sequence[Array], progress: Progress
) -> tuple[Iterator[Weights], Tensor]:
    """The layers of one run after another along its path, and the distances between two solvers, of shape (runs,).

    Args:
        training: loss, method and length of the training.
        weights: W_1 .. W_L at the start.
        sets: one data set per run.
        progress: called with the fraction of all runs together; may raise to stop.

    Returns:
        W_1 .. W_L of each run, of shape (points, n_l, n_{l-1}), in turn; and ||theta - theta'|| / ||theta|| between two
        solvers of the flow, which is 0 for a discrete descent.
    """
    paths, gaps = (_flow if training.method == "flow" else _descent)(training, weights, sets, progress)
    shapes = shapes_of(weights)
    return (layers_of(path, shapes) for path in array_of(paths)), gaps


def movement(training: Training, layers: Sequence[Tensor], signed: Array) -> list[Tensor]:
    """The direction in which one run moves at points of its path, up to its speed, in the shapes of the layers.

    It is the velocity of the flow, or minus the gradient of log R times the rates, which a discrete descent is based
    on.

    Args:
        training: how the run is trained.
        layers: W_1 .. W_L of one run, each of shape (points, n_l, n_{l-1}).
        signed: Z, of shape (samples, dimension).
    """
    if training.method != "flow":
        points = tensor_of(signed).expand(len(layers[0]), -1, -1)
        gradient = log_risk_gradient(layers, points, training.loss)
        return [-rate * part for rate, part in zip(training.rates, gradient, strict=True)]
    shapes = shapes_of(layers)
    flow = MarginFlow(signed, log_risk(training.loss), shapes, _stacked_rates(training, shapes))
    thetas = array_of(_stacked(layers)["weights"])
    return layers_of(np.stack([flow.velocity(theta) for theta in thetas]), shapes)


def log_risk_gradient(weights: Sequence[Tensor], signed: Tensor, loss: LossName) -> list[Tensor]:
    """Grad log R on every layer; weights (runs, n_l, n_{l-1}), Z as `signed` (runs, samples, dimension)."""
    partial = prefixes(weights)
    margins = (signed @ partial[-1].mT)[..., 0]
    _, gradient = batched_log_risk(loss, margins)
    return pull_back(weights, partial, gradient[..., None, :] @ signed)


def _descent(
    training: Training, weights: Sequence[Tensor], sets: Sequence[Array], progress: Progress
) -> tuple[Tensor, Tensor]:
    """The paths of a discrete descent with all runs at once, (runs, points, parameters), and distances of 0."""
    assert training.method != "flow"
    signed = tensor_of(np.stack(sets))
    step = direction(training.method, lambda now: log_risk_gradient(now, signed, training.loss), list(training.rates))
    records = log_grid(training.steps, training.points)
    stepping = descend_with_memory if training.method == "adam" else descend
    _, series = stepping(weights, step, lambda _: training.step_size, training.steps, records, _stacked, progress)
    return series["weights"].mT, torch.zeros(len(sets), dtype=torch.float64)


def _flow(
    training: Training, weights: Sequence[Tensor], sets: Sequence[Array], progress: Progress
) -> tuple[Tensor, Tensor]:
    """The paths of gradient flow, one run after another, (runs, points, parameters), and distances of two solvers."""
    risk, shapes = log_risk(training.loss), shapes_of(weights)
    rates = _stacked_rates(training, shapes)
    paths, gaps = [], []
    for run, tick in each(progress, len(sets)):
        flow = MarginFlow(sets[run], risk, shapes, rates)
        theta = vector_of([array_of(weight[run]) for weight in weights])
        length = math.log((1 + training.horizon) / (1 + flow.log_inverse_risk(theta)))
        times = np.linspace(0, length, training.points)
        path = follow(flow, theta, times, training.horizon, training.tolerance, _clocked(tick, length))
        paths.append(tensor_of(path.points))
        gaps.append(path.route_gap)
    return torch.stack(paths), torch.tensor(gaps, dtype=torch.float64)


def _stacked_rates(training: Training, shapes: Sequence[tuple[int, int]]) -> Array:
    """The learning rate of every weight, as `vector_of` orders them."""
    each_layer = zip(training.rates, shapes, strict=True)
    return vector_of([np.broadcast_to(array_of(rate), shape) for rate, shape in each_layer])


def _clocked(progress: Progress, length: float) -> Callable[[float], None]:
    """The progress of a path whose clock goes from 0 to `length`."""
    return lambda time: progress(min(time / length, 1), f"clock {time:.1f}")


def _stacked(weights: Sequence[Tensor]) -> Record:
    """All weights of each run in one row, as `vector_of` orders them."""
    return {"weights": torch.cat([weight.flatten(1) for weight in weights], dim=1)}
