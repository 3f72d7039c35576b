"""How a linear classifier of one layer grows under gradient flow of the logistic or exponential loss, to its constants.

With signed points z_i, R = (1/n) sum_i l(<w, z_i>) and the hard-margin solution what = sum_i a_i z_i (margins 1, length
1/gamma), the ansatz w = what log t + wtilde + o(1) in dw/dt = (1/n) sum_i e^(-<w, z_i>) z_i leaves

    e^(-<wtilde, z_i>) = n a_i for every support vector,    R t -> sum_i a_i = 1 / gamma^2.

Support vectors that are linearly independent and span the space fix wtilde. In log t the rest decays exponentially.

Source: Soudry, Hoffer, Nacson, Gunasekar, Srebro 2018 (arXiv:1710.10345); written down afresh here.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lstsq

from dlnrepro.dynamics.classification.maximum_margin import MaximumMargin
from dlnrepro.dynamics.tensors.arrays import Array


def limit_shift(signed: Array, solution: MaximumMargin) -> Array:
    """What w - what log t tends to, of shape (dimension,).

    Args:
        signed: Z, of shape (samples, dimension), all of which the mean of the risk counts.
        solution: its maximum margin, with as many support vectors as dimensions.
    """
    multipliers = solution.multipliers[solution.support]
    return np.asarray(lstsq(signed[solution.support], -np.log(len(signed) * multipliers))[0])
