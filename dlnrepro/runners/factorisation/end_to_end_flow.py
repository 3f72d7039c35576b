"""Gradient flow of a deep linear network, compared with the equation that its product alone obeys.

dW_l/dt = -dR/dW_l with R = 1/2 tr(W S W^T) - tr(W Z^T), W = W_L ... W_1, for any second moment S of the inputs and any
Z. The initialization (start) is a random matrix in balanced layers. Theory: the product follows

    dW/dt = - sum_j (W W^T)^((j-1)/L) G (W^T W)^((L-j)/L),   dsigma_r/dt = -L sigma_r^(2-2/L) u_r^T G v_r,   G = dR/dW.

The first equation is solved on its own, without layers, and its solution is compared with the product of the network.
The second equation is compared with the velocity of the product, which is measured from its path alone.

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
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import LayerFactor
from dlnrepro.settings.networks import DeepSettings

POINTS = 61
FINER = 8
"""The path is recorded at 480 intervals for its velocity, and at every eighth of these times otherwise."""

TOLERANCE = 1e-10


class Params(DeepSettings):
    """The data, the network and its initialization, and how long the flow is followed."""

    depth: int = Field(ge=1, le=8, description="depth L, the number of weight matrices")
    inputs: int = Field(ge=1, le=16, description="n_0, the dimension of the inputs")
    hidden: int = Field(
        ge=1,
        le=32,
        description="n_1 = ... = n_(L-1), the width of the hidden layers: at least the smaller one of n_0 and n_L",
    )
    outputs: int = Field(ge=1, le=16, description="n_L, the dimension of the outputs")
    samples: int = Field(
        ge=2,
        le=1000,
        description="number of Gaussian samples, from whose inputs and outputs the moments S and Z are computed",
    )
    start_scale: float = Field(gt=0, le=10, description="Frobenius norm of the initial product W")
    layer_factor: LayerFactor
    horizon: float = Field(gt=0, le=10**4, description="time at which the flow ends")

    def contradictions(self) -> Iterable[Contradiction]:
        """Hidden layers that cannot hold the product; a factor that would change the product of a single layer."""
        if self.hidden < (least := min(self.inputs, self.outputs)):
            yield Contradiction("hidden", f"at least {least}, the smaller one of inputs and outputs")
        if self.depth == 1 and self.layer_factor != 1:
            yield Contradiction("layer_factor", "1 for a single layer")

    def numbers(self) -> int:
        """The weights at every recorded time with their gradients, and the samples."""
        layers = self.hidden * (self.inputs + self.outputs + self.depth * self.hidden)
        return POINTS * FINER * 4 * layers + self.samples * (self.inputs + self.outputs)


MEASURES = {
    "path_error": "largest ||W - W'||_F / max_t ||W||_F along the flow, where W is the product of the network and W'"
    " the solution of the product's own equation, >= 0",
    "singular_error": "largest error of the formula for the velocity dsigma_r/dt of a singular value along the flow,"
    " which is measured by differences in time, divided by the largest |dsigma_r/dt|, >= 0",
    "start_imbalance": "largest imbalance ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F of the initial weights over the layers"
    " l, divided by ||W_1||_F^2, >= 0",
    "progress": "share of the excess risk that the flow removes, (R(0) - R(end)) / (R(0) - R of least squares), in"
    " [0, 1]",
}

SERIES = {
    "time": Series("time", "time t of the gradient flow"),
    "strength": Series("time", "Frobenius norm ||W||_F of the product of the network"),
    "strength_law": Series("time", "Frobenius norm of the solution of the product's own equation"),
    "distance": Series(
        "time", "distance ||W - W'||_F / max_t ||W||_F of the product W from the solution W' of its own equation"
    ),
}

FLAWS = {
    "wrong-loss": Flaw(
        "the flow follows the gradient 0.95 W S - Z, but the equations use W S - Z",
        "flow",
        lambda right: lambda weights, field, *rest: right(weights, lambda run, whole: field(run, 0.95 * whole), *rest),
    ),
    "velocity": Flaw(
        "the measured velocities are too large by 5 %",
        "dlnrepro.dynamics.factorisation.end_to_end:path_velocity",
        scaled(1.05),
    ),
    "path": Flaw(
        "the velocity of the product in its own equation is too large by 5 %",
        "dlnrepro.dynamics.factorisation.end_to_end:end_to_end_velocity",
        scaled(1.05),
    ),
    "exponent": Flaw(
        "the exponent of sigma in the formula of its velocity is too large by 0.1",
        "dlnrepro.dynamics.factorisation.end_to_end:singular_velocity",
        lambda right: (
            lambda matrix, *rest: (
                *right(matrix, *rest)[:2],
                torch.linalg.svdvals(matrix) ** 0.1 * right(matrix, *rest)[2],
            )
        ),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw data, then weights; follow the layers, and the product on its own, one run after another."""
    moment, cross, weights = _problem(params, generators)
    depth, field = params.formula_depth, moment_field(moment, cross)
    finer = torch.linspace(0, params.horizon, (POINTS - 1) * FINER + 1, dtype=torch.float64)
    times, spacing = finer[::FINER], params.horizon / (len(finer) - 1)
    rates = [1.0] * params.depth
    whole = product(flow(weights, field, finer, rates, TOLERANCE, 1e-3 * TOLERANCE, part_of(progress, 0, 0.5)))
    starts, alone = array_of(product(weights)), []
    for run, tick in each(part_of(progress, 0.5, 0.5, "product"), len(starts)):
        clock = _clocked(tick, params.horizon)
        alone.append(follow_product(starts[run], partial(field, run), depth, array_of(times), TOLERANCE, clock))
    network, law = whole[:, ::FINER], tensor_of(np.stack(alone))
    strength = torch.linalg.matrix_norm(network)
    distance = torch.linalg.matrix_norm(network - law) / strength.amax(-1, keepdim=True)
    measures = {
        "path_error": distance.amax(-1),
        "singular_error": each_run(
            lambda path, s, z: singular_velocity_error(path, spacing, s, z, depth), whole, moment, cross
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
    """A callback that reports the time of the solver as a fraction of the horizon."""
    return lambda time: progress(min(time / horizon, 1), "")


def _problem(params: Params, generators: Sequence[Generator]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """S and Z of drawn samples, and balanced layers of a drawn product, which `layer_factor` may unbalance."""
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
