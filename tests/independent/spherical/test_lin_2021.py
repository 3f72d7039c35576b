"""Lin, Sun, Zhang (NeurIPS 2021), Lemmas 1 and 3 and Theorem 5: how a linear network turns on symmetric inputs.

The inputs are uniform on the unit circle, so c_0 = 1, and y = sgn(v^T x) with v = (1, 0). The risk is the mean of
log(1 + e^(-y f(x))). It is integrated over the half circle where y = 1, because x and -x have the same y f(x), and
autograd derives it.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(100)
_ANGLES = torch.from_numpy(math.pi / 2 * _NODES)
INPUTS = torch.stack([_ANGLES.cos(), _ANGLES.sin()])
SHARES = torch.from_numpy(_WEIGHTS / 2)


def gradients(weights: list[Tensor]) -> list[Tensor]:
    layers = [weight.clone().requires_grad_() for weight in weights]
    signal = INPUTS
    for layer in layers:
        signal = layer @ signal
    risk = (SHARES * torch.nn.functional.softplus(-signal[0])).sum()
    return list(torch.autograd.grad(risk, layers))


def predictor(weights: list[Tensor]) -> Tensor:
    product = weights[0]
    for weight in weights[1:]:
        product = weight @ product
    return product[0]


def balanced(depth: int, norm: float, angle: float) -> list[Tensor]:
    """Rank-one layers with u_{l+1} u_l^T, all of the same size, whose product points at the angle to v."""
    generator = torch.Generator().manual_seed(depth)
    right = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    weights = []
    for layer in range(depth):
        left = torch.randn(1 if layer == depth - 1 else 3, generator=generator, dtype=torch.float64)
        left = torch.ones_like(left) if len(left) == 1 else left / left.norm()
        weights.append(norm ** (1 / depth) * torch.outer(left, right))
        right = left
    return weights


def flow(weights: list[Tensor], step: float, steps: int) -> Tensor:
    """The predictors along gradient flow, by the classical Runge-Kutta method, of shape (steps + 1, 2)."""
    found = [predictor(weights)]
    for _ in range(steps):
        slopes: list[list[Tensor]] = []
        for share in (0.0, 0.5, 0.5, 1.0):
            last = slopes[-1] if slopes else weights
            slopes.append(gradients([w - share * step * d for w, d in zip(weights, last, strict=True)]))
        mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(*slopes, strict=True)]
        weights = [w - step * d for w, d in zip(weights, mean, strict=True)]
        found.append(predictor(weights))
    return torch.stack(found)


def log_cotangent(path: Tensor) -> Tensor:
    """-ln tan(theta / 2)."""
    return -torch.log(torch.tan(torch.atan2(path[:, 1].abs(), path[:, 0]) / 2))


@pytest.mark.parametrize("norm", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("angle", [0.3, 2.0])
def test_lemma_one_the_push_to_the_teacher_is_the_same_at_every_norm(norm: float, angle: float) -> None:
    unit = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)

    gradient = gradients([norm * unit[None]])[0][0]

    teacher = torch.tensor([1.0, 0.0], dtype=torch.float64)
    push = -(teacher - math.cos(angle) * unit) @ gradient
    assert float(push) == pytest.approx(math.sin(angle) ** 2 / math.pi, rel=1e-10)


def test_lemma_three_with_two_layers_the_angle_falls_by_one_over_pi_per_unit_of_time() -> None:
    turned = log_cotangent(flow(balanced(2, 0.8, 1.9), 0.05, 200))

    assert float(turned[-1] - turned[0]) == pytest.approx(10 / math.pi, rel=1e-6)


@pytest.mark.parametrize("depth", [1, 3, 4])
def test_lemma_three_the_clock_runs_by_a_power_of_the_norm(depth: int) -> None:
    path = flow(balanced(depth, 1.2, 1.4), 0.05, 200)
    turned, rate = log_cotangent(path), path.norm(dim=-1) ** (1 - 2 / depth)

    clock = float(torch.trapezoid(rate, dx=0.05)) / math.pi

    assert float(turned[-1] - turned[0]) == pytest.approx(clock, rel=1e-4)


def test_the_local_exponent_of_the_angle_grows_without_a_limit() -> None:
    turned = log_cotangent(flow(balanced(3, 1.0, 1.0), 0.1, 320))

    exponents = [float(turned[2 * half] - turned[half]) / math.log(2) for half in (40, 80, 160)]

    assert exponents[1] > 1.5 * exponents[0]
    assert exponents[2] > 1.5 * exponents[1]


@pytest.mark.parametrize(("power", "holds"), [(2 / math.pi, False), (1 / math.pi, True)])
def test_theorem_five_the_first_bound_holds_with_the_derived_power_only(power: float, holds: bool) -> None:
    """Depth 4: 2 / (C (1 + 2 |w(0)|^(1/2) t)^a + 1), printed a = 2 c_0 / pi, derived a = 2 / ((L - 2) pi)."""
    path = flow(balanced(4, 1.2, 2.0), 0.02, 200)
    norms, times = path.norm(dim=-1), 0.02 * torch.arange(201)
    falling = times <= times[int(norms.argmin())]

    constant = 1 / math.tan(1.0) ** 2
    bound = 2 / (constant * (1 + 2 * norms[0] ** 0.5 * times) ** power + 1)
    share = ((1 - path[:, 0] / norms) / bound)[falling].max()

    assert (float(share) <= 1 + 1e-6) is holds
