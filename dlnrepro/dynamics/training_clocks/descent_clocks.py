"""The clock T(eps) at which the cross-entropy R of a classifier first falls to eps: in steps, or in time of the flow.

A normalised descent theta <- theta - eta G / |G|^2 with G = grad log R lowers log R by eta to first order in each step.
It follows the curve of gradient flow, which needs the time eta / (R |G|^2) for such a step. Under gradient flow

    dR/dt = -R^2 |G|^2,    |G|^2 ~ (log 1/R)^(2-2/L),    T(eps) ~ 1 / (eps (log 1/eps)^(2-2/L)).

Source: the growth of |G| holds for every homogeneous network of degree L (Lyu, Li 2020, arXiv:1906.05890); the law of T
is derived here. Conventions: levels are values of log(1/eps), and logarithms are natural.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.fits.sweeps import first_crossings
from dlnrepro.dynamics.tensors.arrays import running_sum
from dlnrepro.dynamics.tensors.per_run import each_run, squared_length
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.training.descent import descend_with_memory
from dlnrepro.dynamics.training.step_rules import direction
from dlnrepro.dynamics.training_clocks.cross_entropy import cross_entropy_gradient, cross_entropy_log_gradient

ClassifierRule = Literal["plain", "normalised", "adam"]
Clock = Literal["steps", "time"]

LEVELS = 41
MEMORY = 0.98
"""Decay rate of Adam's average of squared gradients, as in the experiments of the paper."""


class ClockedDescent(NamedTuple):
    """The records before every step and after the last one.

    Attributes:
        log_risk: log R, of shape (steps + 1, runs).
        clock: steps or time of the flow so far, of the same shape.
    """

    log_risk: Tensor
    clock: Tensor


class ClockReading(NamedTuple):
    """The clock T(eps) at the levels of a window, and what is read from it.

    Attributes:
        levels: log(1/eps), of shape (levels,).
        times: T(eps), of shape (runs, levels); NaN for a level that is never reached.
        law: c / (eps (log 1/eps)^(2-2/L)) through the last T, of the same shape.
        exponent: the slope of log T against log(1/eps), of shape (runs,); NaN if the last level is never reached.
        slowing: the time for the last quarter of the levels over the time for the first quarter, of shape (runs,).
        contraction: the largest R_(t+1) / R_t of a step that begins in the window, of shape (runs,); NaN if the
            last level is never reached.
        law_error: |slope of log(eps T) against log log(1/eps) + 2 - 2/L|, of shape (runs,).
    """

    levels: Tensor
    times: Tensor
    law: Tensor
    exponent: Tensor
    slowing: Tensor
    contraction: Tensor
    law_error: Tensor


def clocked_descent(
    weights: Sequence[Tensor],
    x: Tensor,
    hot: Tensor,
    rule: ClassifierRule,
    clock: Clock,
    step_size: float,
    steps: int,
    progress: Progress,
) -> ClockedDescent:
    """The descent of all runs; R is recorded at every step, because the gradient computes it anyway.

    Args:
        weights: W_1 .. W_L, each of shape (runs, n_l, n_(l-1)).
        x: inputs, of shape (runs, samples, n_0).
        hot: labels, of shape (runs, samples, classes).
        rule: `plain` steps -eta grad R, the `normalised` ones above, or those of `adam`.
        clock: `steps` counts the steps, and `time` adds the time of gradient flow, which Adam does not have.
        step_size: eta, in the unit of the rule.
        steps: number of steps.
        progress: of the descent.
    """
    risks: list[Tensor] = []
    squares: list[Tensor] = []
    gradient_of = cross_entropy_log_gradient if rule == "normalised" else cross_entropy_gradient

    def gradient(current: Sequence[Tensor]) -> list[Tensor]:
        risk, slopes = gradient_of(current, x, hot)
        risks.append(risk)
        squares.append(squared_length(slopes))
        return slopes

    step = gradient if rule == "plain" else direction(rule, gradient, [torch.ones(1)] * len(weights), MEMORY)
    end, _ = descend_with_memory(weights, step, lambda _: step_size, steps, [], lambda _: {}, progress)
    gradient(end)
    log_risk = torch.stack(risks)
    if rule != "normalised":
        log_risk = each_run(torch.log, log_risk.mT).mT
    moves = torch.full_like(log_risk, step_size if (rule, clock) == ("plain", "time") else 1.0)
    if (rule, clock) == ("normalised", "time"):
        slowness = each_run(torch.exp, -log_risk.mT).mT
        moves = step_size * slowness / torch.stack(squares)
    passed = running_sum(torch.cat([torch.zeros_like(moves[:1]), moves[:-1]]).mT).mT
    return ClockedDescent(log_risk, passed)


def read_clock(descent: ClockedDescent, window: tuple[float, float], depth: int) -> ClockReading:
    """The clock of every run at 41 evenly spaced levels.

    Args:
        descent: log R and the clock at every step.
        window: the range of log(1/eps), above 0.
        depth: L in the law.
    """
    levels = torch.linspace(*window, LEVELS, dtype=torch.float64)
    reached = -descent.log_risk.mT
    times = each_run(lambda heights, clock: first_crossings(heights, clock, levels), reached, descent.clock.mT)
    grid, logs = levels.expand_as(times), each_run(torch.log, times)
    power = log_power(depth)
    arrived = torch.isfinite(times[:, -1])
    quarter = (LEVELS - 1) // 4
    law = logs[:, -1:] + (grid - grid[:, -1:]) - power * (grid.log() - grid[:, -1:].log())
    return ClockReading(
        levels=levels,
        times=times,
        law=each_run(torch.exp, law),
        exponent=torch.where(arrived, slope(grid, logs), torch.nan),
        slowing=(times[:, -1] - times[:, -1 - quarter]) / (times[:, quarter] - times[:, 0]),
        contraction=torch.where(arrived, _contraction(descent.log_risk, window), torch.nan),
        law_error=(slope(grid.log(), logs - grid) + power).abs(),
    )


def log_power(depth: int) -> float:
    """The power of log(1/eps) by which eps T(eps) falls under gradient flow, 2 - 2/L."""
    return 2 - 2 / depth


def _contraction(log_risk: Tensor, window: tuple[float, float]) -> Tensor:
    """The largest R_(t+1) / R_t of the steps that begin in the window, of shape (runs,)."""
    heights = (-log_risk[:-1]).cummax(0).values
    between = (heights >= window[0]) & (heights < window[1])
    changes = torch.where(between, log_risk[1:] - log_risk[:-1], -torch.inf)
    return each_run(torch.exp, changes.amax(0))
