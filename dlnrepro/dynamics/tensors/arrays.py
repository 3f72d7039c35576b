"""Between tensors, which live on the device that networks are trained on, and arrays, which scipy works with.

A runner makes its tensors on torch's default device, which the engine sets for each arm: the processor, or a GPU.
Whatever goes to numpy or scipy, and comes back from there, goes through here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
"""Numbers for numpy and scipy."""

Weights = list[Tensor]
"""W_1 .. W_L, each of shape (runs, ..., n_l, n_{l-1})."""


def array_of(tensor: Tensor) -> NDArray[Any]:
    """The values of a tensor; on the processor the array and the tensor share their memory."""
    return np.asarray(tensor.cpu().numpy())


def tensor_of(array: NDArray[Any]) -> Tensor:
    """The values of an array on torch's default device; on the processor the two share their memory."""
    return torch.from_numpy(array).to(torch.get_default_device())


def running_sum(tensor: Tensor) -> Tensor:
    """The sums of the first 1, 2, ... numbers along the last dimension, added in that order on every device.

    A GPU adds them in an order that is not always the same.
    """
    return tensor_of(np.cumsum(array_of(tensor), axis=-1))
