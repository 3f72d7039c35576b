"""How a linear classifier of one layer grows under gradient flow of the logistic or exponential loss, to its constants.

With signed points z_i, R = (1/n) sum_i l(<w, z_i>) and the hard-margin solution what = sum_i a_i z_i (margins 1, length
1/gamma), the ansatz w = what log t + wtilde + o(1) in dw/dt = (1/n) sum_i e^(-<w, z_i>) z_i leaves

    e^(-<wtilde, z_i>) = n a_i for every support vector,    R t -> sum_i a_i = 1 / gamma^2.

Support vectors that are linearly independent and span the space fix wtilde. In log t the rest decays exponentially.

Source: Soudry, Hoffer, Nacson, Gunasekar, Srebro 2018 (arXiv:1710.10345); written down afresh here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.linalg import lstsq
from torch import Tensor

from dlnrepro.dynamics.classification.maximum_margin import MaximumMargin
from dlnrepro.dynamics.tensors.arrays import Array, tensor_of


class GrowthPath(NamedTuple):
    """What a path shows of w = what log t + wtilde, each of shape (points,).

    Attributes:
        residual: ||w - what log t - wtilde|| / ||what||.
        sine: the sine between w and what.
        sine_law: the sine between what log t + wtilde and what.
    """

    residual: Tensor
    sine: Tensor
    sine_law: Tensor


def observe_growth(path: Tensor, times: Tensor, signed: Array, solution: MaximumMargin) -> GrowthPath:
    """`GrowthPath` of one run.

    Args:
        path: w, of shape (points, dimension).
        times: log t, of shape (points,).
        signed: Z, of shape (samples, dimension).
        solution: its maximum margin, with as many support vectors as dimensions.
    """
    direction, length = tensor_of(solution.direction), 1 / solution.margin
    expected = times[:, None] * length * direction + tensor_of(limit_shift(signed, solution))
    residual = torch.linalg.vector_norm(path - expected, dim=-1) / length
    return GrowthPath(residual, _sine(path, direction), _sine(expected, direction))


def limit_shift(signed: Array, solution: MaximumMargin) -> Array:
    """What w - what log t tends to, of shape (dimension,).

    Args:
        signed: Z, of shape (samples, dimension), all of which the mean of the risk counts.
        solution: its maximum margin, with as many support vectors as dimensions.
    """
    multipliers = solution.multipliers[solution.support]
    return np.asarray(lstsq(signed[solution.support], -np.log(len(signed) * multipliers))[0])


def _sine(weights: Tensor, axis: Tensor) -> Tensor:
    """The sine of the angle to a unit vector, of shape (points,)."""
    across = weights - (weights @ axis)[:, None] * axis
    ratio: Tensor = torch.linalg.vector_norm(across, dim=-1) / torch.linalg.vector_norm(weights, dim=-1)
    return ratio
