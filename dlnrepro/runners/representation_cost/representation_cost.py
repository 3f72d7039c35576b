"""The representation cost of linear predictors, found numerically: the least squared norm of weights that realise it.

    R(w) = min { ||theta||^2 : f_theta = w },   f_theta homogeneous of degree L in theta

For each of several drawn predictors w, a search starts from drawn initializations (starts). It first brings the weights
theta onto the fibre of w, which is the set of all weights with f_theta = w, and then along the fibre to a point where
||theta||^2 is stationary (`dlnrepro.dynamics.representation_cost.fibre`, which uses no formula). The smallest
||theta||^2 is compared with the closed form of an architecture, and p and q of R = c ||x||_p^q are fitted over the
predictors, where x are the coordinates of w: singular values, entries, Fourier coefficients or lengths of groups.

Some predictors are also given to a general optimiser, which starts at the same random weights and knows each network as
a plain formula only (`dlnrepro.dynamics.representation_cost.plain_networks`).

Source: Dai, Karzand, Srebro (NeurIPS 2021) for the question and the 2/L norms; the closed forms are derived in
`dlnrepro.dynamics.representation_cost.formulas`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.representation_cost.fibre import cheapest_points, infeasibility, non_stationarity
from dlnrepro.dynamics.representation_cost.formulas import coordinates, power, representation_costs
from dlnrepro.dynamics.representation_cost.norm_fit import fit_norm, powers_tried, profile_misfits
from dlnrepro.dynamics.representation_cost.plain_networks import least_squared_norm, plain_network
from dlnrepro.dynamics.representation_cost.tied_layers import squared_norm
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Weights, array_of, tensor_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.processor import new_tensors_on_the_processor
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled, shifted
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.representation_cost import ArchitectureSettings

POWERS = 41


class Params(ArchitectureSettings, DeepSettings):
    """An architecture, the predictors that it realises, and the search for the cheapest weights."""

    kernel: int = Field(
        ge=1,
        le=16,
        description="for the architecture `convolutional`: number of taps of all convolutions but the first; the full"
        " width is `inputs`",
    )
    predictors: int = Field(ge=1, le=32, description="number of predictors that each run draws")
    starts: int = Field(
        ge=1,
        le=8,
        description="number of initializations from which the cheapest weights of each predictor are searched for",
    )
    iterations: int = Field(
        ge=1, le=10**4, description="number of steps of the search along the weights that realise a predictor"
    )
    point: Literal["cheapest", "any"] = Field(
        description="weights whose squared norm is the cost: the `cheapest` ones at the end of the search, or `any`,"
        " which are the first that realise the predictor"
    )

    optimised: int = Field(
        ge=0,
        le=8,
        description="number of predictors, the first ones, whose cheapest weights a general optimiser (SLSQP) also"
        " searches for",
    )
    realised: float = Field(
        gt=0,
        le=1,
        description="the weights realise this multiple of a predictor; 1 for the predictor itself, and less for a"
        " negative control",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """More taps than inputs, and more predictors for the optimiser than there are."""
        yield from super().contradictions()
        if self.optimised > self.predictors:
            yield Contradiction("optimised", f"at most {self.predictors}, as many as predictors")
        if self.kernel > self.inputs:
            yield Contradiction("kernel", f"at most {self.inputs}, as many as inputs")

    @property
    def taps(self) -> int:
        """The number of taps of all convolutions but the first."""
        return self.kernel

    def numbers(self) -> int:
        """The Jacobian, and its largest block before the entries that share a parameter are added up."""
        entries = self.inputs * self.outputs
        blocks = sum(2 * layer.places.numel() + layer.count for layer in self.layers)
        return self.predictors * self.starts * entries * (2 * blocks + 4 * entries)


MEASURES = {
    "formula_error": "largest relative error |cost / R(w) - 1| over the predictors w, where R(w) is the cost by the"
    " formula, >= 0",
    "least_excess": "smallest ||theta||^2 / R(w) - 1 over all weights theta that the search and the general optimiser"
    " found for the predictors w, where R(w) is the cost by the formula; it is not below 0 if the formula is a lower"
    " bound",
    "optimiser_error": "largest relative error |cost / R(w) - 1| of the least ||theta||^2 that a general optimiser"
    " found from random weights, over the predictors w that it was given, >= 0; undecided if it found no weights of w",
    "power_error": "relative error of the fitted exponent p of R = c ||x||_p^q, where 2/L is predicted, or 2 for fully"
    " connected layers with one output, >= 0",
    "order_error": "relative error of the fitted degree q of R = c ||x||_p^q, where 2/L is predicted, >= 0",
    "misfit": "root mean square over the predictors of log R - log c - q log ||x||_p (natural logarithms), at the best"
    " p, q and c, >= 0",
    "infeasibility": "largest relative error ||f_theta - w|| / ||w|| with which the weights theta realise a predictor"
    " w, >= 0",
    "slope_along_fibre": "largest length of the part of the weights theta that is tangent to the set of weights with"
    " the same predictor, divided by ||theta||, in [0, 1]; 0 where ||theta||^2 is stationary in this set",
}

SERIES = {
    "law_cost": Series("predictor", "cost R(w) by the formula, in rising order"),
    "cost": Series("predictor", "cost found, the squared norm ||theta||^2 of the weights"),
    "tried_power": Series("exponent", "exponent p that is tried"),
    "misfit_at_power": Series("exponent", "misfit of log R with the best q and c at this p"),
}

FLAWS = {
    "formula": Flaw("the cost by the formula is too large by 5 %", "representation_costs", scaled(1.05)),
    "power": Flaw("the predicted exponent p is too large by 0.1", "power", shifted(0.1)),
    "network": Flaw(
        "the search realises a predictor that is too small by 5 %",
        "cheapest_points",
        lambda right: lambda layers, starts, target, *given: right(layers, starts, target / 1.05, *given),
    ),
    "optimiser": Flaw(
        "the outputs of the optimiser's network are too large by 5 %",
        "plain_network",
        lambda right: lambda *given: scaled(1.05)(right(*given)),
    ),
    "degree": Flaw(
        "the cost found is its own power 1.05", "squared_norm", lambda right: lambda weights: right(weights) ** 1.05
    ),
    "coordinates": Flaw("every coordinate of a predictor is too large by 0.01", "coordinates", shifted(0.01)),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw predictors, then initializations; search for the cheapest weights; compare with the formula; fit p and q."""
    targets = params.draw(params.predictors, generators)
    starts = _starts(params, targets, generators)
    iterations = params.iterations if params.point == "cheapest" else 0
    sought = params.realised * targets
    weights = cheapest_points(params.layers, starts, sought, iterations, part_of(progress, 0, 0.8))
    optimised = _optimised(params, starts, sought, part_of(progress, 0.8, 0.2))
    costs = squared_norm(weights)
    laws = representation_costs(params.formula, targets, params.formula_depth, params.part)
    excess, own = costs / laws - 1, optimised / laws[:, : params.optimised] - 1
    lowest = torch.cat([excess, torch.where(torch.isnan(own), torch.inf, own)], dim=-1).amin(-1)
    fits = each_run(lambda cost, ws: _fit(params, cost, ws), costs, targets)
    measures = {
        "formula_error": excess.abs().amax(-1),
        "least_excess": lowest,
        "optimiser_error": own.abs().amax(-1) if params.optimised else torch.full_like(lowest, torch.nan),
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


def _starts(params: Params, targets: Tensor, generators: Sequence[Generator]) -> Weights:
    """Random weights for each predictor; those of a layer have the shape (runs, predictors, starts, count)."""
    sizes = each_run(lambda ws: torch.linalg.matrix_norm(ws) ** (1 / params.depth), targets)[..., None, None] / 2
    shape = (params.predictors, params.starts)
    return [sizes * normal((*shape, layer.count), generators) for layer in params.layers]


def _optimised(params: Params, starts: Weights, targets: Tensor, progress: Progress) -> Tensor:
    """The least squared norms by the general optimiser, of shape (runs, optimised), from the first start that works."""
    found = torch.full((len(targets), params.optimised), torch.nan, dtype=torch.float64)
    sizes = params.inputs, params.outputs, params.hidden, params.taps, params.part
    with new_tensors_on_the_processor():
        network, wanted = plain_network(params.architecture, *sizes), targets.cpu()
        drawn = [layer.cpu() for layer in starts]
        for run in range(len(wanted)):
            progress(run / len(wanted), f"optimiser: run {run + 1} of {len(wanted)}")
            for index, start in product(range(params.optimised), range(params.starts)):
                if bool(torch.isnan(found[run, index])):
                    values = [layer[run, index, start] for layer in drawn]
                    found[run, index] = least_squared_norm(network, values, wanted[run, index])
    return found


def _fit(params: Params, costs: Tensor, ws: Tensor) -> Tensor:
    """The p, the q and the misfit of one run, and then the misfit at each tried p, in one row."""
    if not bool(torch.isfinite(costs).all()):
        return torch.full((3 + POWERS,), torch.nan, dtype=torch.float64)
    x = array_of(torch.stack([coordinates(params.formula, w, params.part) for w in ws]))
    fit = fit_norm(array_of(costs), x)
    misfits = profile_misfits(array_of(costs), x, powers_tried(POWERS))
    return torch.tensor([fit.power, fit.order, fit.misfit, *misfits], dtype=torch.float64)
