"""Second moments that are perturbed by epsilon: S of the inputs, or Z of outputs and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.risks.squared_loss import unit_symmetric
from dlnrepro.dynamics.starts.draws import uniform
from dlnrepro.dynamics.starts.targets import Target

Perturbed = Literal["inputs", "cross"]
"""The moment that is perturbed."""


def perturbed_moments(
    perturbed: Perturbed, target: Target, sizes: Tensor, generators: Sequence[Generator]
) -> tuple[Tensor, Tensor]:
    """S and Z at every epsilon, of shapes (runs, points, n_0, n_0) and (runs, points, n_L, n_0).

    Args:
        perturbed: `inputs` for S = I + epsilon B with B symmetric of norm 1, which does not commute with Z^T Z; `cross`
            for strengths sigma_k + epsilon or sigma_k - epsilon of Z, with random signs.
        target: the unperturbed Z.
        sizes: the values of epsilon, of shape (points,).
        generators: one per run.
    """
    factors, matrix, inputs = sizes[:, None, None], target.matrix, target.right.shape[-1]
    plain = torch.eye(inputs, dtype=torch.float64)
    if perturbed == "inputs":
        bend = unit_symmetric(inputs, generators)
        return plain + factors * bend[:, None], matrix[:, None].expand(-1, len(sizes), -1, -1)
    signs = uniform(target.strengths.shape[1:], -1.0, 1.0, generators).sign()
    bend = target.with_strengths(signs)
    return plain.expand(len(matrix), len(sizes), -1, -1), matrix[:, None] + factors * bend[:, None]
