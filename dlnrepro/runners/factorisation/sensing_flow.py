"""Gradient flow of a deep linear network that fits one linear measurement, from smaller and smaller initializations.

dW_l/dt = -dR/dW_l with R = 1/2 (<A, W> - y)^2, W = W_L ... W_1 and A = sum_r a_r u_r v_r^T. Every W with <A, W> = y is
a solution; which one does the flow find? The initialization (start) is alpha times the partial isometry of A, in
balanced layers, or Gaussian layers with a product of order alpha, for several values of alpha. Theory: the deeper the
network, the wider the gap between the first singular value and the following ones.

Source: Arora, Cohen, Hu and Luo 2019 (arXiv:1905.13655); the conserved quantities and the powers of alpha are derived
in `dlnrepro.dynamics.factorisation.sensing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.factorisation.sensing import (
    escape_times,
    gap_exponents,
    random_start,
    sensed_ends,
    sensing_field,
    sensing_loss,
    sensing_start,
)
from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.fits.sweeps import falling_sweep
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.gaps import singular_triples
from dlnrepro.dynamics.networks.plain import check_flow
from dlnrepro.dynamics.starts.balanced import unbalanced
from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.dynamics.training.gradient_flow import flow
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FALLING, FROM_LIST, SPREAD, Jitter, Positive
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.numerals import numeral
from dlnrepro.settings.targets import at_most_as_many

POINTS = 80
RELATIVE, ABSOLUTE = 1e-10, 1e-14
CHECKED, BRIEF = (20, 50, 60, 65, 70), 0.02
"""Recorded points from which the flow is followed a second time, by autograd, and for how long."""
PIECE = 1 / 64
"""The share of the work in each of these short pieces; multiples of it are exact."""

Start = Annotated[float, Field(gt=0, le=1)]


class Params(DeepSettings):
    """The measurement, the network, its initializations, and how long each flow is followed."""

    depth: int = Field(ge=1, le=6, description="depth L, the number of weight matrices")
    inputs: int = Field(ge=2, le=16, description="n_0, the dimension of the inputs")
    hidden: int = Field(
        ge=2,
        le=16,
        description="n_1 = ... = n_(L-1), the width of the hidden layers: at least the number of values a_r",
    )
    outputs: int = Field(ge=2, le=16, description="n_L, the dimension of the outputs")
    measured: Annotated[tuple[Positive, ...], Field(strict=False, min_length=2, max_length=16), FALLING] = Field(
        description="a_r, the singular values of the measurement A, which fall strictly"
    )
    jitter: Jitter
    value: float = Field(gt=0, le=100, description="y, the value of the measurement <A, W> that is fitted")
    basis: Literal["aligned", "random"] = Field(
        description="initialization: alpha times the partial isometry of A in balanced layers (`aligned`), or Gaussian"
        " layers whose product has entries of order alpha (`random`)"
    )
    start: Annotated[tuple[Start, Start], FROM_LIST, SPREAD] = Field(
        description="range of alpha, the scale of the initialization, from the smallest to the largest value"
    )
    points: int = Field(ge=2, le=20, description="number of values of alpha, evenly spaced in log alpha")
    layer_factor: float = Field(
        gt=0,
        le=1000,
        description="factor by which W_1 is multiplied and W_L divided at initialization; 1 keeps the layers balanced",
    )
    patience: float = Field(
        ge=1,
        le=100,
        description="factor on the time in which the first mode grows from an aligned initialization; a random one"
        " needs longer",
    )
    settling: float = Field(
        gt=0, le=1000, description="time for which the flow is followed after the first mode has grown"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More strengths than the layers hold; a value that the initialization exceeds; a factor on a single layer."""
        yield from at_most_as_many(self, "measured", ("inputs", "hidden", "outputs"))
        reached = self.start[1] * sum(self.measured) * (1 + self.jitter)
        if self.value <= reached:
            yield Contradiction(
                "value", f"more than {numeral(reached, 3)}, the largest measurement of an initialization"
            )
        if self.depth == 1 and self.layer_factor != 1:
            yield Contradiction("layer_factor", "1 for a single layer")

    def numbers(self) -> int:
        """The weights at every recorded time of every initialization."""
        return self.points * POINTS * 4 * self.hidden * (self.inputs + self.outputs + self.depth * self.hidden)


MEASURES = {
    "law_error": "largest relative error of the closed form of the singular values sigma_r = u_r^T W v_r at the end,"
    " from an aligned initialization, over the values of alpha and the modes r, >= 0",
    "gap_exponent": "fitted power of alpha in sigma_2 / sigma_1 at the end: slope of log(sigma_2 / sigma_1) against"
    " log alpha",
    "gap_exponent_error": "fitted power of alpha in sigma_2 / sigma_1 at the end, less the power that theory predicts"
    " for vanishing alpha",
    "gap_ratio": "ratio sigma_2 / sigma_1 of the singular values at the end of the flow from the smallest alpha",
    "second_share": "ratio a_2 / a_1 of the singular values of the measurement A, in (0, 1)",
    "misfit": "largest relative error |<A, W> / y - 1| of the measurement at the end, over the values of alpha, >= 0",
}

