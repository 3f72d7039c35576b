"""Mulayoff, Michaeli, 2002.04710: the smallest sharpness of the global minima of a deep linear network."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.independent.flow import balanced, normal, orthogonal

DEPTH, SIZE = 3, 2
LEFT, RIGHT, STRENGTHS = orthogonal(SIZE, 1), orthogonal(SIZE, 2), torch.tensor([1.7, 0.6]).double()
TARGET = LEFT @ torch.diag(STRENGTHS) @ RIGHT.T
FLATTEST = DEPTH * float(STRENGTHS[0]) ** (2 - 2 / DEPTH)


def sharpness(weights: list[Tensor]) -> float:
    """The largest eigenvalue of the Hessian of half the squared error on white inputs."""

    def loss(flat: Tensor) -> Tensor:
        first, second, third = flat.reshape(DEPTH, SIZE, SIZE)
        error: Tensor = third @ second @ first - TARGET
        return 0.5 * error.square().sum()

    flat = torch.stack(weights).reshape(-1)
    hessian: Tensor = torch.autograd.functional.hessian(loss, flat)  # type: ignore[no-untyped-call]
    return float(torch.linalg.eigvalsh(hessian)[-1])


def test_balanced_minima_attain_the_bound() -> None:
    assert abs(sharpness(balanced(LEFT, STRENGTHS, RIGHT, DEPTH)) / FLATTEST - 1) < 1e-12


def test_no_other_minimum_is_flatter() -> None:
    for seed in range(10, 30):
        first, second = balanced(LEFT, STRENGTHS, RIGHT, DEPTH)[:2]
        change = torch.eye(SIZE, dtype=torch.float64) + 0.3 * normal(SIZE, SIZE, seed=seed)
        first, second = change @ first, second @ torch.linalg.inv(change)
        third = TARGET @ torch.linalg.inv(second @ first)
        assert sharpness([first, second, third]) > FLATTEST * (1 - 1e-9)
