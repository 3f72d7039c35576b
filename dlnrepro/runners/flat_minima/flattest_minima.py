"""Global minima of a deep linear network, drawn at random and flattened; nothing is trained.

If W_L ... W_1 = Z, all weights G_l W_l G_(l-1)^-1 with invertible G_1 .. G_(L-1) (and G_0 = G_L = I) have the product Z
too, and are global minima of 1/2 ||W_L ... W_1 - Z||_F^2. Each run draws a target Z and balanced weights for it, and
disturbs them by random G_l, from slight to strong. It then flattens the last minimum: its sharpness, the largest
eigenvalue of the Hessian, is minimised over the G_l.

Source: Mulayoff and Michaeli 2020 (arXiv:2002.04710) for the least sharpness and the gains at the flattest minima; the
proof in `dlnrepro.dynamics.flat_minima.sharpness_bound` is derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.flat_minima.minima import confirmed_sharpness, sharpness_at_minima
from dlnrepro.dynamics.flat_minima.reparametrisations import flattest, random_reparametrisations, reparametrised
from dlnrepro.dynamics.flat_minima.sharpness_bound import gain_error, least_sharpness
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.balanced import balanced_layers
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.runner import Flaw, Progress, Result, Series, scaled
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import Positive
from dlnrepro.settings.networks import DeepSettings
from dlnrepro.settings.targets import TargetSettings, at_most_as_many


class Params(TargetSettings, DeepSettings):
    """The target, the network, and how its global minima are disturbed and flattened."""

    depth: int = Field(ge=2, le=6, description="L, the number of weight matrices")
    hidden: int = Field(
        ge=1,
        le=16,
        description="n_1 = ... = n_(L-1), the width of the hidden layers: at least the number of singular values",
    )
    strongest: float = Field(
        gt=0,
        le=5,
        description="largest strength t of a disturbance; its matrices G_l have singular values between e^-t and e^t",
    )
    points: int = Field(
        ge=1, le=200, description="number of disturbed minima, with evenly spaced strengths up to `strongest`"
    )
    iterations: int = Field(
        ge=0,
        le=10**4,
        description="largest number of steps in each round of L-BFGS that flattens the last minimum; 0 does not"
        " flatten",
    )

    variance: Positive = Field(description="variance of the inputs, which are white; it multiplies the whole Hessian")

    def contradictions(self) -> Iterable[Contradiction]:
        """More singular values than the hidden layers can carry."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ("hidden",))

    def numbers(self) -> int:
        """The kernels of all networks, and a few copies of one Hessian."""
        size = self.hidden * (self.inputs + self.outputs + (self.depth - 2) * self.hidden)
        kernel = (self.inputs * self.outputs) ** 2
        return 2 * self.points * (size + self.depth * kernel) + 10 * size**2


MEASURES = {
    "formula_error": "relative error of L s^(2-2/L) for the sharpness of the balanced minimum, where s is the largest"
    " singular value of the target, >= 0",
    "least_ratio": "smallest sharpness over L s^(2-2/L) of all minima of the run (balanced, disturbed and flattened),"
    " where s is the largest singular value of the target",
    "disturbed_ratio": "sharpness over L s^(2-2/L) of the most disturbed minimum before it is flattened, where s is the"
    " largest singular value of the target",
    "flattened_ratio": "sharpness over L s^(2-2/L) of the most disturbed minimum after it is flattened, where s is the"
    " largest singular value of the target",
    "gain_error": "largest relative error of s^(l/L) over l < L for the gain ||W_l ... W_1 v|| of the first l layers,"
    " at the flattened minimum, >= 0; v is the top singular vector of the target and s its singular value",
    "moved": "largest ||W_L ... W_1 - Z||_F / s over all weights of the run, >= 0, where s is the largest singular"
    " value of the target Z; 0 for global minima",
}

SERIES = {
    "disturbance": Series("disturbance", "strength of the disturbance"),
    "ratio": Series("disturbance", "sharpness over L s^(2-2/L) of the disturbed minima"),
}

FLAWS = {
    "larger-bound": Flaw("the bound L s^(2-2/L) is 5 % too large", "least_sharpness", scaled(1.05)),
    "gains": Flaw(
        "the exponent l/L of the gains is 5 % too small",
        "gain_error",
        lambda right: lambda layers, depth: right(layers, depth / 0.95),
    ),
}


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Draw targets, balanced weights and disturbances; flatten the most disturbed ones; measure sharpness and gains."""
    target, modes, depth = params.target(generators), len(params.strengths), params.formula_depth
    hidden, matrix, tops = [params.hidden] * (params.depth - 1), target.matrix, target.strengths[:, 0]
    bases = target.left[..., :modes], target.strengths, target.right[..., :modes]
    balanced = balanced_layers(*bases, hidden, generators)
    sweep = torch.linspace(0, params.strongest, params.points + 1, dtype=torch.float64)[1:]
    gauges = random_reparametrisations(hidden, sweep, generators)
    disturbed = reparametrised([layer[:, None].expand(-1, params.points, -1, -1) for layer in balanced], gauges)
    flat = flattest([layer[:, -1].contiguous() for layer in disturbed], params.iterations, part_of(progress, 0, 0.8))
    least = [least_sharpness(top, depth) / params.variance for top in tops.tolist()]  # of the loss without the factor
    law = torch.tensor(least, dtype=torch.float64)
    ratios = sharpness_at_minima(disturbed) / law[:, None]
    first = confirmed_sharpness(balanced, matrix, part_of(progress, 0.8, 0.1)) / law
    end = confirmed_sharpness(flat, matrix, part_of(progress, 0.9, 0.1)) / law
    products = torch.cat([product(balanced)[:, None], product(disturbed), product(flat)[:, None]], 1)
    measures = {
        "formula_error": (first - 1).abs(),
        "least_ratio": torch.cat([first[:, None], ratios, end[:, None]], -1).amin(-1),
        "disturbed_ratio": ratios[:, -1],
        "flattened_ratio": end,
        "gain_error": each_run(lambda *layers: gain_error(layers, depth), *flat),
        "moved": (torch.linalg.matrix_norm(products - matrix[:, None]) / tops[:, None]).amax(-1),
    }
    return Result(measures, {"disturbance": sweep, "ratio": ratios})
