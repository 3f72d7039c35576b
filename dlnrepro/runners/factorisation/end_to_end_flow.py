"""Gradient flow of a deep linear network, compared with the equation that its product alone obeys.

dW_l/dt = -c_l dR/dW_l for a loss R of the product W = W_L ... W_1: the squared loss or the log-cosh loss of a
regression, or the squared loss on the observed entries of a matrix (completion). The initialization (start) is a random
matrix in balanced layers. Theory: with equal learning rates c_l = 1 the product follows

    dW/dt = - sum_j (W W^T)^((j-1)/L) G (W^T W)^((L-j)/L),   dsigma_r/dt = -L sigma_r^(2-2/L) u_r^T G v_r,   G = dR/dW.

The first equation is solved on its own, without layers, and its solution is compared with the product of the network.
The second equation is compared with the velocity of the product, which is measured from its path alone. There G is the
gradient of the stated loss by autograd, and so are the gradients that the velocities of the layers are compared with.

Source: Arora, Cohen and Hazan 2018 (arXiv:1802.06509); Arora, Cohen, Hu and Luo 2019 (arXiv:1905.13655).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.factorisation.end_to_end import (
    follow_product,
    layer_velocity_error,
    path_velocity,
    singular_velocity_error,
    stencils,
)
from dlnrepro.dynamics.factorisation.losses import LossName, Problem, draw_problem
from dlnrepro.dynamics.networks.chain import product, relative_imbalance
from dlnrepro.dynamics.networks.plain import gradients
from dlnrepro.dynamics.starts.balanced import balanced_layers, unbalanced
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Array, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each, each_run
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import LayerFactor
from dlnrepro.settings.networks import DeepSettings

POINTS = 61
WIDTH = 9
"""The path is recorded at 61 times, and at nine close times around each of them but the first, for its velocity."""

CLOSE = 0.3
"""The spacing of close times, times a bound of the rates of the motion."""

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
        description="number of samples of a regression, with Gaussian inputs and outputs; not used for completion",
    )
    loss: LossName = Field(
        description="the loss R: of a regression, mean of |y - W x|^2 / 2 (`squared`) or of the sum of log cosh of the"
        " entries of y - W x (`log-cosh`); or half the sum of squared errors of W on the observed entries of a Gaussian"
        " matrix, each observed with probability 0.6 (`completion`, which has no samples)"
    )
    start_scale: float = Field(gt=0, le=10, description="Frobenius norm of the initial product W")
    layer_factor: LayerFactor
    first_rate: float = Field(
        gt=0, le=100, description="c_1, the learning rate of W_1 over that of all other layers; 1 makes them equal"
    )
    horizon: float = Field(gt=0, le=10**4, description="time at which the flow ends")

    def contradictions(self) -> Iterable[Contradiction]:
        """Hidden layers that cannot hold the product; a factor that would change a single layer or its speed."""
        if self.hidden < (least := min(self.inputs, self.outputs)):
            yield Contradiction("hidden", f"at least {least}, the smaller one of inputs and outputs")
        for key in ("layer_factor", "first_rate"):
            if self.depth == 1 and getattr(self, key) != 1:
                yield Contradiction(key, "1 for a single layer")

    def numbers(self) -> int:
        """The weights at every recorded time with their gradients, and the samples."""
        layers = self.hidden * (self.inputs + self.outputs + self.depth * self.hidden)
        return POINTS * (WIDTH + 1) * 8 * layers + (1 + POINTS * WIDTH) * self.samples * (self.inputs + self.outputs)


MEASURES = {
    "path_error": "largest ||W - W'||_F / max_t ||W||_F along the flow, where W is the product of the network and W'"
    " the solution of the product's own equation, >= 0",
    "singular_error": "largest error of the formula for the velocity dsigma_r/dt of a singular value along the flow,"
    " which is measured by differences in time, divided by the largest |dsigma_r/dt|, >= 0",
    "start_imbalance": "largest imbalance ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F of the initial weights over the layers"
    " l, divided by ||W_1||_F^2, >= 0",
    "travel": "distance ||W(end) - W(0)||_F of the end of the flow from its beginning, over ||W(0)||_F, >= 0",
    "gradient_error": "largest ||dW_l/dt + dR/dW_l||_F along the flow over the layers l, divided by the largest"
    " ||dW_l/dt||_F, with velocities measured by differences in time and gradients of the loss by autograd, >= 0",
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
        "the flow follows the gradient of the loss at 0.95 W, but the equations use the gradient at W",
        "flow",
        lambda right: lambda weights, field, *rest: right(weights, lambda run, whole: field(run, 0.95 * whole), *rest),
    ),
    "other-gradient": Flaw(
        "the flow and the equation of the product follow 0.3 W + 0.2 instead of the gradient of the loss",
        "flow_field",
        lambda right: lambda problem: lambda run, whole: 0 * right(problem)(run, whole) + 0.3 * whole + 0.2,
    ),
    "slower": Flaw(
        "the flow and the equation of the product follow 0.95 times the gradient of the loss",
        "flow_field",
        lambda right: lambda problem: lambda run, whole: 0.95 * right(problem)(run, whole),
    ),
    "velocity": Flaw("the measured velocities are too large by 5 %", "path_velocity", scaled(1.05)),
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
    problem, weights = _problem(params, generators)
    depth, field = params.formula_depth, flow_field(problem)
    times = torch.linspace(0, params.horizon, POINTS, dtype=torch.float64)
    spacings = _spacings(params, problem, weights)
    close = stencils(times[1:], spacings)
    rates = [params.first_rate, *[1.0] * (params.depth - 1)]
    grid = torch.cat([torch.zeros(len(close), 1, dtype=torch.float64), close.flatten(1)], -1)
    layers = flow(weights, field, grid, rates, TOLERANCE, 1e-3 * TOLERANCE, part_of(progress, 0, 0.5))
    measured = _velocity_errors(problem, layers, spacings, depth)
    network = product(layers)[:, torch.tensor([0, *range(1 + WIDTH // 2, grid.shape[-1], WIDTH)])]
    starts, alone = array_of(product(weights)), []
    for run, tick in each(part_of(progress, 0.5, 0.5, "product"), len(starts)):
        clock = _clocked(tick, params.horizon)
        alone.append(follow_product(starts[run], partial(field, run), depth, array_of(times), TOLERANCE, clock))
    law = tensor_of(np.stack(alone))
    strength = torch.linalg.matrix_norm(network)
    distance = torch.linalg.matrix_norm(network - law) / strength.amax(-1, keepdim=True)
    measures = {
        "path_error": distance.amax(-1),
        "singular_error": measured[0],
        "start_imbalance": relative_imbalance(weights),
        "travel": torch.linalg.matrix_norm(network[:, -1] - network[:, 0]) / strength[:, 0],
        "gradient_error": measured[1],
    }
    series = {
        "time": times,
        "strength": strength,
        "strength_law": torch.linalg.matrix_norm(law),
        "distance": distance,
    }
    return Result(measures, series)


def flow_field(problem: Problem) -> Callable[[int, Array], Array]:
    """The gradient dR/dW that the flow and the equation of the product follow."""
    return problem.field()


def _clocked(progress: Progress, horizon: float) -> Callable[[float], None]:
    """A callback that reports the time of the solver as a fraction of the horizon."""
    return lambda time: progress(min(time / horizon, 1), "")


def _spacings(params: Params, problem: Problem, weights: Sequence[Tensor]) -> Tensor:
    """The spacing of close times of each run, of shape (runs,): 0.3 over 3 L c ||W||^(2-2/L) max R'', a bound of rates.

    ||W|| is the larger one of the norms at the beginning and of a matrix that fits the data. The velocity of W is at
    most L ||W||^(2-2/L) ||G||, and its derivative adds the terms in which two layers move.
    """
    depth = params.depth
    factor = 3 * depth * max(params.layer_factor, 1 / params.layer_factor) ** 2 * max(1.0, params.first_rate)
    whole = torch.linalg.matrix_norm(product(weights))

    def spacing(start: Tensor, end: Tensor, steepness: Tensor) -> Tensor:
        return CLOSE / (factor * steepness * torch.maximum(start, end) ** (2 - 2 / depth))

    widest = params.horizon / (POINTS - 1) / WIDTH
    return each_run(spacing, whole, problem.size, problem.steepness).clamp_max(widest)


def _velocity_errors(problem: Problem, layers: Sequence[Tensor], spacings: Tensor, depth: int) -> tuple[Tensor, Tensor]:
    """The errors of the singular values' velocity and of the layers' velocity along the flow, each of shape (runs,)."""
    near = [layer[:, 1:].reshape(len(layer), -1, WIDTH, *layer.shape[2:]) for layer in layers]
    centres = [layer[:, :, WIDTH // 2] for layer in near]
    whole = product(near)
    (slope,) = gradients(problem.plain, [whole[:, :, WIDTH // 2]])
    moving = path_velocity(whole, spacings)
    return (
        singular_velocity_error(whole[:, :, WIDTH // 2], moving, slope, depth),
        layer_velocity_error([path_velocity(layer, spacings) for layer in near], gradients(problem.plain, centres)),
    )


def _problem(params: Params, generators: Sequence[Generator]) -> tuple[Problem, list[Tensor]]:
    """The loss of drawn data, and balanced layers of a drawn product, which `layer_factor` may unbalance."""
    problem = draw_problem(params.loss, params.inputs, params.outputs, params.samples, generators)
    draw = normal((params.outputs, params.inputs), generators)
    scaled = each_run(lambda matrix: params.start_scale * matrix / torch.linalg.matrix_norm(matrix), draw)
    if params.depth == 1:
        return problem, [scaled]
    # One by one: in a batch, LAPACK rounds by where a matrix lies in memory.
    parts = [decomposed(torch.linalg.svd, matrix, full_matrices=False) for matrix in scaled]
    left, strengths, right = (torch.stack(same) for same in zip(*parts, strict=True))
    layers = balanced_layers(left, strengths, right.mT, [params.hidden] * (params.depth - 1), generators)
    return problem, unbalanced(layers, params.layer_factor)
