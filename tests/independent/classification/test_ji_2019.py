"""Ji, Telgarsky, 1810.02032: layers become rank one and align, and the predictor turns to the maximum margin."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from tests.independent.flow import gradient_flow, normal, product

TEACHER = torch.tensor([1.0, 0.5, -0.3]).double()
POINTS = normal(8, 3, seed=2)
SIGNED = POINTS * torch.sign(POINTS @ TEACHER)[:, None] + 0.3 * TEACHER


def hard_margin() -> Tensor:
    """The unit vector with the largest margin, by a general optimiser of the definition."""
    found = minimize(
        lambda w: 0.5 * w @ w,
        10 * TEACHER.numpy(),
        jac=lambda w: w,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda w: SIGNED.numpy() @ w - 1, "jac": lambda _: SIGNED.numpy()},
        options={"ftol": 1e-15, "maxiter": 500},
    )
    assert found.success, found.message
    return torch.tensor(found.x / np.linalg.norm(found.x))


def slowed(weights: list[Tensor]) -> Tensor:
    """-ln ln(1/R) for the mean exponential risk R, which is less than 1 where it is used.

    Its gradient flow has the path of the flow of R, at a pace at which the norms stay finite.
    """
    margins = SIGNED @ product(weights).reshape(-1)
    return -torch.log(np.log(len(SIGNED)) - torch.logsumexp(-margins, 0))


@pytest.mark.parametrize("depth", [2, 3])
def test_layers_become_rank_one_and_align_and_the_direction_is_that_of_the_largest_margin(depth: int) -> None:
    start = [0.2 * normal(4, 3, seed=3), *[0.2 * normal(4, 4, seed=4)] * (depth - 2), 0.2 * normal(1, 4, seed=5)]
    if float(torch.exp(-SIGNED @ product(start).reshape(-1)).mean()) > 1:
        start[-1] = -start[-1]  # the risk of the start must not exceed that of the zero network
    assert float(torch.exp(-SIGNED @ product(start).reshape(-1)).mean()) < 1
    far: list[float] = []
    near: list[float] = []
    for weights, found in zip(gradient_flow(start, slowed, [100, 3000], method="LSODA"), (far, near), strict=True):
        spectra = [torch.linalg.svd(weight) for weight in weights]
        rest = max(float(s[1] / s[0]) for _, s, _ in spectra[:-1])
        turned = min(abs(float(after[2][0] @ before[0][:, 0])) for before, after in pairwise(spectra))
        predictor = product(weights).reshape(-1)
        sine = float((predictor / predictor.norm() - hard_margin()).norm())
        found += [rest, 1 - turned, sine]
    assert all(later < earlier for earlier, later in zip(far, near, strict=True))
    assert near[0] < 0.05
    assert near[1] < 1e-3
    assert near[2] < 0.02
