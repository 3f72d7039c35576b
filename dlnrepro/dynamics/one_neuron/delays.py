"""Escape times: how long a network with a one-neuron layer takes to leave the neighbourhood of a saddle.

All times follow from the closed form in `closed_form`, on the clock dtau = s^(1-2/L) dt. There m(tau) is the norm of
the linear flow, s(tau) = m^L / (1/s_0 + L int m^L), and t = int s^(2/L-1) dtau. In names the escape time t is called
`delay`.

* From a small initial strength s_0, s = s_0 m^L until the network escapes, so that
      t = ln(1/s_0) / (2 sigma_1) + const                     for L = 2,
      t = K s_0^(-(L-2)/L),  K = int_0^inf m^(-(L-2)) dtau    for L > 2.
  If the directions are those of mode 1, K = 1 / ((L-2) sigma_1).
* Near the stable manifold of Z_(2) = sigma_2 u_2 v_2^T, with the components u_1^T u = v_1^T v = eps, mode 1 overtakes
  mode 2 at tau = ln(1/eps) / (sigma_1 - sigma_2) + const. Until then s = sigma_2, so that
      t = ln(1/eps) / (sigma_2^(1-2/L) (sigma_1 - sigma_2)) + const.
* Near u = u_1 and v = -v_1, from where the strength collapses, with a tilt of size eps into the modes from 2 on, the
  overlap with mode 2 is of order eps, but the overlap with mode 1 is only of order eps^2. The norm m falls to the power
  sigma_1 / (sigma_1 + sigma_2) of eps, where mode 2 takes over. So
      t = ln(1/eps) max(1 / (sigma_1 - sigma_2), 2 / sigma_1) + const    for L = 2,
      t ~ eps^(-(L-2) sigma_1 / (sigma_1 + sigma_2))                     for L > 2.
  For L = 2, where t = tau, the first entry is the time at which mode 1 overtakes mode 2. The second is the time in
  which mode 1 grows from eps^2 to 1, which is longer if mode 2 is slow.

Everything here was derived for this project; the setting is that of Eftekhari 2020 (arXiv:2002.09852) and Chen, Lin,
Zhang 2022 (arXiv:2201.02761).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from scipy.integrate import quad
from torch import Tensor

from dlnrepro.dynamics.one_neuron.oja import linear_modes
from dlnrepro.dynamics.one_neuron.start import Pair
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run

Approach = Literal["small", "saddle", "opposed"]
"""How the initial weights approach a saddle: the three cases above, in their order."""

REST = 0.02
"""The size of the other modes, over that of the leading one, in the unit of the distances: laws neglect its square."""


def distance_units(approach: Approach, strengths: Tensor, pair: Pair, depth: int) -> Tensor:
    """The unit of the distances x of each run, below which its logarithmic law holds, of shape (runs,).

    * `saddle`: when mode 1 overtakes mode 2 from x = 1, all other modes are smaller than mode 2 by the factor REST, and
      the strength has come as near to sigma_2. It is at most 1e-3.
    * `small` with two layers: when the network escapes from x = 1, the modes from 2 on are smaller than mode 1 by REST.
    * 1 in every other case.

    Args:
        approach: which of the three cases.
        strengths: sigma_k, of shape (runs, modes), at least two modes.
        pair: the initial directions; for `saddle` those without mode 1.
        depth: L.
    """
    growth, parts = linear_modes(strengths, pair)
    if approach == "opposed" or (approach == "small" and depth > 2):
        return torch.ones_like(strengths[:, 0])
    leader = 1 if approach == "saddle" else 0

    def unit(rates: Tensor, sizes: Tensor) -> Tensor:
        own, others = sizes[leader].abs(), torch.arange(len(rates)) > leader
        lead = (math.sqrt(len(rates)) * sizes[others].abs() / (REST * own)).log() / (rates[leader] - rates[others])
        clock = lead.amax().clamp_min(0)
        if approach == "small":
            return (rates[0] / (own * (rates[0] * clock).exp()) ** 2).clamp_max(1.0)
        clock = clock - math.log(REST) / (2 * rates[1])
        return (own * (-(rates[0] - rates[1]) * clock).exp()).clamp_max(1e-3)

    return each_run(unit, growth, parts)


def crowding(strengths: Tensor, pair: Pair, depth: int) -> Tensor:
    """How large the parts that the law of an `opposed` start neglects are, relative to mode 2 or 1, of shape (runs,).

    For L > 2 it is the largest other part over mode 2, when mode 2 has grown to the size of what is left of the initial
    directions. For L = 2 it is the second largest of 1 and the parts from mode 2 on over mode 1, when mode 1 has
    overtaken mode 2 and reached size 1.

    Args:
        strengths: sigma_k, of shape (runs, modes), at least two modes.
        pair: the initial directions.
        depth: L.
    """
    growth, parts = linear_modes(strengths, pair)
    modes = strengths.shape[-1]

    def share(rates: Tensor, sizes: Tensor) -> Tensor:
        one, two, fallen = (sizes[index].abs() for index in (0, 1, modes))
        if depth > 2:
            clock = (fallen / two).log() / (rates[0] + rates[1])
            kept = [index for index in range(len(rates)) if index not in (1, modes)]
            return (sizes[kept].abs() * (rates[kept] * clock).exp()).amax() / (two * (rates[1] * clock).exp())
        clock = torch.maximum((two / one).log() / (rates[0] - rates[1]), -one.log() / rates[0])
        others = torch.cat([torch.ones_like(rates[:1]), (sizes[1:].abs() * (rates[1:] * clock).exp())])
        return others.topk(2).values[1] / (one * (rates[0] * clock).exp())

    return each_run(share, growth, parts)


def delay_slope(approach: Approach, strengths: Tensor, depth: int) -> Tensor:
    """The slope dt / dln(1/x) of an escape time that is logarithmic in x = s_0 or eps, of shape (runs,).

    It is infinite where the escape time is a power of x.

    Args:
        approach: which of the three cases.
        strengths: sigma_k, of shape (runs, modes), at least two modes.
        depth: L.
    """
    first, second = strengths[:, 0], strengths[:, 1]
    if approach == "saddle":
        return 1 / (each_run(lambda value: value ** (1 - 2 / depth), second) * (first - second))
    if depth > 2:
        return torch.full_like(first, torch.inf)
    return 1 / (2 * first) if approach == "small" else torch.maximum(1 / (first - second), 2 / first)


def delay_power(approach: Approach, strengths: Tensor, depth: int) -> Tensor:
    """The exponent -dln t / dln x of the escape time in the limit x -> 0, of shape (runs,); 0 for a logarithmic law.

    Args:
        approach: which of the three cases.
        strengths: sigma_k, of shape (runs, modes), at least two modes.
        depth: L.
    """
    first, second = strengths[:, 0], strengths[:, 1]
    if approach == "saddle":
        return torch.zeros_like(first)
    if approach == "small":
        return torch.full_like(first, (depth - 2) / depth)
    return (depth - 2) * first / (first + second)


def predicted_delays(approach: Approach, strengths: Tensor, depth: int, scales: Tensor, delays: Tensor) -> Tensor:
    """The law through the escape time at the last x: a line in ln(1/x) if its slope is finite, else a power of x.

    Args:
        approach: which of the three cases.
        strengths: sigma_k, of shape (runs, modes), at least two modes.
        depth: L.
        scales: x, of shape (runs, scales).
        delays: escape times t, of shape (runs, scales).

    Returns:
        Shape (runs, scales).
    """
    logs, slopes = -each_run(torch.log, scales), delay_slope(approach, strengths, depth)[:, None]
    line = delays[:, -1:] + slopes * (logs - logs[:, -1:])
    powers = delay_power(approach, strengths, depth)[:, None]
    power = delays[:, -1:] * each_run(torch.exp, powers * (logs - logs[:, -1:]))
    return torch.where(torch.isfinite(slopes), line, power)


def log_delays(delays: Tensor) -> Tensor:
    """The natural logarithms of escape times t, of shape (runs, scales).

    They are 0 for a run that escapes at once from every x, because its escape time does not depend on x.
    """
    return each_run(torch.log, torch.where((delays == 0).all(-1, keepdim=True), torch.ones_like(delays), delays))


def small_start_ratio(strengths: Tensor, pair: Pair, depth: int, scales: Tensor, delays: Tensor) -> Tensor:
    """The ratio t x^((L-2)/L) / K of escape times t from small strengths x, (runs,); NaN for L = 2 (K is infinite).

    Args:
        strengths: sigma_k, of shape (runs, modes).
        pair: the initial directions, which overlap with mode 1.
        depth: L >= 2.
        scales: the initial strengths x, of shape (runs,).
        delays: escape times t, of shape (runs,).
    """
    if depth == 2:
        return torch.full_like(delays, torch.nan)
    powers = each_run(lambda scale: scale ** ((depth - 2) / depth), scales)
    return delays * powers / small_start_factor(strengths, pair, depth)


def small_start_factor(strengths: Tensor, pair: Pair, depth: int) -> Tensor:
    """K = int_0^inf m(tau)^(-(L-2)) dtau, of shape (runs,), for L > 2.

    The integral is computed adaptively, run by run.

    Args:
        strengths: sigma_k, of shape (runs, modes).
        pair: the initial directions, which overlap with mode 1.
        depth: L > 2.
    """
    growth, coefficients = linear_modes(strengths, pair)
    return torch.tensor(
        [_factor(*given, depth - 2) for given in zip(array_of(growth), array_of(coefficients), strict=True)],
        dtype=torch.float64,
    )


def _factor(growth: Array, coefficients: Array, power: int) -> float:
    """The integral for one run; the fastest exponential is taken out, so that nothing overflows."""
    fastest = float(growth.max())
    slower, squares = 2 * (growth - fastest), coefficients**2

    def integrand(clock: float) -> float:
        spread = float(squares @ np.exp(slower * clock))
        return float(math.exp(-power * fastest * clock) * spread ** (-power / 2))

    return float(quad(integrand, 0, np.inf, epsabs=0, epsrel=1e-10, limit=200)[0])
