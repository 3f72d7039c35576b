"""The sharpness of minima whose sharpness is known, and weights that are none."""

from __future__ import annotations

import re

import pytest
import torch

from dlnrepro.dynamics.flat_minima.minima import confirmed_sharpness, sharpness_at_minima
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.errors import Disagreement
from dlnrepro.runner import silent
from tests.runners.running import seeded


def test_two_scalars_have_the_sum_of_their_squares_as_sharpness_at_every_point() -> None:
    """R = (ab - z)^2 / 2 has the Hessian [[b^2, ab], [ab, a^2]] where ab = z."""
    first = torch.tensor([[1.0, 2.0, 4.0], [0.5, 1.0, 3.0]], dtype=torch.float64)[..., None, None]
    found = sharpness_at_minima([first, 2 / first])

    torch.testing.assert_close(found, (first**2 + 4 / first**2)[..., 0, 0], rtol=1e-13, atol=0)


def test_the_whole_hessian_confirms_minima_and_refuses_other_weights() -> None:
    weights = gaussian([3, 4, 2], 1.0, seeded([0, 1]))
    target = product(weights)

    assert torch.equal(confirmed_sharpness(weights, target, silent), sharpness_at_minima(weights))
    line = r"sharpness: the Hessian by autograd and the matrix J J^T differ relatively by "
    with pytest.raises(Disagreement, match=re.escape(line) + r"\d\.\d(e-?[1-9]\d*)?$"):
        confirmed_sharpness(weights, target + 1, silent)
