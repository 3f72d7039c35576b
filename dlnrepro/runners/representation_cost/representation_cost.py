"""What a linear predictor costs a network: the least squared norm of weights that realise it, found numerically.

    R(w) = min { ||theta||^2 : f_theta = w },   f_theta homogeneous of degree L in theta

For each of several drawn predictors w, weights are brought from drawn starts onto the fibre f_theta = w, and then
along it to a point where ||theta||^2 is stationary (`dynamics.fibre`, which knows no formula). The cheapest is held
against the closed form of a law, and the law's p and q in R = c ||x||_p^q are fitted over the predictors.

Source: Dai, Karzand, Srebro (NeurIPS 2021) for the question and the 2/L norms; the closed forms are derived in
`dlnrepro.dynamics.representation_cost.formulas`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.fibre import infeasibility, least_norm_point, non_stationarity, onto_fibre
from dlnrepro.dynamics.representation_cost.formulas import Law, coordinates, power, representation_cost
from dlnrepro.dynamics.representation_cost.norm_fit import fit_norm, powers_tried, profile_misfits
from dlnrepro.dynamics.representation_cost.spiky_predictors import draw_spiky
from dlnrepro.dynamics.representation_cost.tied_layers import Layers, build, squared_norm
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Progress, Result, Series

LANDING = 40
"""Steps onto the fibre; from there quadratic convergence has long reached rounding."""
TOUCHING = 4
"""Steps back onto it at the end, where a slow search has left it by a little."""
ON_FIBRE = 1e-9
POWERS = 41
ENTRYWISE = ("fully-connected", "diagonal")
"""Laws that make sense for several outputs: of singular values, and of entries."""


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The parameters, none with a default."""

    architecture: Law = Field(description="of the network")
    depth: int = Field(ge=2, le=6, description="L, the number of layers; 2 for k-support")
    inputs: int = Field(ge=2, le=16, description="D")
    outputs: int = Field(ge=1, le=8, description="more than one for the fully connected network only")
    hidden: int = Field(ge=1, le=16, description="width of the hidden layers of the fully connected network")
    kernel: int = Field(ge=1, le=16, description="taps of all convolutions but the first, at most D; D is full width")
    part: int = Field(ge=1, le=8, description="size of the groups, which divides D, and of the k-support subsets")
    predictors: int = Field(ge=1, le=32, description="how many w each run draws")
    spread: float = Field(ge=0, le=3, description="deviation of the logarithms of w's coordinates")
    starts: int = Field(ge=1, le=8, description="from how many drawn weights each w is sought")
    iterations: int = Field(ge=1, le=10**4, description="steps along the fibre")
    point: Literal["cheapest", "any"] = Field(
        description="where the cost is read: at the end, or where the fibre is met"
    )
    law: Law = Field(description="the architecture whose formula is used; another than the network's is an error")
    law_depth: int = Field(ge=2, le=6, description="the depth in the formula; another than L is an error")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Refuse settings that contradict one another."""
        if self.outputs > 1 and (self.architecture != "fully-connected" or self.law not in ENTRYWISE):
            raise ValueError("outputs must be 1 unless the network is fully connected, and the law that or diagonal")
        if self.kernel > self.inputs or self.part > self.inputs:
            raise ValueError("kernel and part must be at most inputs")
        if "group" in (self.architecture, self.law) and self.inputs % self.part:
            raise ValueError("part must divide inputs")
        if self.architecture == "k-support" and self.depth != 2:
            raise ValueError("depth must be 2 for k-support")
        if self.architecture == "fully-connected" and self.hidden < min(self.inputs, self.outputs):
            raise ValueError("hidden must be no smaller than inputs or outputs")
        return self

    @property
    def layers(self) -> Layers:
        """The network."""
        return build(self.architecture, self.depth, self.inputs, self.outputs, self.hidden, self.kernel, self.part)

    def memory(self, runs: int) -> int:
        """The Jacobian and its largest block before entries of one parameter are added up, and the predictors."""
        layers = self.layers
        entries = self.inputs * self.outputs
        blocks = [2 * layer.places.numel() + layer.count for layer in layers]
        return 8 * runs * self.predictors * self.starts * entries * (2 * sum(blocks) + 4 * entries) + 10**7


MEASURES = {
    "formula_error": "largest |cost / R(w) - 1| of the predictors, with the law's R, >= 0",
    "least_excess": "smallest cost / R(w) - 1 of the predictors; not below 0 if R is a lower bound",
    "power_error": "|fitted p over the law's - 1|, >= 0; p is 2/L, or 2 for one fully connected output",
    "order_error": "|fitted q over 2/L - 1|, >= 0",
    "misfit": "root mean square of log R - log c - q log ||x||_p over the predictors, at the best p, q and c, >= 0",
    "infeasibility": "largest ||f_theta - w|| / ||w|| of the points whose cost is read, >= 0",
    "slope_along_fibre": "largest share of theta that lies along the fibre at these points, in [0, 1]; 0 if stationary",
}

SERIES = {
    "law_cost": Series("predictor", "the law's R(w), rising"),
    "cost": Series("predictor", "||theta||^2 at the point that is read"),
    "tried_power": Series("power", "p"),
    "misfit_at_power": Series("power", "the misfit with the best q and c at this p"),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw predictors, then starts; land on the fibre, go along it; compare and fit."""
    layers = params.layers
    shape = (params.predictors, params.inputs, params.outputs)
    targets = draw_spiky(params.architecture, shape, params.part, params.spread, generators)
    found = _search(params, layers, targets, generators, progress)
    costs = squared_norm(found)
    laws = each_run(lambda every: _law_costs(params, every), targets)
    excess = costs / laws - 1
    fits = each_run(lambda cost, every: _fit(params, cost, every), costs, targets)
    measures = {
        "formula_error": excess.abs().amax(-1),
        "least_excess": excess.amin(-1),
        "power_error": (fits[:, 0] / power(params.law, params.law_depth, params.outputs) - 1).abs(),
        "order_error": (fits[:, 1] * params.law_depth / 2 - 1).abs(),
        "misfit": fits[:, 2],
        "infeasibility": infeasibility(layers, found, targets).amax(-1),
        "slope_along_fibre": non_stationarity(layers, found).amax(-1),
    }
    order = laws.argsort(-1)
    grid = tensor_of(powers_tried(POWERS)).expand(len(costs), -1).clone()
    series = {
        "law_cost": laws.gather(-1, order),
        "cost": costs.gather(-1, order),
        "tried_power": grid,
        "misfit_at_power": fits[:, 3:],
    }
    return Result(measures, series)


