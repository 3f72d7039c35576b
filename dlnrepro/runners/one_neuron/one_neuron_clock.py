"""Gradient flow of a linear network with a one-neuron layer, in a rescaled time without depth and strength.

The flow is dW_l/dt = -dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T) and the product W = W_L ... W_1. R is the squared
loss on inputs of second moment S (white inputs: S = I) with the target Z. From a balanced initialization (start)
W = s u v^T, the unit vectors u and v follow Oja's flow of the symmetric matrix H = [[0, Z], [Z^T, 0]] in the rescaled
time tau = int s^(1-2/L) dt (the clock). Its solution (u; v) ~ e^(H tau) (u_0; v_0) is one path for every depth L and
every initial strength s_0.

The first part of the flow is repeated by a plain network with autograd.

Source: derived in `dlnrepro.dynamics.one_neuron.oja`, in the setting of Eftekhari 2020 (arXiv:2002.09852) and Chen,
Lin, Zhang 2022 (arXiv:2201.02761). Oja's flow: Oja 1982 (J. Math. Biology 15).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.oja import directions_at
from dlnrepro.dynamics.one_neuron.plain import PlainNetwork
from dlnrepro.dynamics.one_neuron.start import overlap_unit
from dlnrepro.dynamics.risks.squared_loss import spread_moment, squared_loss_field
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.dynamics.training.time_panels import log_panels
from dlnrepro.runner import Flaw, Progress, Result, Series
from dlnrepro.settings.fields import InputSpread, LayerFactor
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.one_neuron import OneNeuronSettings

PANELS, DECADES = 60, 3
RELATIVE, ABSOLUTE = 1e-9, 1e-15


class Params(OneNeuronSettings, DeepSettings):
    """The drawn initialization of a one-neuron network, and how long its flow is followed."""

    layer_factor: LayerFactor
    input_spread: InputSpread
    horizon: float = Field(gt=0, le=10**4, description="time t to which gradient flow is followed")

    def numbers(self) -> int:
        """The weights and products at every recorded time."""
        return 32 * PANELS * self.entries


MEASURES = {
    "direction_error": "largest distance of W/||W||_F from the matrix u v^T of Oja's flow at the same tau, along the "
    "flow (Frobenius norm, in [0, 2])",
    "turn": "distance of W/||W||_F at the end of the flow from its initial value (Frobenius norm, in [0, 2])",
    "plain_error": "distance of the product of the flow from that of a plain network by autograd after the first part "
    "of the flow, over sigma_1 (Frobenius norm, >= 0)",
    "start_overlap": "overlap u^T Z v of the initialization with the target Z, in units of sigma_2 (of sigma_1 if Z "
    "has one mode only)",
}

SERIES = {
    "clock": Series("clock", "rescaled time tau = int ||W||_F^(1-2/L) dt, with L = law_depth"),
    "misalignment": Series(
        "clock", "distance of W/||W||_F from the first mode u_1 v_1^T of the target (Frobenius norm)"
    ),
    "predicted_misalignment": Series(
        "clock",
        "distance of the matrix u v^T of Oja's flow from the first mode u_1 v_1^T of the target (Frobenius norm)",
    ),
    "error": Series(
        "clock", "distance of W/||W||_F from the matrix u v^T of Oja's flow at the same tau (Frobenius norm)"
    ),
}

FLAWS = {
    "target": Flaw(
        "gradient flow has a target that is 5 % too large",
        "squared_loss_field",
        lambda right: lambda target, spread: right(1.05 * target, spread),
    ),
    "clock": Flaw(
        "the clock of Oja's flow is 5 % too fast",
        "directions_at",
        lambda right: lambda strengths, pair, clock: right(strengths, pair, 1.05 * clock),
    ),
    "sign": Flaw(
        "Oja's flow has a matrix of the opposite sign",
        "directions_at",
        lambda right: lambda strengths, pair, clock: right(-strengths, pair, clock),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then initializations; follow the flow of each run; compare its directions with Oja's flow."""
    start = params.draw(generators)
    target, pair, weights = start.target, start.pair, unbalanced(start.weights, params.layer_factor)
    gradient = squared_loss_field(target.matrix, params.input_spread)
    grid = log_panels(params.horizon, PANELS, DECADES)
    rates = [1.0] * params.depth
    layers = flow(weights, gradient, grid.times, rates, RELATIVE, ABSOLUTE, progress)
    path, plain = product(layers), PlainNetwork(target.matrix, spread_moment(params.inputs, params.input_spread))
    fastest = start.fastest(params.layer_factor, params.input_spread)
    apart = plain.flow_error(layers, grid.times.expand(len(fastest), -1), fastest, rates)
    norm = torch.linalg.matrix_norm(path)
    clock = each_run(lambda row: grid.integral(row ** (1 - 2 / params.formula_depth)), norm)
    unit = grid.at_ends((path / norm[..., None, None]).movedim(1, -1)).movedim(-1, 1)
    expected = target.rank_one(*directions_at(target.strengths, pair, clock))
    first = target.direction(1)[:, None]
    error = torch.linalg.matrix_norm(unit - expected)
    measures = {
        "direction_error": error.amax(-1),
        "turn": torch.linalg.matrix_norm(unit[:, -1] - unit[:, 0]),
        "plain_error": apart / target.strengths[:, 0],
        "start_overlap": pair.overlap(target.strengths) / overlap_unit(target.strengths),
    }
    series = {
        "clock": clock,
        "misalignment": torch.linalg.matrix_norm(unit - first),
        "predicted_misalignment": torch.linalg.matrix_norm(expected - first),
        "error": error,
    }
    return Result(measures, series)
