"""Networks of each architecture written out plainly, and their cheapest weights by a general optimiser.

This is the second route to `tied_layers` and `fibre`, and it shares no code with them: each architecture is written as
a formula of its own, derivatives are left to autograd, and scipy's SLSQP minimises ||theta||^2 under f_theta = w from
random weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import reduce

import torch
from scipy.optimize import minimize
from torch import Tensor

from dlnrepro.dynamics.representation_cost.formulas import Architecture
from dlnrepro.dynamics.tensors.arrays import array_of, tensor_of

Network = Callable[[Sequence[Tensor]], Tensor]
"""From the parameters theta_1 .. theta_L of one network, each a vector, to its predictor w (inputs, outputs)."""

ROUNDS = 500
"""The most iterations of the optimiser."""

NEAR = 1e-11
"""The optimiser has found weights of w if its relative error is at most this."""


def plain_network(
    architecture: Architecture, inputs: int, outputs: int, hidden: int, kernel: int, part: int
) -> Network:
    """The network of an architecture as a function of its parameters.

    Args:
        architecture: the architecture.
        inputs: the number of rows of w.
        outputs: the number of columns of w, for `fully-connected`.
        hidden: the width of the hidden layers, for `fully-connected`.
        kernel: the number of taps of all convolutions but the first, for `convolutional`.
        part: the size of a group, or of a subset.
    """

    def fully_connected(theta: Sequence[Tensor]) -> Tensor:
        columns, result = outputs, torch.eye(outputs, dtype=torch.float64)
        for layer, values in enumerate(theta):
            rows = inputs if layer == len(theta) - 1 else hidden
            result = values.reshape(rows, columns) @ result
            columns = rows
        return result

    def diagonal(theta: Sequence[Tensor]) -> Tensor:
        return reduce(torch.mul, theta)[:, None]

    def convolutional(theta: Sequence[Tensor]) -> Tensor:
        signal = theta[0]
        for taps in theta[1:]:
            signal = torch.stack([taps[lag] * torch.roll(signal, lag) for lag in range(kernel)]).sum(0)
        return signal[:, None]

    def group(theta: Sequence[Tensor]) -> Tensor:
        scalars = reduce(torch.mul, theta[1:])
        return (theta[0].reshape(-1, part) * scalars[:, None]).reshape(-1, 1)

    members = torch.tensor(list(itertools.combinations(range(inputs), part))).flatten()

    def subsets(theta: Sequence[Tensor]) -> Tensor:
        vectors = theta[0].reshape(-1, part) * theta[1][:, None]
        return torch.zeros(inputs, dtype=torch.float64).index_add(0, members, vectors.reshape(-1))[:, None]

    networks: dict[Architecture, Network] = {
        "fully-connected": fully_connected,
        "diagonal": diagonal,
        "convolutional": convolutional,
        "group": group,
        "k-support": subsets,
    }
    return networks[architecture]


@torch.inference_mode(False)  # the caller may have switched autograd off
def least_squared_norm(network: Network, start: Sequence[Tensor], target: Tensor) -> float:
    """The squared norm of the weights with f_theta = w that SLSQP reaches from random weights; NaN if it finds none.

    Args:
        network: from theta_1 .. theta_L to f_theta.
        start: the initial theta_1 .. theta_L, each of shape (count,).
        target: the predictor w, of shape (inputs, outputs).
    """
    counts = [len(values) for values in start]
    wanted, size = target.clone().flatten(), float(torch.linalg.vector_norm(target))

    def lack(flat: Tensor) -> Tensor:
        return (network(torch.split(flat, counts)).flatten() - wanted) / size

    slopes = torch.func.jacrev(lack)
    found = minimize(
        lambda flat: flat @ flat,
        array_of(torch.cat([values.clone() for values in start])),
        jac=lambda flat: 2 * flat,
        constraints={
            "type": "eq",
            "fun": lambda flat: array_of(lack(tensor_of(flat))),
            "jac": lambda flat: array_of(slopes(tensor_of(flat))),
        },
        method="SLSQP",
        options={"maxiter": ROUNDS, "ftol": 1e-12},
    )
    missed = float(torch.linalg.vector_norm(lack(tensor_of(found.x))))
    return float(found.fun) if missed <= NEAR else math.nan