def _search(
    params: Params, layers: Layers, targets: Tensor, generators: Sequence[Generator], progress: Progress
) -> list[Tensor]:
    """The cheapest weights on the fibre of each w among the starts, each layer (runs, predictors, count).

    Where no start has come onto the fibre, the weights are NaN.
    """
    wanted = targets[:, :, None].expand(-1, -1, params.starts, -1, -1)
    sizes = each_run(lambda every: torch.linalg.matrix_norm(every) ** (1 / params.depth), targets)
    shape = (params.predictors, params.starts)
    drawn = [sizes[..., None, None] / 2 * normal((*shape, layer.count), generators) for layer in layers]
    along = params.iterations if params.point == "cheapest" else 0
    whole = max(LANDING + along + (TOUCHING if along else 0), 1)
    values = onto_fibre(layers, drawn, wanted, LANDING, part_of(progress, 0, LANDING / whole))
    if along:
        values = least_norm_point(layers, values, wanted, along, part_of(progress, LANDING / whole, along / whole))
        after = part_of(progress, (LANDING + along) / whole, TOUCHING / whole)
        values = onto_fibre(layers, values, wanted, TOUCHING, after)
    missed = ~(infeasibility(layers, values, wanted) <= ON_FIBRE)
    costs = torch.where(missed, torch.inf, squared_norm(values))
    best = costs.argmin(-1)[..., None, None]
    nothing = missed.all(-1)[..., None]
    return [
        torch.where(nothing, torch.nan, value.gather(-2, best.expand(-1, -1, 1, value.shape[-1]))[..., 0, :])
        for value in values
    ]


def _law_costs(params: Params, every: Tensor) -> Tensor:
    """The law's R of every predictor of one run."""
    return torch.stack([representation_cost(params.law, w, params.law_depth, params.part) for w in every])


def _fit(params: Params, costs: Tensor, every: Tensor) -> Tensor:
    """The p, q and misfit of one run, and the misfit at each tried p, in a row."""
    x = array_of(torch.stack([coordinates(params.law, w, params.part) for w in every]))
    if not bool(torch.isfinite(costs).all()):
        return torch.full((3 + POWERS,), torch.nan, dtype=torch.float64)
    fit = fit_norm(array_of(costs), x)
    misfits = profile_misfits(array_of(costs), x, powers_tried(POWERS))
    return torch.tensor([fit.power, fit.order, fit.misfit, *misfits], dtype=torch.float64)
