"""A body of ReLU layers with a linear head: its initialization, and its flow with the neurons that stay active.

The weights are normal with standard deviation gain / sqrt(n_{l-1}): gain sqrt(2) below a ReLU, half of that in a skip
block, and 1 in a linear layer. The first neurons of W_1 may get a large weight on the constant coordinate of the data,
so that most of them stay active on all examples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Generator, Tensor

from dlnrepro.dynamics.activations.chebyshev import trajectory
from dlnrepro.dynamics.activations.relu_network import LayerKind, ReluNetwork
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.dynamics.tensors.progress import Progress

GAINS: dict[LayerKind, float] = {"linear": 1.0, "relu": 2**0.5, "skip": 2**-0.5}


def draw_weights(
    kinds: Sequence[LayerKind], widths: Sequence[int], shifted: int, shift: float, generators: Sequence[Generator]
) -> list[Tensor]:
    """W_1 .. W_L, each of shape (runs, n_l, n_{l-1}).

    Args:
        kinds: the kinds of layers 1 .. L.
        widths: n_0 .. n_L; the last of the n_0 coordinates is the constant one.
        shifted: the number of neurons, from the first on, that get a large bias.
        shift: the number that is added to the absolute bias weight of these neurons.
        generators: one per run.
    """
    drawn = gaussian(widths, 1.0, generators)
    weights = [GAINS[kind] * weight for kind, weight in zip(kinds, drawn, strict=True)]
    weights[0][:, :shifted, -1] = weights[0][:, :shifted, -1].abs() + shift
    return weights


def follow(
    network: ReluNetwork, start: Array, times: Sequence[float], stiffness: float, points: int, progress: Progress
) -> tuple[Array, Array]:
    """The recorded states, (records, runs, parameters), and the smallest W_1 x of each neuron, (runs, n_1).

    The minimum is over all examples x and over the states after every step, and includes the start.

    Args:
        network: the network whose flow is followed.
        start: the states at the first time, of shape (runs, parameters).
        times: the times between which the steps go, rising.
        stiffness: a bound on the size of the Jacobian's eigenvalues, for which every step is stable.
        points: the largest number of recorded states, evenly over the steps, with both ends.
        progress: called after every step.
    """
    last = len(times) - 1
    wanted = {round(index * last / (points - 1)) for index in range(points)}
    records, least = [], np.full((len(start), network.shapes[0][0]), np.inf)
    for index, state in enumerate(trajectory(network.velocity, start, times, stiffness)):
        progress(index / last, f"step {index} of {last}, clock {times[index]:.3g}")
        least = np.minimum(least, network.activities(state).min(-1))
        if index in wanted:
            records.append(state)
    return np.stack(records), least
