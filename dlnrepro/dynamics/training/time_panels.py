"""A grid of times over which a series can be integrated: panels evenly spaced in the logarithm, Gauss nodes in each.

The integral of a solver's values at the Gauss-Legendre nodes has the accuracy of the solver. The trapezoidal rule on
recorded times would lose digits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.arrays import running_sum, tensor_of

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


class Panels(NamedTuple):
    """Times from 0 to a horizon: the ends of the panels, and the nodes inside them.

    Attributes:
        times: all ends and nodes in rising order, of shape (7 panels + 1,); every seventh is an end.
        widths: the lengths of the panels in time, of shape (panels,).
    """

    times: Tensor
    widths: Tensor

    def at_ends(self, values: Tensor) -> Tensor:
        """The values (..., times) at 0 and at the ends of the panels, of shape (..., panels + 1)."""
        return values[..., :: len(_NODES) + 1]

    def integral(self, values: Tensor) -> Tensor:
        """The integral of values (..., times) from 0 to the ends of the panels, of shape (..., panels + 1).

        Exact for polynomials of degree 11 on each panel.
        """
        stride = len(_NODES) + 1
        mean = sum(weight / 2 * values[..., 1 + node :: stride] for node, weight in enumerate(_WEIGHTS))
        pieces = torch.as_tensor(mean) * self.widths
        return torch.cat([torch.zeros_like(pieces[..., :1]), running_sum(pieces)], dim=-1)


def log_panels(horizon: float, count: int, decades: float) -> Panels:
    """Panels whose ends are 0 and `count` times evenly spaced in the logarithm over some decades up to the horizon.

    Args:
        horizon: the last time, > 0.
        count: the number of panels; the first of them begins at 0.
        decades: the first end after 0 is horizon / 10^decades.
    """
    ends = np.concatenate([[0.0], horizon * 10 ** np.linspace(-decades, 0, count)])
    ends[-1] = horizon
    widths = np.diff(ends)
    inner = ends[:-1, None] + widths[:, None] * (_NODES + 1) / 2
    times = np.concatenate([np.concatenate([ends[:-1, None], inner], axis=1).ravel(), ends[-1:]])
    return Panels(tensor_of(times), tensor_of(widths))
