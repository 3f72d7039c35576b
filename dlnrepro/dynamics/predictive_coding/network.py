"""Predictive coding in linear networks, plain or with Lagrange multipliers: states, residuals, credit, and the steps.

A network of L layers has free hidden activities h_1 .. h_(L-1), the input h_0 = x, and the task

    minimise 1/2 ||W_L h_(L-1) - y||^2   subject to   r_i = h_i - W_i h_(i-1) = 0,  i = 1 .. L-1.

In a step every activity descends the augmented Lagrangian, and then every multiplier ascends along its own residual:

    c_i = m_i + rho r_i                                    (the credit of layer i)
    h_i <- h_i - eta (c_i - W_(i+1)^T c_(i+1)),            with c_L = y - W_L h_(L-1) at the output
    m_i <- (1 - leak) m_i + alpha r_i

Each line needs only a layer and its neighbours. (If the half-steps are simultaneous, as in a control, the residuals of
the last line are those before the activities moved.) alpha = 0 with m = 0 is plain predictive coding: gradient descent
on the squared residuals. The weights learn by -c_i h_(i-1)^T.

Conventions: all hidden layers have the same width n and are stacked: activities, multipliers and credits have the shape
(runs, L-1, n, samples). Samples are summed over, and the step size eta is that for one sample. A constant is one number
for all runs, or one number per run, of shape (runs,).

Source: Seely, Gould 2026 (arXiv:2605.31022); the order of the half-steps is that of the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import Progress

Skip = Literal["identity", "none"]
Order = Literal["alternating", "simultaneous"]
Constant = float | Tensor
"""One number for all runs, or one number per run, of shape (runs,)."""


@dataclass(frozen=True)
class Network:
    """A linear network of equal hidden widths, with its data.

    Attributes:
        first: W_1 of shape (runs, n, inputs).
        hidden: W_2 .. W_(L-1) of shape (runs, L-2, n, n).
        last: W_L of shape (runs, outputs, n).
        inputs: x of shape (runs, inputs, samples).
        targets: y of shape (runs, outputs, samples).
    """

    first: Tensor
    hidden: Tensor
    last: Tensor
    inputs: Tensor
    targets: Tensor

    @cached_property
    def drive(self) -> Tensor:
        """W_1 x, the input to the first hidden layer, of shape (runs, n, samples)."""
        return self.first @ self.inputs

    def run(self, index: int) -> Network:
        """The network of one run; the dimension of the runs is kept, with length 1."""
        part = slice(index, index + 1)
        return Network(self.first[part], self.hidden[part], self.last[part], self.inputs[part], self.targets[part])


class State(NamedTuple):
    """Activities h and multipliers m, each of shape (runs, L-1, n, samples)."""

    activities: Tensor
    multipliers: Tensor


@dataclass(frozen=True)
class Rule:
    """The constants of a step.

    Attributes:
        step_size: eta, of shape (runs,).
        penalty: rho.
        dual_step: alpha; 0 for plain predictive coding.
        leak: the fraction of a multiplier that is lost at each step; 0 in the theory.
        order: whether the multipliers see the residuals after the activities have moved (`alternating`, as in the
            theory) or before (`simultaneous`).
    """

    step_size: Tensor
    penalty: Constant
    dual_step: Constant
    leak: float = 0.0
    order: Order = "alternating"

    @property
    def plain(self) -> bool:
        """Whether no multiplier ever moves."""
        return bool((torch.as_tensor(self.dual_step) == 0).all())

    def run(self, index: int) -> Rule:
        """The constants of one run; the dimension of the runs is kept, with length 1."""
        part = slice(index, index + 1)
        penalty, dual_step = (
            value if isinstance(value, float) else value[part] for value in (self.penalty, self.dual_step)
        )
        return replace(self, step_size=self.step_size[part], penalty=penalty, dual_step=dual_step)


def draw_network(
    depth: int,
    width: int,
    inputs: int,
    outputs: int,
    samples: int,
    skip: Skip,
    spread: float,
    generators: Sequence[Generator],
) -> Network:
    """A random network with normal inputs and targets, all drawn in the order x, y, W_1, hidden, W_L.

    Hidden layers are I + spread G / sqrt(n L) with a skip connection, and spread G / sqrt(n) without it. The first
    layer is G / sqrt(inputs) and the last layer G / n. G has standard normal entries. With spread 1 this is the scaling
    with which the authors train.

    Args:
        depth: L, at least 3.
        width: n.
        inputs: the dimension of x.
        outputs: the dimension of y.
        samples: the number of pairs (x, y).
        skip: whether hidden layers add their input.
        spread: the scale of the random part of the hidden layers.
        generators: one per run.
    """
    x, y = normal((inputs, samples), generators), normal((outputs, samples), generators)
    first = normal((width, inputs), generators) / math.sqrt(inputs)
    hidden = spread * normal((depth - 2, width, width), generators)
    if skip == "identity":
        hidden = torch.eye(width, dtype=torch.float64) + hidden / math.sqrt(width * depth)
    else:
        hidden = hidden / math.sqrt(width)
    return Network(first, hidden, normal((outputs, width), generators) / width, x, y)


def distance_from_identity(network: Network) -> Tensor:
    """The distance sqrt(sum_l ||W_l - I||_F^2 / n) of the hidden layers W_l from the identity, of shape (runs,)."""
    width = network.hidden.shape[-1]
    gap = network.hidden - torch.eye(width, dtype=torch.float64)
    return (gap.square().sum((-3, -2, -1)) / width).sqrt()


def forward(network: Network) -> Tensor:
    """The activities of a forward pass, h_i = W_i h_(i-1), of shape (runs, L-1, n, samples)."""
    layers = [network.drive]
    for index in range(network.hidden.shape[1]):
        layers.append(network.hidden[:, index] @ layers[-1])
    return torch.stack(layers, 1)


def rest(network: Network) -> State:
    """The state with the activities of a forward pass and with multipliers 0, from which inference starts."""
    activities = forward(network)
    return State(activities, torch.zeros_like(activities))


def random_state(network: Network, generators: Sequence[Generator]) -> State:
    """A state of standard normal activities and multipliers, drawn in this order from the generator of each run."""
    shape = (network.hidden.shape[1] + 1, network.first.shape[1], network.inputs.shape[2])
    return State(normal(shape, generators), normal(shape, generators))


def adjoints(network: Network, output: Tensor) -> Tensor:
    """The vectors W_(i+1)^T ... W_L^T v for i = 1 .. L-1, to which back-propagation takes a vector v at the output.

    With v = W_L h_(L-1) - y of the forward pass these are the derivatives delta_i of the loss with respect to h_i.

    Args:
        network: the network.
        output: v, of shape (runs, outputs, samples).

    Returns:
        Shape (runs, L-1, n, samples).
    """
    layers = [network.last.mT @ output]
    for index in range(network.hidden.shape[1] - 1, -1, -1):
        layers.append(network.hidden[:, index].mT @ layers[-1])
    return torch.stack(layers[::-1], 1)


def output_error(network: Network, activities: Tensor) -> Tensor:
    """The error W_L h_(L-1) - y of the output, of shape (runs, outputs, samples)."""
    return network.last @ activities[:, -1] - network.targets


def residuals(network: Network, activities: Tensor) -> Tensor:
    """The residuals r_i = h_i - W_i h_(i-1), of the shape of the activities."""
    above = activities[:, 1:] - network.hidden @ activities[:, :-1]
    return torch.cat([activities[:, :1] - network.drive[:, None], above], 1)


def credit(network: Network, state: State, penalty: Constant) -> Tensor:
    """The credit c_i = m_i + rho r_i, of the shape of the activities."""
    return state.multipliers + spread_over(penalty, 4) * residuals(network, state.activities)


def spread_over(constant: Constant, dimensions: int) -> Constant:
    """A constant that multiplies tensors of shape (runs, ...) with this number of dimensions, run by run."""
    return constant if isinstance(constant, float) else constant.reshape(-1, *[1] * (dimensions - 1))


def step(network: Network, state: State, rule: Rule) -> State:
    """The state after one step of all activities, and then of all multipliers."""
    signal = credit(network, state, rule.penalty)
    top = -(network.last.mT @ output_error(network, state.activities))
    back = torch.cat([network.hidden.mT @ signal[:, 1:], top[:, None]], 1)
    moved = state.activities - spread_over(rule.step_size, 4) * (signal - back)
    if rule.plain:
        return State(moved, state.multipliers)
    seen = residuals(network, moved if rule.order == "alternating" else state.activities)
    return State(moved, (1 - rule.leak) * state.multipliers + spread_over(rule.dual_step, 4) * seen)


def relax(
    network: Network,
    state: State,
    rule: Rule,
    steps: int,
    observe: Callable[[int, State], bool],
    progress: Progress,
) -> State:
    """The state after at most `steps` steps.

    Args:
        network: the network.
        state: the initial state.
        rule: the constants of a step.
        steps: the largest number of steps.
        observe: called with the number of steps done, from 0 to `steps`, and the state; the iteration stops if it
            returns True.
        progress: called with the fraction done, a hundred times or every 50 steps; it may raise to stop the iteration.
    """
    stride = min(max(1, steps // 100), 50)
    for done in range(steps):
        if observe(done, state):
            return state
        if done % stride == 0:
            progress(done / steps, f"step {done} of {steps}")
        state = step(network, state, rule)
    observe(steps, state)
    return state


def weight_gradients(network: Network, activities: Tensor, signal: Tensor) -> list[Tensor]:
    """The gradients of the weights: -c_i h_(i-1)^T for i < L, and (W_L h_(L-1) - y) h_(L-1)^T, summed over samples.

    With the activities of a forward pass and c = -delta these are the gradients of back-propagation, which
    `by_autograd.backprop_gradients` computes by another route.

    Args:
        network: the network.
        activities: h, of shape (runs, L-1, n, samples).
        signal: c, of the same shape.

    Returns:
        The gradients of W_1, of the hidden layers, of shape (runs, L-2, n, n), and of W_L, in this order.
    """
    return [
        -signal[:, 0] @ network.inputs.mT,
        -signal[:, 1:] @ activities[:, :-1].mT,
        output_error(network, activities) @ activities[:, -1].mT,
    ]


def along(signal: Tensor, target: Tensor) -> Tensor:
    """The share <c, c*> / ||c*||_F^2 of every layer, over its entries and the samples: 1 if credit c is its target c*.

    Args:
        signal: c, of shape (runs, ..., n, samples).
        target: c*, of the same shape.
    """
    return (signal * target).sum((-2, -1)) / (target * target).sum((-2, -1))


def distance(values: Tensor, wanted: Tensor) -> Tensor:
    """The relative distance ||X - X*||_F / ||X*||_F over all dimensions except the runs, of shape (runs,)."""
    gap: Tensor = torch.linalg.vector_norm((values - wanted).flatten(1), dim=-1)
    size: Tensor = torch.linalg.vector_norm(wanted.flatten(1), dim=-1)
    return gap / size


def largest_distance(values: Tensor, wanted: Tensor) -> Tensor:
    """The largest ||X_i - X*_i||_F / ||X*_i||_F over the layers i, of shape (runs,).

    Args:
        values: X, of shape (runs, rows, columns) for one layer, or (runs, layers, rows, columns).
        wanted: X*, of the same shape.
    """
    distances: Tensor = torch.linalg.matrix_norm(values - wanted) / torch.linalg.matrix_norm(wanted)
    return distances.reshape(len(distances), -1).amax(-1)


def update_cosine(updates: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """The cosine between two sets of gradients, over all weights together, of shape (runs,)."""
    first, second = (torch.cat([layer.flatten(1) for layer in layers], -1) for layers in (updates, wanted))
    return each_run(
        lambda one, other: one @ other / (torch.linalg.vector_norm(one) * torch.linalg.vector_norm(other)),
        first,
        second,
    )
