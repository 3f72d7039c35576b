"""The shift of a growing classifier, against the equation that it must balance."""

from __future__ import annotations

import numpy as np
import torch

from dlnrepro.dynamics.classification.one_layer_asymptotics import limit_shift, observe_growth
from dlnrepro.dynamics.classification.separable_data import separable


def test_the_shift_balances_the_flow_in_the_limit() -> None:
    """(1/n) sum_i e^(-<r, z_i>) z_i over the support vectors is the hard-margin solution w_h."""
    classes = separable(4, 40, 0.15, True, 0.05, torch.Generator().manual_seed(2))
    solution = classes.solution
    shift = limit_shift(classes.signed, solution)

    support = classes.signed[solution.support]
    pushed = np.exp(-support @ shift) @ support / len(classes.signed)

    np.testing.assert_allclose(pushed, solution.direction / solution.margin, rtol=1e-9)
    weights = np.exp(-support @ shift) / len(classes.signed)
    np.testing.assert_allclose(weights.sum(), 1 / solution.margin**2, rtol=1e-9)


def test_a_path_on_the_asymptote_has_no_residual_and_a_shift_of_it_is_the_residual() -> None:
    classes = separable(4, 40, 0.15, True, 0.05, torch.Generator().manual_seed(2))
    solution, times = classes.solution, torch.tensor([50.0, 500.0], dtype=torch.float64)
    hard = torch.from_numpy(solution.direction / solution.margin)
    path = times[:, None] * hard + torch.from_numpy(limit_shift(classes.signed, solution))
    cosines = path @ hard / (path.norm(dim=-1) * hard.norm())

    on, off = (observe_growth(one, times, classes.signed, solution) for one in (path, path + hard))

    assert float(on.residual.max()) < 1e-13
    torch.testing.assert_close(on.sine, on.sine_law)
    torch.testing.assert_close(on.sine**2 + cosines**2, torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(off.residual, torch.ones(2, dtype=torch.float64))
    assert bool((off.sine < off.sine_law).all())
