"""The shift of a growing classifier, against the equation that it must balance."""

from __future__ import annotations

import numpy as np
import torch

from dlnrepro.dynamics.classification.one_layer_asymptotics import limit_shift
from dlnrepro.dynamics.classification.separable_data import separable


def test_the_shift_balances_the_flow_in_the_limit() -> None:
    """(1/n) sum_i e^(-<wtilde, z_i>) z_i over the support vectors is the hard-margin solution."""
    classes = separable(4, 40, 0.15, True, 0.05, torch.Generator().manual_seed(2))
    solution = classes.solution
    shift = limit_shift(classes.signed, solution)

    support = classes.signed[solution.support]
    pushed = np.exp(-support @ shift) @ support / len(classes.signed)

    np.testing.assert_allclose(pushed, solution.direction / solution.margin, rtol=1e-9)
    weights = np.exp(-support @ shift) / len(classes.signed)
    np.testing.assert_allclose(weights.sum(), 1 / solution.margin**2, rtol=1e-9)
