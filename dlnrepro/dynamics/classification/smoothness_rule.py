"""Gradient descent of deep linear classifiers with logistic loss, by Ji and Telgarsky's rule for the step size.

    eta_t = min(1 / beta(R_t), 1),   beta(R) = 2 L^2 R^(2L-2) (b + G),   b = 1/4 and G = 1 for logistic loss, ||x|| <= 1

R_t >= 1 is a radius within which all ||W_l||_F lie. It is kept as long as that is so; here it then grows to the largest
norm, the least that the rule allows. Where the risk is beta-smooth a step lowers it by eta ||grad||^2 / 2 at least.

Source: Ji and Telgarsky 2019 (arXiv:1810.02032), Assumptions 4 and 5 and Lemma 5 of the OpenReview submission.
Conventions: theta holds one row of weights per run, in the order of `margin_flow.vector_of`; all is numpy.
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
"""b + G: l' of the logistic loss is 1/4-Lipschitz and at most 1."""


@dataclass(frozen=True)
class RuledDescent:
    """What is left of a descent.

    Attributes:
        path: weights at the records, of shape (runs, records, parameters).
        clocks: sum of the step sizes up to each record, of shape (runs, records).
        risks: R at the records, of the same shape.
        worst_fall: the largest (R_{t+1} - R_t) / (eta_t ||grad R_t||^2) of a step, of shape (runs,).
        largest_step: the largest eta_t, of shape (runs,).
    """

    path: Array
    clocks: Array
    risks: Array
    worst_fall: Array
    largest_step: Array

    @property
    def rising_clocks(self) -> Array:
        """The clocks, made to rise strictly where steps vanish in rounding or a run is lost: a solver asks for it."""
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
        factor: on every step; 1 is the rule.
        steps: how many updates.
        records: the steps, rising and within [0, steps], at whose start the weights are kept.
        progress: called with the fraction done about a hundred times; may raise to stop.
    """
    depth, wanted = len(network.kinds), set(records)
    theta, clock = start, np.zeros(len(start))
    radius = np.maximum(_largest_norm(network, theta), 1.0)
    risk = _risk(network, theta)
    worst, largest = np.full(len(start), -np.inf), np.zeros(len(start))
    path, clocks, risks = [], [], []
    for step in range(steps + 1):
        if step in wanted:
            path.append(theta)
            clocks.append(clock)
            risks.append(risk)
        if step % max(1, steps // 100) == 0:
            progress(step / max(steps, 1), f"step {step} of {steps}")
        if step == steps:
            break
        size = factor * _step_size(radius, depth)
        with np.errstate(all="ignore"):
            gradient = risk[:, None] * network.gradient(theta)
            theta = theta - size[:, None] * gradient
            after = _risk(network, theta)
            square = (gradient[:, None] @ gradient[:, :, None])[:, 0, 0]
            # A risk that has underflowed neither rises nor falls; what is lost stays NaN.
            worst = np.where(square != 0, np.maximum(worst, (after - risk) / (size * square)), worst)
        size = np.where(np.isfinite(size), size, 0.0)  # the clock of a lost run stands still
        clock, risk, largest = clock + size, after, np.maximum(largest, size)
        radius = np.maximum(radius, _largest_norm(network, theta))
    return RuledDescent(np.stack(path, 1), np.stack(clocks, 1), np.stack(risks, 1), worst, largest)


def _step_size(radius: Array, depth: int) -> Array:
    """min(1 / beta(R), 1), by multiplication, whose bits do not depend on a run's place."""
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
