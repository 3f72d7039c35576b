"""The velocity of the weights along a recorded path, compared with the gradient of the risk by autograd.

The flow is dW_l/dt = -dR/dW_l. Its velocity is read off the path alone: a polynomial goes through the eight records of
a panel (`time_panels`), and its slope is taken at one of them. Neither side uses the chain rule or the formula of the
gradient with which the flow was computed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.spherical.plane_quadrature import risk_gradient
from dlnrepro.dynamics.spherical.symmetric_inputs import SymmetricInputs
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.tensors.per_run import squared_length

PLACES = (0.01, 0.1, 0.5)
"""The shares of the horizon near which velocities are compared."""

_RECORDS, _PLACE = 8, 4


def velocity_errors(times: Tensor, path: Sequence[Tensor], inputs: Sequence[SymmetricInputs], mix: Array) -> Tensor:
    """The largest ||dW/dt + grad R|| / ||grad R|| of all weights together near three times, of shape (runs,).

    It is NaN for a run that is not finite there.

    Args:
        times: the recorded times of the panels, of shape (times,).
        path: W_1 .. W_L, each of shape (runs, times, n_l, n_(l-1)).
        inputs: the law of the symmetric inputs z of each run.
        mix: A; the inputs of the network are A z.
    """
    errors = []
    for share in PLACES:
        panel = int((times[:: _RECORDS - 1] <= share * float(times[-1])).sum()) - 2
        first = panel * (_RECORDS - 1)
        slopes = _slopes(times[first : first + _RECORDS])
        pieces = [weight[:, first : first + _RECORDS] for weight in path]
        velocity = [(slopes[:, None, None] * piece).sum(1) for piece in pieces]
        errors.append(_distances(velocity, [piece[:, _PLACE] for piece in pieces], inputs, mix))
    return torch.stack(errors).amax(0)


def _distances(
    velocity: Sequence[Tensor], weights: Sequence[Tensor], inputs: Sequence[SymmetricInputs], mix: Array
) -> Tensor:
    """The relative distance of the velocity from minus the gradient, of shape (runs,)."""
    found = []
    for run, law in enumerate(inputs):
        own = [weight[run] for weight in weights]
        if all(bool(torch.isfinite(weight).all()) for weight in own):
            gradient = risk_gradient(law, mix, own)
            lack = squared_length([moved[run] + slope for moved, slope in zip(velocity, gradient, strict=True)])
            found.append((lack / squared_length(gradient)).sqrt())
        else:
            found.append(torch.full((), torch.nan, dtype=torch.float64))
    return torch.stack(found)


def _slopes(times: Tensor) -> Tensor:
    """The weights of eight values in the slope, at the fifth time, of the polynomial through them."""
    scale = float(times[-1] - times[0])
    powers = torch.vander((times - times[_PLACE]) / scale, increasing=True)
    unit = torch.eye(_RECORDS, dtype=torch.float64)[1]
    weights: Tensor = torch.linalg.solve(powers.mT, unit) / scale
    return weights
