"""Conversions between tensors, which live on the device that trains the networks, and arrays, which scipy needs.

A runner makes its tensors on the default device of torch, which the engine sets for each arm: the processor, or a GPU.
All numbers that go to numpy or scipy, or come back from there, are converted here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
"""An array of float64 for numpy and scipy."""

Weights = list[Tensor]
"""W_1 .. W_L, each of shape (runs, ..., n_l, n_(l-1))."""


def array_of(tensor: Tensor) -> NDArray[Any]:
    """The values of a tensor; on the processor the array and the tensor share their memory."""
    return np.asarray(tensor.cpu().numpy())


def tensor_of(array: NDArray[Any]) -> Tensor:
    """The values of an array on torch's default device; on the processor the two share their memory."""
    return torch.from_numpy(array).to(torch.get_default_device())


def running_sum(tensor: Tensor) -> Tensor:
    """The cumulative sums along the last dimension, of the same shape, added in that order on every device.

    They are computed by numpy, because a GPU adds in an order that is not always the same.
    """
    return tensor_of(np.cumsum(array_of(tensor), axis=-1))
