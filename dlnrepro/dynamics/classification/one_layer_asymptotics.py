"""How a linear classifier of one layer grows under gradient flow of the logistic or exponential loss, with constants.

Let z_i be the signed points, R = (1/n) sum_i l(<w, z_i>) the risk, and w_h = sum_i a_i z_i the hard-margin solution,
whose smallest margin is 1 and whose length is 1/gamma. Put w = w_h log t + r + o(1) into the flow of the exponential
loss, dw/dt = (1/n) sum_i e^(-<w, z_i>) z_i. This gives

    e^(-<r, z_i>) = n a_i for every support vector,    R t -> sum_i a_i = 1 / gamma^2.

Support vectors that are linearly independent and span the space determine r. The remainder w - w_h log t - r decays
exponentially in log t. The logistic loss has the same limits.

Source: Soudry, Hoffer, Nacson, Gunasekar, Srebro 2018 (arXiv:1710.10345); derived again here.
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
    """A path compared with the law w = w_h log t + r, each of shape (points,).

    Attributes:
        residual: ||w - w_h log t - r|| / ||w_h||.
        sine: the sine of the angle between w and w_h.
        sine_law: the sine of the angle between w_h log t + r and w_h.
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
    """r, the limit of w - w_h log t, of shape (dimension,). It solves <r, z_i> = -log(n a_i) on the support vectors.

    Args:
        signed: Z, of shape (samples, dimension); n is the number of all samples.
        solution: its maximum margin, with as many support vectors as dimensions.
    """
    multipliers = solution.multipliers[solution.support]
    return np.asarray(lstsq(signed[solution.support], -np.log(len(signed) * multipliers))[0])


def _sine(weights: Tensor, axis: Tensor) -> Tensor:
    """The sine of the angle between weights and a unit vector, of shape (points,)."""
    across = weights - (weights @ axis)[:, None] * axis
    ratio: Tensor = torch.linalg.vector_norm(across, dim=-1) / torch.linalg.vector_norm(weights, dim=-1)
    return ratio
