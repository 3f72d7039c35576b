"""Closed forms for the product W = s u v^T, |u| = |v| = 1, of a balanced network with a one-neuron layer.

For the loss 1/2 ||W - Z||_F^2 and depth L, the product under gradient flow of the layers obeys

    s' = L s^(2-2/L) (u^T Z v - s),   u' = s^(1-2/L) (I - u u^T) Z v,   v' = s^(1-2/L) (I - v v^T) Z^T u.

On the clock dtau = s^(1-2/L) dt the equations of the directions contain neither s nor L: (u; v) follows Oja's flow of
the symmetric matrix [[0, Z], [Z^T, 0]], whose solution is a normalised linear flow. With p = (a + b)/2 and
q = (a - b)/2 from the coordinates a_k = u_k^T u and b_k = v_k^T v,

    p_k -> p_k e^(sigma_k tau),  q_k -> q_k e^(-sigma_k tau),  m(tau) the norm of the result,
    s(tau) = m^L / (1/s_0 + L int_0^tau m^L),   t(tau) = int_0^tau s^(2/L-1).

Two kinds of initial directions lead to W = 0. From u = u_1 and v = -v_1 the strength obeys
s' = -L s^(2-2/L) (sigma_1 + s). It tends to ((L-2) sigma_1 t)^(-L/(L-2)) for L >= 3, and falls as e^(-2 sigma_1 t) for
L = 2. From u and v outside the range of Z it obeys s' = -L s^(3-2/L), and tends to ((2L-2) t)^(-L/(2L-2)).

Everything here was derived for this project; the setting is that of Eftekhari 2020 (arXiv:2002.09852) and Chen, Lin,
Zhang 2022 (arXiv:2201.02761).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.one_neuron.oja import linear_modes, pair_coordinates
from dlnrepro.dynamics.one_neuron.start import Pair
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of


@dataclass(frozen=True)
class ProductPath:
    """The product s u v^T along the flow, in the basis of the target.

    Attributes:
        strength: s, of shape (runs, points).
        left: coordinates a of u, of shape (runs, points, rows).
        right: coordinates b of v, of shape (runs, points, columns).
    """

    strength: Tensor
    left: Tensor
    right: Tensor

    @property
    def matrix(self) -> Tensor:
        """The product s a b^T, of shape (runs, points, rows, columns)."""
        return self.strength[..., None, None] * (self.left[..., :, None] * self.right[..., None, :])


def closed_form(strengths: Tensor, pair: Pair, start: Tensor, depth: int, times: Tensor) -> ProductPath:
    """The product at given times, by quadrature of the closed form on panels of the clock tau.

    Within a panel both integrals are exact for polynomials of degree 11, and tau(t) is found by Newton's method. No
    differential equation is solved, so this is a second route to what `gradient_flow.flow` returns. The runs are
    computed one after another, because a power that is computed for a whole batch depends on the place of a run in it.

    Args:
        strengths: sigma_k of the target, of shape (runs, modes).
        pair: the initial unit vectors, in the basis of the target.
        start: the initial strength s_0 > 0, of shape (runs,).
        depth: L >= 2.
        times: t >= 0 in rising order, of shape (points,) for all runs or (runs, points).

    Raises:
        ValueError: the last time needs more than 20000 panels, each a fifth of the time constant of the fastest mode.
    """
    rows, modes, clocks = pair.left.shape[-1], strengths.shape[-1], array_of(times.expand(len(start), -1))
    growth, coefficients = linear_modes(strengths, pair)
    ends = [
        _follow(run_growth, _State(np.zeros(()), np.asarray(s), w), depth, clock)
        for run_growth, s, w, clock in zip(
            array_of(growth), array_of(start), array_of(coefficients), clocks, strict=True
        )
    ]
    final = tensor_of(np.stack([end.coefficients for end in ends]))
    return ProductPath(tensor_of(np.stack([end.strength for end in ends])), *pair_coordinates(final, modes, rows))


def half_mode_time(strengths: Tensor, pair: Pair, start: Tensor, depth: int) -> Tensor:
    """The time at which the closed form first has u_1^T W v_1 = sigma_1 / 2, of shape (runs,).

    It is 0 for a run that has as much at the start, and NaN for a run that does not get there within the panels.

    Args:
        strengths: sigma_k of the target, of shape (runs, modes).
        pair: the initial unit vectors, in the basis of the target.
        start: the initial strength s_0 > 0, of shape (runs,).
        depth: L >= 2.
    """
    growth, coefficients = linear_modes(strengths, pair)
    runs = zip(array_of(growth), array_of(start), array_of(coefficients), array_of(strengths), strict=True)
    return tensor_of(
        np.array([_passage(g, _State(np.zeros(()), np.asarray(s), w), depth, len(k), k[0] / 2) for g, s, w, k in runs])
    )


def limit_mode(pair: Pair, modes: int) -> Tensor:
    """The mode k of the limit Z_(k) = sigma_k u_k v_k^T: the first one with a_k + b_k != 0; 0 if there is none.

    Mode 0 stands for the limit W = 0. The test is for exact zeros, so it is meaningful only if the initial directions
    were drawn in the basis of the target.

    Args:
        pair: the initial unit vectors, in the basis of the target.
        modes: how many modes the target has.

    Returns:
        Whole numbers of shape (runs,).
    """
    touched = (pair.left[:, :modes] + pair.right[:, :modes]) != 0
    first = touched.to(torch.int64).argmax(-1) + 1
    return torch.where(touched.any(-1), first, torch.zeros_like(first))


class _State(NamedTuple):
    """The state of one run: time and strength (...), coefficients (..., linear modes) of norm 1."""

    time: Array
    strength: Array
    coefficients: Array


def _follow(growth: Array, start: _State, depth: int, times: Array) -> _State:
    """The states of one run at the times: panel by panel, then by Newton's method within the panel of each time."""
    growth = np.where(start.coefficients != 0, growth, 0.0)  # a mode with coefficient 0 must not overflow either
    fastest = np.abs(growth).max()
    knots, clock, panels = [start], 0.0, [0.0]
    while knots[-1].time < times[-1]:
        if len(knots) > _MOST_PANELS:
            last = f"{times[-1]:g}".replace("e+0", "e")
            raise ValueError(f"expected a last time within {_MOST_PANELS} panels of the clock, found {last}")
        # Short compared with the fastest exponential. Without any growth s is a power of the clock, so panels may grow.
        panels.append(_STRIDE / max(fastest, 1 / (1 + clock)))
        clock += panels[-1]
        knots.append(_advance(knots[-1], growth, depth, np.asarray(panels[-1])))
    index = np.searchsorted([knot.time for knot in knots], times, side="right") - 1
    base = _State(*(np.stack(values)[index] for values in zip(*knots, strict=True)))
    widths = np.asarray([*panels[1:], _STRIDE])[index]
    inside = np.zeros_like(times)
    for _ in range(_NEWTON):
        reached = _advance(base, growth, depth, inside)
        inside = np.clip(inside + (times - reached.time) * reached.strength ** (1 - 2 / depth), 0, widths)
    return _advance(base, growth, depth, inside)


