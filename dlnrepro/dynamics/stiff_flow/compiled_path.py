"""The path of a run by the kernel in C: BDF with the Jacobian in two factors, from the start to the horizon.

The kernel is `compiled/margin_flow.c`. It computes the field of `margin_flow`, the factors of `low_rank_jacobian`, and
the steps that scipy's BDF takes, without any call of Python between two steps.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from dlnrepro.dynamics.compiled.library import kernels
from dlnrepro.dynamics.risks.margin_losses import exponential, logistic, squared
from dlnrepro.dynamics.stiff_flow.margin_flow import MarginFlow
from dlnrepro.dynamics.tensors.arrays import Array

_LOSSES: dict[Any, int] = {logistic: 0, exponential: 1, squared: 2}

_ARRIVED, _STOPPED, _NO_MEMORY = 1, 3, 4

MOST_LAYERS = 64
"""The largest depth that the kernel takes."""

_Tick = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_double)


def can_follow(flow: MarginFlow) -> bool:
    """Whether there is a compiled kernel that knows this flow's loss."""
    return flow.risk in _LOSSES and len(flow.shapes) <= MOST_LAYERS and kernels() is not None


def path_in_c(
    flow: MarginFlow,
    start: Array,
    times: Array,
    horizon: float,
    tolerance: float,
    tick: Callable[[float], None],
    most: int,
) -> Array:
    """The points at the times and at the end, (times + 1, parameters); NaN from where the solver has failed.

    The arguments are those of `path.follow`, and the largest number of evaluations of the field. Times after the end
    repeat it.

    Raises:
        MemoryError: there is no memory for the solver.
    """
    points = np.full((len(times) + 1, len(start)), np.nan)
    reached, spent, raised = ctypes.c_int32(), ctypes.c_int64(), []

    def stops(time: float) -> int:
        # An exception cannot pass through C, so it is kept and raised afterwards.
        try:
            tick(time)
        except BaseException as error:
            raised.append(error)
            return 1
        return 0

    status = _functions().dln_follow(
        *_arguments(flow), _doubles(start), _doubles(times), len(times), horizon, tolerance, most, _Tick(stops), points,
        ctypes.byref(reached), ctypes.byref(spent),
    )  # fmt: skip
    if status == _STOPPED:
        raise raised[0]
    if status == _NO_MEMORY:
        raise MemoryError("no memory for the solver of the flow")
    if status == _ARRIVED:
        points[reached.value :] = points[-1]
    return points


def field_in_c(flow: MarginFlow, theta: Array, vector: Array) -> tuple[Array, Array] | None:
    """The field at some weights, and its Jacobian times a vector, both of shape (parameters,); None if not finite."""
    field, moved = np.empty_like(theta), np.empty_like(theta)
    finite = _functions().dln_field(*_arguments(flow), _doubles(theta), _doubles(vector), field, moved)
    return (field, moved) if finite else None


def _arguments(flow: MarginFlow) -> tuple[Any, ...]:
    """What a kernel needs to know of a flow."""
    widths = np.array([flow.shapes[0][1], *(rows for rows, _ in flow.shapes)], dtype=np.int32)
    signed = _doubles(flow.signed)
    return len(flow.shapes), widths, len(signed), signed, _doubles(flow.rates), _LOSSES[flow.risk]


def _doubles(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)


@cache
def _functions() -> ctypes.CDLL:
    """The kernels with the types of their arguments."""
    found = kernels()
    assert found is not None
    doubles = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    integers = np.ctypeslib.ndpointer(np.int32, flags="C_CONTIGUOUS")
    whole, number = ctypes.c_int, ctypes.c_double
    flow: list[Any] = [whole, integers, whole, doubles, doubles, whole]
    counts: list[Any] = [ctypes.POINTER(ctypes.c_int32), ctypes.POINTER(ctypes.c_int64)]
    found.dln_follow.argtypes = [
        *flow, doubles, doubles, whole, number, number, ctypes.c_long, _Tick, doubles, *counts,
    ]  # fmt: skip
    found.dln_field.argtypes = [*flow, doubles, doubles, doubles, doubles]
    return found
