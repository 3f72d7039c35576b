"""Rounding that shows a number's place: what some vectorised functions do to a few numbers is done to all.

A vectorised power computes several numbers at once, and those left over at the end of a tensor by another routine,
which rounds two in a hundred otherwise. Where a run's numbers depend on its place in the batch by that, a test with few
runs finds it by luck alone. Here the last bits of what such a function gives tell each number's place modulo eight; a
function that is called for every run by itself gives every run the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

LANES = 8
FUNCTIONS = ("pow", "__pow__", "__rpow__", "exp2", "sinh", "cosh", "sigmoid", "hypot", "atan2", "logaddexp")
"""Those with two routines; exponentials and logarithms have one, which is given the rest filled up."""

EXACT = (-2, -1, -0.5, 0, 0.5, 1, 2, 3)
"""Powers made of products, quotients and roots, which are rounded alike everywhere."""

MAKERS = ("tensor", "as_tensor", "from_numpy", "full", "linspace", "logspace", "rand", "randn")
CONVERTERS = ("float", "half", "bfloat16", "to", "type")
"""Where numbers of single precision come from; what is computed from them has their precision."""


@contextmanager
def rounding_by_place() -> Iterator[None]:
    """Within this, functions that need not be rounded alike everywhere are not."""
    with pytest.MonkeyPatch.context() as patch:
        for owner in (torch, Tensor):
            for name in FUNCTIONS:
                if hasattr(owner, name):
                    patch.setattr(owner, name, _placed(getattr(owner, name), "pow" in name))
        yield


@contextmanager
def single_precision() -> Iterator[list[str]]:
    """What has made numbers of less than double precision within this; whole numbers lose nothing and are none."""
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, names in ((torch, MAKERS), (Tensor, CONVERTERS)):
            for name in names:
                patch.setattr(owner, name, _told(getattr(owner, name), name, found))
        yield found


def _placed(function: Callable[..., Any], power: bool) -> Callable[..., Any]:
    """The function, with the place of each number in its last bits, but for powers that are exact."""

    def placed(*given: Any, **named: Any) -> Any:
        found = function(*given, **named)
        if power and any(isinstance(one, int | float) and one in EXACT for one in given[1:]):
            return found
        if not isinstance(found, Tensor) or found.dtype != torch.float64:
            return found
        lane = torch.arange(found.numel(), dtype=torch.float64).remainder(LANES).view(found.shape)
        return found * (1 + torch.finfo(torch.float64).eps * lane)

    return placed


def _told(function: Callable[..., Any], name: str, found: list[str]) -> Callable[..., Any]:
    """The function, which reports its name if it gives numbers that less than double precision has rounded."""

    def told(*given: Any, **named: Any) -> Any:
        made = function(*given, **named)
        if isinstance(made, Tensor) and made.dtype in (torch.float32, torch.float16, torch.bfloat16):
            whole = made.isfinite().logical_not() | (made == made.round())
            if not bool(whole.all()):
                found.append(name)
        return made

    return told
