"""Gradient flow of a deep linear network, layer by layer, against the equation that its product alone obeys.

dW_l/dt = -dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_L ... W_1, for inputs of any second moment S and any
Z. The start is a random matrix in balanced layers. Theory: the product follows

    dW/dt = - sum_j (W W^T)^((j-1)/L) G (W^T W)^((L-j)/L),   dsigma_r/dt = -L sigma_r^(2-2/L) u_r^T G v_r,   G = dR/dW.

The first is solved by itself, without layers, and its path held against the network's. The second is held against the
velocity of the network's product by the chain rule, along the path.

Source: Arora, Cohen and Hazan 2018 (arXiv:1802.06509); Arora, Cohen, Hu and Luo 2019 (arXiv:1905.13655).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.factorisation.end_to_end import follow_product, singular_velocity_error
from dlnrepro.dynamics.networks.chain import product, relative_imbalance
from dlnrepro.dynamics.risks.squared_loss import moment_field, share_learned
from dlnrepro.dynamics.starts.balanced import balanced_layers, unbalanced
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each, each_run
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import LayerFactor
from dlnrepro.settings.networks import DeepSettings

POINTS = 60
TOLERANCE = 1e-10


class Params(DeepSettings):
    """The data, the network and its initialization, and how long the flow is followed."""

    depth: int = Field(ge=1, le=8, description="L, the number of weight matrices")
    inputs: int = Field(ge=1, le=16, description="n_0, the dimension of the inputs")
    hidden: int = Field(ge=1, le=32, description="n_1 = ... = n_{L-1}, at least the smaller of inputs and outputs")
    outputs: int = Field(ge=1, le=16, description="n_L, the dimension of the outputs")
    samples: int = Field(ge=2, le=1000, description="number of Gaussian inputs and outputs, whose moments are S and Z")
    start_scale: float = Field(gt=0, le=10, description="Frobenius norm of the product at the start")
    layer_factor: LayerFactor
    horizon: float = Field(gt=0, le=10**4, description="time to which the flow is followed")

    def contradictions(self) -> Iterable[Contradiction]:
        """Hidden layers that cannot hold the product, and a factor that would change the product of one layer."""
        if self.hidden < (least := min(self.inputs, self.outputs)):
            yield Contradiction("hidden", f"at least {least}, the smaller of inputs and outputs")
        if self.depth == 1 and self.layer_factor != 1:
            yield Contradiction("layer_factor", "1 for a single layer")

    def numbers(self) -> int:
        """The weights at every recorded time with their gradients, and the samples."""
        layers = self.hidden * (self.inputs + self.outputs + self.depth * self.hidden)
        return POINTS * 6 * layers + self.samples * (self.inputs + self.outputs)


MEASURES = {
    "path_error": "the largest ||W - W'||_F / max_t ||W||_F along the flow, W' by the product's own equation, >= 0",
    "singular_error": "the largest |dsigma_r/dt - formula| along the flow over the largest |dsigma_r/dt|, >= 0",
    "start_imbalance": "the largest ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F of the start over ||W_1||_F^2, >= 0",
    "progress": "(R(0) - R(end)) / (R(0) - R of least squares), in [0, 1]",
}

SERIES = {
    "time": Series("time", "time along the flow"),
    "strength": Series("time", "||W||_F of the network"),
    "strength_law": Series("time", "||W||_F by the equation of the product"),
    "distance": Series("time", "||W - W'||_F / max_t ||W||_F"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; follow the layers, and the product by itself, one run after another."""
    moment, cross, weights = _problem(params, generators)
    depth, field = params.formula_depth, moment_field(moment, cross)
    times = torch.linspace(0, params.horizon, POINTS, dtype=torch.float64)
    rates = [1.0] * params.depth
    layers = flow(weights, field, times, rates, TOLERANCE, 1e-3 * TOLERANCE, part_of(progress, 0, 0.5))
    starts, alone = array_of(product(weights)), []
    for run, tick in each(part_of(progress, 0.5, 0.5, "product"), len(starts)):
        clock = _clocked(tick, params.horizon)
        alone.append(follow_product(starts[run], partial(field, run), depth, array_of(times), TOLERANCE, clock))
    network, law = product(layers), tensor_of(np.stack(alone))
    strength = torch.linalg.matrix_norm(network)
    distance = torch.linalg.matrix_norm(network - law) / strength.amax(-1, keepdim=True)
    measures = {
        "path_error": distance.amax(-1),
        "singular_error": each_run(
            lambda s, z, *path: singular_velocity_error(path, s, z, depth), moment, cross, *layers
        ),
        "start_imbalance": relative_imbalance(weights),
        "progress": share_learned(network, moment, cross),
    }
    series = {
        "time": times,
        "strength": strength,
        "strength_law": torch.linalg.matrix_norm(law),
        "distance": distance,
    }
    return Result(measures, series)


def _clocked(progress: Progress, horizon: float) -> Callable[[float], None]:
    """A callback that reports the time of a solver as a fraction of the horizon."""
    return lambda time: progress(min(time / horizon, 1), "")


def _problem(params: Params, generators: Sequence[Generator]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """S and Z of drawn samples, and a drawn product in balanced layers, out of balance by the factor."""
    inputs = normal((params.inputs, params.samples), generators)
    outputs = normal((params.outputs, params.samples), generators)
    draw = normal((params.outputs, params.inputs), generators)
    scaled = each_run(lambda matrix: params.start_scale * matrix / torch.linalg.matrix_norm(matrix), draw)
    moment, cross = inputs @ inputs.mT / params.samples, outputs @ inputs.mT / params.samples
    if params.depth == 1:
        return moment, cross, [scaled]
    # One by one: in a batch, LAPACK rounds by where a matrix lies in memory.
    parts = [decomposed(torch.linalg.svd, matrix, full_matrices=False) for matrix in scaled]
    left, strengths, right = (torch.stack(same) for same in zip(*parts, strict=True))
    layers = balanced_layers(left, strengths, right.mT, [params.hidden] * (params.depth - 1), generators)
    return moment, cross, unbalanced(layers, params.layer_factor)
