"""Gradient descent of deep linear classifiers with logistic loss, with the step sizes of Ji and Telgarsky.

    eta_t = min(1 / beta(R_t), 1),   beta(R) = 2 L^2 R^(2L-2) (b + G),   b = 1/4 and G = 1 for logistic loss, ||x|| <= 1

R_t >= 1 must bound all ||W_l||_F at both ends of a step: then the risk is beta(R_t)-smooth along the step, and the step
lowers it by at least eta_t ||grad||^2 / 2. Here

    R_t = max(1, max_{s <= t, l} ||W_l(s)||_F) + G / (2 L^2 (b + G)).

The second term is enough. Because ||x|| <= 1 and |l'| <= G, the gradient on a layer is at most G R_t^(L-1), so a step
moves a layer by at most G R_t^(L-1) / beta(R_t), and R_t >= 1.

In the limit the layers are of rank one and have equal norms r, and ||grad R||^2 = L r^(2L-2) (gamma R)^2, with gamma
the maximum margin. A step of 1 / beta then raises 1/R by gamma^2 / (2 L (b + G)), whatever r is. So R_t vanishes as

    R_t ~ 2 L (b + G) / (gamma^2 t).

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumptions 4 and 5 and Lemma 5 of the OpenReview submission. The
second term of R_t and the rate were derived here.
Conventions: theta holds one row of weights per run, in the order of `margin_flow.vector_of`, as a numpy array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlnrepro.dynamics.activations.relu_network import ReluNetwork
from dlnrepro.dynamics.stiff_flow.margin_flow import weights_of
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.tensors.progress import Progress

SMOOTHNESS = 0.25 + 1.0
"""b + G: the derivative l' of the logistic loss is b-Lipschitz with b = 1/4, and |l'| <= G = 1."""


GRADIENT_BOUND = 1.0
"""G, the bound on |l'|."""


@dataclass(frozen=True)
class RuledDescent:
    """The recorded path of a descent, and its worst and its largest step.

    Attributes:
        path: the weights at the recorded steps, of shape (runs, records, parameters).
        onward: the weights one step after each recorded step but the last, of shape (runs, records - 1, parameters).
        clocks: the sum of the step sizes up to each recorded step, of shape (runs, records).
        risks: the risk at the recorded steps, of shape (runs, records).
        worst_fall: the largest (r_{t+1} - r_t) / (eta_t ||grad r_t||^2) of a step, with r_t the risk, of shape (runs,).
        farthest: the largest max_l ||W_l||_F / R_t at the end of a step, of shape (runs,).
        largest_step: the largest eta_t, of shape (runs,).
    """

    path: Array
    onward: Array
    clocks: Array
    risks: Array
    worst_fall: Array
    farthest: Array
    largest_step: Array

    @property
    def rising_clocks(self) -> Array:
        """The clocks, made to rise strictly, as a solver needs, where steps vanish in rounding or a run diverged."""
        risen = self.clocks.copy()
        for index in range(1, risen.shape[1]):
            before = risen[:, index - 1]
            risen[:, index] = np.maximum(self.clocks[:, index], before + 1e-12 * (1 + before))
        return risen


def descend_by_rule(
    network: ReluNetwork,
    start: Array,
    factor: float,
    steps: int,
    records: Sequence[int],
    progress: Progress,
) -> RuledDescent:
    """`RuledDescent` of all runs at once; a run that diverges goes on as NaN.

    Args:
        network: with linear layers and logistic loss.
        start: theta at the start.
        factor: factor on every step size; 1 keeps to the rule.
        steps: the number of updates.
        records: the steps, rising and within [0, steps], at whose start the weights are kept; the last is `steps`.
        progress: called with the fraction done about a hundred times; may raise to stop.
    """
    depth, wanted = len(network.kinds), set(records)
    theta, clock = start, np.zeros(len(start))
    radius = np.maximum(_largest_norm(network, theta), 1.0)
    risk = _risk(network, theta)
    worst, farthest, largest = np.full(len(start), -np.inf), np.zeros(len(start)), np.zeros(len(start))
    path, onward, clocks, risks = [], [], [], []
    for step in range(steps + 1):
        if step in wanted:
            path.append(theta)
            clocks.append(clock)
            risks.append(risk)
        if step % max(1, steps // 100) == 0:
            progress(step / max(steps, 1), f"step {step} of {steps}")
        if step == steps:
            break
        ball = radius + _reach(depth)
        size = factor * _step_size(ball, depth)
        with np.errstate(all="ignore"):
            gradient = risk[:, None] * network.gradient(theta)
            theta = theta - size[:, None] * gradient
            after = _risk(network, theta)
            square = (gradient[:, None] @ gradient[:, :, None])[:, 0, 0]
            # A risk that has underflowed neither rises nor falls; a run that has diverged stays NaN.
            worst = np.where(square != 0, np.maximum(worst, (after - risk) / (size * square)), worst)
        size = np.where(np.isfinite(size), size, 0.0)  # the clock of a run that has diverged stops
        clock, risk, largest = clock + size, after, np.maximum(largest, size)
        norm = _largest_norm(network, theta)
        farthest, radius = np.maximum(farthest, norm / ball), np.maximum(radius, norm)
        if step in wanted:
            onward.append(theta)
    stacked = [np.stack(points, 1) for points in (path, onward, clocks, risks)]
    return RuledDescent(stacked[0], stacked[1], stacked[2], stacked[3], worst, farthest, largest)


def _reach(depth: int) -> float:
    """G / (2 L^2 (b + G)), farther than any step of the rule moves a layer."""
    return GRADIENT_BOUND / (2 * depth**2 * SMOOTHNESS)


def _step_size(radius: Array, depth: int) -> Array:
    """min(1 / beta(R), 1), by multiplications, so that a result is bitwise independent of the run's place."""
    square = radius * radius
    power = np.ones_like(square)
    for _ in range(depth - 1):
        power = power * square
    return np.minimum(1 / (2 * depth**2 * SMOOTHNESS * power), 1.0)


def _largest_norm(network: ReluNetwork, theta: Array) -> Array:
    """max_l ||W_l||_F of every run."""
    squares = [(layer * layer).sum((-2, -1)) for layer in weights_of(theta, network.shapes)]
    return np.asarray(np.sqrt(np.max(squares, axis=0)))


def _risk(network: ReluNetwork, theta: Array) -> Array:
    """R of every run, with log(1 + exp(-m)) = max(-m, 0) + log1p(exp(-|m|))."""
    with np.errstate(all="ignore"):
        margins = network.margins(theta)
        losses = np.maximum(-margins, 0) + np.log1p(np.exp(-np.abs(margins)))
    result: Array = losses.mean(-1)
    return result
