"""Gradient flow of a linear network with a one-neuron layer, on the clock on which depth and strength disappear.

dW_l/dt = -dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_L ... W_1: the squared loss on inputs of second moment S
(white: S = I). From a balanced start W = s u v^T the directions on the clock tau = int s^(1-2/L) dt follow Oja's flow
of the symmetric matrix H = [[0, Z], [Z^T, 0]], solved by (u; v) ~ e^(H tau) (u_0; v_0): one path for all L and all s_0.

Source: derived in `dlnrepro.dynamics.one_neuron.oja`, in the setting of Eftekhari 2020 (arXiv:2002.09852) and Chen,
Lin, Zhang 2022 (arXiv:2201.02761). Oja's flow: Oja 1982 (J. Math. Biology 15).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.one_neuron.oja import directions_at
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.dynamics.training.time_panels import log_panels
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.fields import InputSpread, LawDepth, law_value
from dlnrepro.settings.one_neuron import OneNeuronSettings

PANELS, DECADES = 60, 3
RELATIVE, ABSOLUTE = 1e-9, 1e-15


class Params(OneNeuronSettings):
    """A drawn one-neuron initialization, and how long its flow is followed."""

    input_spread: InputSpread
    horizon: float = Field(gt=0, le=10**4, description="time to which the flow is followed")
    law_depth: LawDepth

    def numbers(self) -> int:
        """The weights and products at every recorded time."""
        layers = sum(before * after for before, after in pairwise(self.widths))
        return 32 * PANELS * (layers + self.inputs * self.outputs)


MEASURES = {
    "direction_error": "largest ||W/||W||_F - u v^T||_F along the flow, u and v of Oja's flow at tau, in [0, 2]",
    "turn": "||W/||W||_F - u v^T||_F at the end, with the start's u and v, in [0, 2]",
    "start_overlap": "u^T Z v / sigma_2 of the start",
}

SERIES = {
    "clock": Series("clock", "tau = int ||W||_F^(1-2/L) dt"),
    "misalignment": Series("clock", "||W/||W||_F - u_1 v_1^T||_F"),
    "predicted_misalignment": Series("clock", "the same for u v^T of Oja's flow at tau"),
    "error": Series("clock", "||W/||W||_F - u v^T||_F"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, then starts; follow the flow of each run; hold its directions against Oja's flow."""
    target, pair, weights = params.draw(generators)
    strengths = target.strengths
    matrix = array_of(target.matrix)
    moment = array_of(params.input_spread ** torch.linspace(0.5, -0.5, params.inputs, dtype=torch.float64))

    def gradient(run: int, whole: Array) -> Array:
        slopes: Array = whole * moment - matrix[run]
        return slopes

    grid = log_panels(params.horizon, PANELS, DECADES)
    path = product(flow(weights, gradient, grid.times, [1.0] * params.depth, RELATIVE, ABSOLUTE, progress))
    norm = torch.linalg.matrix_norm(path)
    depth = law_value(params.law_depth, params.depth)
    clock = each_run(lambda row: grid.integral(row ** (1 - 2 / depth)), norm)
    unit = grid.at_ends((path / norm[..., None, None]).movedim(1, -1)).movedim(-1, 1)
    left, right = directions_at(strengths, pair, clock)
    expected = (target.left[:, None] @ left[..., None]) @ (target.right[:, None] @ right[..., None]).mT
    first = (target.mode(torch.ones(len(norm), dtype=torch.int64)) / strengths[:, :1, None])[:, None]
    error = torch.linalg.matrix_norm(unit - expected)
    misalignment = torch.linalg.matrix_norm(unit - first)
    start: Tensor = (strengths * pair.left[:, : params.outputs] * pair.right[:, : params.outputs]).sum(-1)
    measures = {
        "direction_error": error.amax(-1),
        "turn": torch.linalg.matrix_norm(unit[:, -1] - unit[:, 0]),
        "start_overlap": start / strengths[:, 1],
    }
    series = {
        "clock": clock,
        "misalignment": misalignment,
        "predicted_misalignment": torch.linalg.matrix_norm(expected - first),
        "error": error,
    }
    return Result(measures, series)
