"""How predictors turn towards the teacher along gradient flow, measured from their angle and norm.

By the theory Y(t) - Y(0) = h int_0^t |w|^(1-2/L) dt with Y = -ln tan(theta / 2), so theta falls faster than any power
of time. If the inputs are not symmetric, theta falls as |w|^(-2). Conventions of `dynamics.spherical.bounds`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.spherical.bounds import clock_rate
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.time_panels import Panels


class Turning(NamedTuple):
    """The fall of the angle theta along the flow.

    Series are given at the ends of the time panels; rates and powers are fitted over the last half of the time.

    Attributes:
        angle: theta in radians, of shape (runs, ends).
        turned: Y(t) - Y(0), of shape (runs, ends).
        predicted: h int_0^t |w|^(1-2/L) dt, of shape (runs, ends).
        identity_error: the largest |turned - predicted|, relative to `predicted` at the end, of shape (runs,).
        rate: dY/dt, of shape (runs,).
        power: -d log(theta) / d log(t), of shape (runs,).
        power_growth: `power` over the power in the quarter of the time before the last half, of shape (runs,); NaN if
            the angle does not fall in that quarter, because no power can be read then.
        norm_power: -d log(theta) / d log|w|, of shape (runs,).
    """

    angle: Tensor
    turned: Tensor
    predicted: Tensor
    identity_error: Tensor
    rate: Tensor
    power: Tensor
    power_growth: Tensor
    norm_power: Tensor


def turning(grid: Panels, cotangent: Tensor, norm: Tensor, depth: int, pulls: Tensor) -> Turning:
    """The fall of the angle along paths of predictors.

    Args:
        grid: the panels of the times, from 0 to the horizon.
        cotangent: Y along each path, of shape (runs, times).
        norm: |w|, of shape (runs, times).
        depth: L in the formula.
        pulls: h = c_0 / pi of each run, of shape (runs,).
    """
    angle = each_run(lambda row: 2 * torch.atan(torch.exp(-row)), cotangent)
    clock = each_run(lambda row, pull: pull * grid.integral(clock_rate(row, depth)), norm, pulls)
    turned = grid.at_ends(cotangent) - cotangent[:, :1]
    times, horizon = grid.times.expand(len(norm), -1), float(grid.times[-1])
    log_times = each_run(torch.log, times)
    late = times >= horizon / 2
    before = (times >= horizon / 4) & (times < horizon / 2)
    power, earlier = -log_slope(log_times, angle, late), -log_slope(log_times, angle, before)
    return Turning(
        grid.at_ends(angle),
        turned,
        clock,
        identity_error=(turned - clock).abs().amax(-1) / clock[:, -1],
        rate=-log_slope(times, each_run(torch.exp, -cotangent), late),
        power=power,
        power_growth=torch.where(earlier <= 0, torch.nan, power / earlier),
        norm_power=-log_slope(each_run(torch.log, norm), angle, late),
    )
