"""What a linear predictor costs a network: the least squared norm of weights that realise it, found numerically.

    R(w) = min { ||theta||^2 : f_theta = w },   f_theta homogeneous of degree L in theta

For each of several drawn predictors w, weights are brought from drawn starts onto the fibre f_theta = w, and then
along it to a point where ||theta||^2 is stationary (`dynamics.representation_cost.fibre`, which knows no formula). The
cheapest is compared with the closed form of a law, and the law's p and q in R = c ||x||_p^q are fitted over the
predictors.

Source: Dai, Karzand, Srebro (NeurIPS 2021) for the question and the 2/L norms; the closed forms are derived in
`dlnrepro.dynamics.representation_cost.formulas`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.fibre import cheapest_points, infeasibility, non_stationarity
from dlnrepro.dynamics.representation_cost.formulas import coordinates, power, representation_costs
from dlnrepro.dynamics.representation_cost.norm_fit import fit_norm, powers_tried, profile_misfits
from dlnrepro.dynamics.representation_cost.tied_layers import squared_norm
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Weights, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.representation_cost import ArchitectureSettings

POWERS = 41


class Params(ArchitectureSettings, DeepSettings):
    """An architecture, the predictors that it realises, and the search for the cheapest weights."""

    kernel: int = Field(
        ge=1,
        le=16,
        description="for the architecture `convolutional`: number of taps of all convolutions but the first; D is full",
    )
    predictors: int = Field(ge=1, le=32, description="number of predictors that each run draws")
    starts: int = Field(ge=1, le=8, description="number of drawn weights from which each predictor is sought")
    iterations: int = Field(ge=1, le=10**4, description="number of steps along the fibre")
    point: Literal["cheapest", "any"] = Field(
        description="where the cost is measured: `cheapest` is the end of the search, `any` where the fibre is met"
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More taps than inputs."""
        yield from super().contradictions()
        if self.kernel > self.inputs:
            yield Contradiction("kernel", f"at most {self.inputs}, as many as inputs")

    @property
    def taps(self) -> int:
        """How many taps all convolutions but the first have."""
        return self.kernel

    def numbers(self) -> int:
        """The Jacobian and its largest block before entries of one parameter are added up."""
        entries = self.inputs * self.outputs
        blocks = sum(2 * layer.places.numel() + layer.count for layer in self.layers)
        return self.predictors * self.starts * entries * (2 * blocks + 4 * entries)


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
    """Draw predictors, then starts; go onto the fibre and along it; compare with the law, and fit its powers."""
    targets = params.draw(params.predictors, generators)
    weights = _search(params, targets, generators, progress)
    costs = squared_norm(weights)
    laws = representation_costs(params.formula, targets, params.formula_depth, params.part)
    excess = costs / laws - 1
    fits = each_run(lambda cost, ws: _fit(params, cost, ws), costs, targets)
    measures = {
        "formula_error": excess.abs().amax(-1),
        "least_excess": excess.amin(-1),
        "power_error": (fits[:, 0] / power(params.formula, params.formula_depth, params.outputs) - 1).abs(),
        "order_error": (fits[:, 1] * params.formula_depth / 2 - 1).abs(),
        "misfit": fits[:, 2],
        "infeasibility": infeasibility(params.layers, weights, targets).amax(-1),
        "slope_along_fibre": non_stationarity(params.layers, weights).amax(-1),
    }
    order = laws.argsort(-1)
    series = {
        "law_cost": laws.gather(-1, order),
        "cost": costs.gather(-1, order),
        "tried_power": tensor_of(powers_tried(POWERS)),
        "misfit_at_power": fits[:, 3:],
    }
    return Result(measures, series)


def _search(params: Params, targets: Tensor, generators: Sequence[Generator], progress: Progress) -> Weights:
    """The cheapest weights found from drawn starts for each predictor, each layer (runs, predictors, count)."""
    sizes = each_run(lambda ws: torch.linalg.matrix_norm(ws) ** (1 / params.depth), targets)[..., None, None] / 2
    shape = (params.predictors, params.starts)
    starts = [sizes * normal((*shape, layer.count), generators) for layer in params.layers]
    iterations = params.iterations if params.point == "cheapest" else 0
    return cheapest_points(params.layers, starts, targets, iterations, progress)


def _fit(params: Params, costs: Tensor, ws: Tensor) -> Tensor:
    """The p, q and misfit of one run, and the misfit at each tried p, in a row."""
    if not bool(torch.isfinite(costs).all()):
        return torch.full((3 + POWERS,), torch.nan, dtype=torch.float64)
    x = array_of(torch.stack([coordinates(params.formula, w, params.part) for w in ws]))
    fit = fit_norm(array_of(costs), x)
    misfits = profile_misfits(array_of(costs), x, powers_tried(POWERS))
    return torch.tensor([fit.power, fit.order, fit.misfit, *misfits], dtype=torch.float64)