SERIES = {
    "start": Series("start", "scale alpha of the initialization"),
    "ratio": Series("start", "ratio sigma_2 / sigma_1 of the singular values at the end"),
    "ratio_law": Series("start", "predicted ratio sigma_2 / sigma_1 of the singular values at the end"),
    "time": Series("time", "time t of the gradient flow"),
    "first": Series("time", "first singular value sigma_1, from the smallest alpha"),
    "second": Series("time", "second singular value sigma_2, from the smallest alpha"),
}

FLAWS = {
    "end": Flaw("the predicted singular values are too large by 5 %", "sensed_ends", scaled(1.05)),
    "exponent": Flaw("the predicted power of alpha is too large by 0.15", "gap_exponents", shifted(0.15)),
    "start": Flaw(
        "the flow starts from an alpha that is 5 % larger than that of the formula",
        "sensing_start",
        lambda right: lambda sensor, starts, *rest: right(sensor, 1.05 * starts, *rest),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw measurements and frames; follow the flow from every initialization; compare its end with the closed form."""
    measured = draw_strengths(params.measured, params.jitter, generators)
    sensor = rotated(params.outputs, params.inputs, measured, generators)
    starts, points = falling_sweep(*params.start, params.points), params.points
    weights = _start(params, sensor, starts, generators)
    leaving = each_run(lambda row: escape_times(row, params.value, starts, params.depth), measured)
    ends = params.patience * leaving + params.settling
    times = ends[..., None] * torch.linspace(0, 1, POINTS, dtype=torch.float64)
    sensors, layers = sensor.matrix.repeat_interleave(points, 0), [layer.flatten(0, 1) for layer in weights]
    path = _flow(params, sensors, layers, times.flatten(0, 1), progress)
    whole = path.reshape(len(measured), points, *path.shape[1:])
    values, singular = sensor.carried(whole), singular_triples(whole[:, :, -1])[1]
    law = sensed_ends(measured, params.value, starts, params.formula_depth)
    ratio = singular[..., 1] / singular[..., 0]
    exponent = slope(starts.log().expand_as(ratio), each_run(torch.log, ratio))
    measures = {
        "law_error": (values[:, :, -1] / law - 1).abs().amax((-2, -1)),
        "gap_exponent": exponent,
        "gap_exponent_error": exponent - gap_exponents(measured, params.formula_depth),
        "gap_ratio": ratio[:, -1],
        "second_share": measured[:, 1] / measured[:, 0],
        "misfit": ((values[:, :, -1] * measured[:, None]).sum(-1) / params.value - 1).abs().amax(-1),
    }
    series = {
        "start": starts,
        "ratio": ratio,
        "ratio_law": law[..., 1] / law[..., 0],
        "time": times[:, -1],
        "first": values[:, -1, :, 0],
        "second": values[:, -1, :, 1],
    }
    return Result(measures, series)


def _start(params: Params, sensor: Target, starts: Tensor, generators: Sequence[Generator]) -> list[Tensor]:
    """The layers at every alpha, of shape (runs, points, n_l, n_(l-1)), balanced or Gaussian."""
    hidden = [params.hidden] * (params.depth - 1)
    if params.basis == "random":
        return random_start([params.inputs, *hidden, params.outputs], starts, generators)
    weights = sensing_start(sensor, starts, hidden, generators)
    return unbalanced(weights, params.layer_factor) if params.depth > 1 else weights


def _flow(params: Params, sensors: Tensor, layers: Sequence[Tensor], times: Tensor, progress: Progress) -> Tensor:
    """The product along the flow, of which some short pieces are followed a second time by autograd."""
    field, rates = sensing_field(sensors, params.value), [1.0] * params.depth
    whole = 1 - PIECE * len(CHECKED)
    path = flow(layers, field, times, rates, RELATIVE, ABSOLUTE, part_of(progress, 0, whole))
    brief = torch.tensor([0.0, BRIEF], dtype=torch.float64)
    for number, place in enumerate(CHECKED):
        tick = part_of(progress, whole + PIECE * number, PIECE, f"piece {number + 1} of {len(CHECKED)}")
        piece = flow([layer[:, place] for layer in path], field, brief, rates, RELATIVE, ABSOLUTE, tick)
        check_flow(piece, brief, [0], sensing_loss(sensors[:, None], params.value), 20, 1e-8)
    return product(path)
