"""Steps of gradient descent with the squared loss by a compiled kernel, many steps in a call.

The kernel is `compiled/descent.c`. It takes steps with the gradients of `networks.squared_gradient`, and has up to
eight networks side by side in the registers. The results of a network depend on no other network. They differ from
those of the route through tensors by rounding alone.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlnrepro.dynamics.compiled.library import kernels
from dlnrepro.dynamics.networks.squared_gradient import SquaredGradient
from dlnrepro.dynamics.tensors.arrays import Array, Weights, array_of

MOST_LAYERS = 64
"""The largest depth that the kernel takes."""

WIDEST = 64
"""The widest layer that the kernel takes. For wider layers a matrix product by the library is about as fast."""

_NO_MOMENT, _DIAGONAL, _WHOLE = range(3)


class CompiledDescent:
    """Weights that the kernel moves in place.

    Attributes:
        weights: W_1 .. W_L in the shapes of the initial weights; they change when steps are taken.
    """

    def __init__(self, start: Sequence[Tensor], gradient: SquaredGradient, momentum: float = 0.0) -> None:
        """Copies of the initial weights, and what the kernel needs to know of the gradient.

        Args:
            start: the initial weights.
            gradient: the gradient of the loss.
            momentum: the factor of the velocity, which is 0 at first.
        """
        leading = start[0].shape[: -3 if gradient.paths else -2]
        self._networks, self._paths = math.prod(leading), start[0].shape[-3] if gradient.paths else 1
        self._widths = np.array([start[0].shape[-1], *(weight.shape[-2] for weight in start)], dtype=np.int32)
        self._flat = np.concatenate([array_of(weight).ravel() for weight in start])
        self._velocity = np.zeros_like(self._flat) if momentum else None
        self._momentum = momentum
        outputs, inputs = int(self._widths[-1]), int(self._widths[0])
        self._cross = _spread(gradient.cross, (*leading, outputs, inputs))
        self._kind, self._moment = _NO_MOMENT, None
        if gradient.moment is not None:
            whole = gradient.moment.dim() > 1
            shape = (*leading, inputs, inputs) if whole else (*leading, inputs)
            self._kind, self._moment = _WHOLE if whole else _DIAGONAL, _spread(gradient.moment, shape)
        factors = torch.ones(1, 1, dtype=torch.float64) if gradient.factors is None else gradient.factors
        self._factors = np.ascontiguousarray(
            np.broadcast_to(_spread(factors, (*leading, 1, 1)).reshape(-1), (len(start), self._networks))
        )
        places = np.cumsum([weight.numel() for weight in start])[:-1]
        pieces = zip(np.split(self._flat, places), start, strict=True)
        self.weights: Weights = [torch.from_numpy(piece.reshape(weight.shape)) for piece, weight in pieces]

    def advance(self, sizes: Sequence[float]) -> None:
        """Take a step of each of these sizes.

        Raises:
            MemoryError: there is no memory for the kernel.
        """
        steps = np.asarray(sizes, dtype=np.float64)
        failed = _function()(
            len(self.weights), _at(self._widths), self._paths, self._networks, _at(self._flat), _at(self._velocity),
            self._momentum, self._kind, _at(self._moment), _at(self._cross), _at(self._factors), _at(steps), len(steps),
        )  # fmt: skip
        if failed:
            raise MemoryError("no memory for the steps of the descent")


def can_descend(
    gradient: Callable[[Weights], Sequence[Tensor]], weights: Sequence[Tensor]
) -> TypeGuard[SquaredGradient]:
    """Whether there is a compiled kernel for this gradient and these weights."""
    return (
        isinstance(gradient, SquaredGradient)
        and len(weights) <= MOST_LAYERS
        and all(weight.dtype == torch.float64 and weight.device.type == "cpu" for weight in weights)
        and max(max(weight.shape[-2:]) for weight in weights) <= WIDEST
        and kernels() is not None
    )


def _spread(values: Tensor, shape: Sequence[int]) -> Array:
    """The values in a shape with which they broadcast, as an array without gaps."""
    return np.ascontiguousarray(array_of(values.expand(*shape)))


def _at(values: NDArray[Any] | None) -> int | None:
    """Where an array begins in memory."""
    return None if values is None else values.ctypes.data


@cache
def _function() -> Any:
    """The kernel with the types of its arguments."""
    found = kernels()
    assert found is not None
    place, whole, long, number = ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_double
    function = found.dln_descend
    function.argtypes = [
        whole, place, whole, long, place, place, number, whole, place, place, place, place, long,
    ]  # fmt: skip
    return function
