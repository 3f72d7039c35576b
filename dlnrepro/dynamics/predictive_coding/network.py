"""Predictive coding in linear networks, plain and with Lagrange multipliers: states, residuals, credit, and the steps.

A network of L layers has hidden activities h_1 .. h_{L-1} that are free, h_0 = x, and the task

    minimise 1/2 ||W_L h_{L-1} - y||^2   subject to   r_i = h_i - W_i h_{i-1} = 0,  i = 1 .. L-1.

A step moves every activity down the augmented Lagrangian, then every multiplier up along its own residual:

    c_i = m_i + rho r_i                                    (the credit of layer i)
    h_i <- h_i - eta (c_i - W_{i+1}^T c_{i+1}),            with c_L = y - W_L h_{L-1} at the top
    m_i <- (1 - leak) m_i + alpha r_i

Each line needs a layer and its neighbours only. alpha = 0 with m = 0 is plain predictive coding, gradient descent on
the squared residuals. The weights learn by -c_i h_{i-1}^T.

Conventions: all hidden layers have one width n and are stacked: activities, multipliers and credits have shape
(runs, L-1, n, samples). Samples are summed over, and the step eta is that of one sample.

Source: Seely, Gould 2026 (arXiv:2605.31022); the order of the half-steps is that of the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import Progress

Skip = Literal["identity", "none"]


@dataclass(frozen=True)
class Network:
    """A linear network of equal hidden widths, with its data.

    Attributes:
        first: W_1 of shape (runs, n, inputs).
        hidden: W_2 .. W_{L-1} of shape (runs, L-2, n, n).
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
        """W_1 x, what the input asks of the first hidden layer, of shape (runs, n, samples)."""
        return self.first @ self.inputs

    def run(self, index: int) -> Network:
        """The network of one run, with a dimension of length 1 for the runs."""
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
        leak: the share of a multiplier that is lost at each step; 0 in the theory.
    """

    step_size: Tensor
    penalty: float
    dual_step: float
    leak: float = 0.0


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

    Hidden layers are I + spread G / sqrt(n L) with a skip connection, and spread G / sqrt(n) without; the first is
    G / sqrt(inputs) and the last G / n, G standard normal (at spread 1 the scaling that the authors train with).

    Args:
        depth: L, at least 3.
        width: n.
        inputs: the dimension of x.
        outputs: the dimension of y.
        samples: how many pairs (x, y).
        skip: whether hidden layers add their input.
        spread: the scale of the hidden layers' random part.
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


def forward(network: Network) -> Tensor:
    """The activities of a forward pass, h_i = W_i h_{i-1}, of shape (runs, L-1, n, samples)."""
    layers = [network.drive]
    for index in range(network.hidden.shape[1]):
        layers.append(network.hidden[:, index] @ layers[-1])
    return torch.stack(layers, 1)


def rest(network: Network) -> State:
    """The state with the activities of a forward pass and with multipliers 0, from which inference starts."""
    activities = forward(network)
    return State(activities, torch.zeros_like(activities))


def random_state(network: Network, generators: Sequence[Generator]) -> State:
    """A state of standard normal activities and then multipliers, drawn from the generator of each run."""
    shape = (network.hidden.shape[1] + 1, network.first.shape[1], network.inputs.shape[2])
    return State(normal(shape, generators), normal(shape, generators))


def adjoints(network: Network, output: Tensor) -> Tensor:
    """W_{i+1}^T ... W_L^T v for i = 1 .. L-1, what back-propagation makes of a vector v at the output.

    With v = W_L h_{L-1} - y of the forward pass these are the derivatives delta_i of the loss by h_i.

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
    """W_L h_{L-1} - y, of shape (runs, outputs, samples)."""
    return network.last @ activities[:, -1] - network.targets


def residuals(network: Network, activities: Tensor) -> Tensor:
    """r_i = h_i - W_i h_{i-1}, shaped as the activities."""
    above = activities[:, 1:] - network.hidden @ activities[:, :-1]
    return torch.cat([activities[:, :1] - network.drive[:, None], above], 1)


def credit(network: Network, state: State, penalty: float) -> Tensor:
    """c_i = m_i + rho r_i, shaped as the activities."""
    return state.multipliers + penalty * residuals(network, state.activities)


def step(network: Network, state: State, rule: Rule) -> State:
    """The state after every activity and then every multiplier took a step."""
    signal = credit(network, state, rule.penalty)
    top = -(network.last.mT @ output_error(network, state.activities))
    back = torch.cat([network.hidden.mT @ signal[:, 1:], top[:, None]], 1)
    moved = state.activities - rule.step_size[:, None, None, None] * (signal - back)
    if rule.dual_step == 0:
        return State(moved, state.multipliers)
    raised = (1 - rule.leak) * state.multipliers + rule.dual_step * residuals(network, moved)
    return State(moved, raised)


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
        state: where to start.
        rule: the constants of a step.
        steps: how many.
        observe: called with the number of steps done, from 0 to `steps`, and the state; the iteration stops if it
            returns True.
        progress: called with the fraction done a hundred times or every 50 steps; may raise to stop.
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
    """What the weights learn by: -c_i h_{i-1}^T for i < L, and (W_L h_{L-1} - y) h_{L-1}^T, summed over the samples.

    With the activities of a forward pass and c = -delta these are the gradients of back-propagation.

    Args:
        network: the network.
        activities: h, of shape (runs, L-1, n, samples).
        signal: c, likewise.

    Returns:
        Gradients of W_1, of the hidden layers (runs, L-2, n, n) and of W_L, in this order.
    """
    return [
        -signal[:, 0] @ network.inputs.mT,
        -signal[:, 1:] @ activities[:, :-1].mT,
        output_error(network, activities) @ activities[:, -1].mT,
    ]


def along(signal: Tensor, target: Tensor) -> Tensor:
    """<c, c*> / ||c*||_F^2 of every layer, over its entries and the samples: 1 if credit c equals its target c*.

    Args:
        signal: c, of shape (runs, ..., n, samples).
        target: c*, shaped as c.
    """
    return (signal * target).sum((-2, -1)) / (target * target).sum((-2, -1))


def distance(values: Tensor, wanted: Tensor) -> Tensor:
    """||X - X*||_F / ||X*||_F over everything but the runs, of shape (runs,)."""
    gap: Tensor = torch.linalg.vector_norm((values - wanted).flatten(1), dim=-1)
    size: Tensor = torch.linalg.vector_norm(wanted.flatten(1), dim=-1)
    return gap / size


def largest_distance(values: Tensor, wanted: Tensor) -> Tensor:
    """The largest ||X_i - X*_i||_F / ||X*_i||_F over the layers i, of shape (runs,).

    Args:
        values: X, of shape (runs, rows, columns) for one layer, or (runs, layers, rows, columns).
        wanted: X*, shaped as X.
    """
    distances: Tensor = torch.linalg.matrix_norm(values - wanted) / torch.linalg.matrix_norm(wanted)
    return distances.reshape(len(distances), -1).amax(-1)


def update_cosine(updates: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """The cosine of two sets of gradients, all weights together, of shape (runs,)."""
    first, second = (torch.cat([layer.flatten(1) for layer in layers], -1) for layers in (updates, wanted))
    return each_run(
        lambda one, other: one @ other / (torch.linalg.vector_norm(one) * torch.linalg.vector_norm(other)),
        first,
        second,
    )