def _passage(growth: Array, start: _State, depth: int, modes: int, level: float) -> float:
    """The time at which one run first has s a_1 b_1 = level: panel by panel, then by bisection within its panel."""

    def reached(state: _State) -> bool:
        p, q = state.coefficients[0], state.coefficients[modes]
        return bool(state.strength * (p + q) * (p - q) >= level)

    growth = np.where(start.coefficients != 0, growth, 0.0)
    state, width = start, np.asarray(_STRIDE / max(np.abs(growth).max(), 1.0))
    for _ in range(_MOST_PANELS):
        if reached(state):
            break
        before, state = state, _advance(state, growth, depth, width)
    else:
        return np.nan
    if state is start:
        return 0.0
    low, high = 0.0, float(width)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(_advance(before, growth, depth, np.asarray(middle))) else (middle, high)
    return float(_advance(before, growth, depth, np.asarray(high)).time)


def _advance(state: _State, growth: Array, depth: int, clock: Array) -> _State:
    """The state after `clock` more units of tau, at most a panel."""
    nodes, weights, inner = _RULE
    squares = state.coefficients[..., None, :] ** 2 * np.exp(2 * growth * (clock[..., None] * nodes)[..., None])
    powers = squares.sum(-1) ** (depth / 2)
    strengths = powers / (1 / state.strength[..., None] + depth * clock[..., None] * (powers @ inner.T))
    ends = state.coefficients * np.exp(growth * clock[..., None])
    norm = np.sqrt((ends**2).sum(-1))
    return _State(
        state.time + clock * (strengths ** (2 / depth - 1) @ weights),
        norm**depth / (1 / state.strength + depth * clock * (powers @ weights)),
        ends / norm[..., None],
    )


def _rule(count: int) -> tuple[Array, Array, Array]:
    """Gauss-Legendre nodes and weights on [0, 1], and the matrix of integrals from 0 to each node."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    primitives = [
        np.polynomial.legendre.legval(nodes, np.polynomial.legendre.legint(row, lbnd=-1)) for row in np.eye(count)
    ]
    values = np.polynomial.legendre.legvander(nodes, count - 1)
    return (nodes + 1) / 2, weights / 2, np.stack(primitives, axis=-1) @ np.linalg.inv(values) / 2


_RULE = _rule(12)
_STRIDE = 0.2
_MOST_PANELS = 20_000
_NEWTON = 6
_HALVINGS = 40
