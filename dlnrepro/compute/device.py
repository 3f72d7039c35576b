"""Where tensors live and what computes with them: the processor, or a GPU that torch reaches through CUDA.

A runner says nothing of devices: it makes its tensors on torch's default device, which the engine sets here.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal, get_args

from dlnrepro.compute import limits
from dlnrepro.errors import UsageError

Device = Literal["cpu", "cuda"]
DEVICES: tuple[Device, ...] = get_args(Device)


def require(device: Device) -> None:
    """Refuse a device that is not there.

    Raises:
        UsageError: there is no device of this name, or torch finds no GPU.
    """
    if device not in DEVICES:
        raise UsageError(f"device: expected {' or '.join(DEVICES)}, found '{device}'")
    if device == "cpu":
        return
    from importlib.metadata import version

    import torch

    if not torch.cuda.is_available():
        built = f"torch {version('torch')}" + ("" if torch.version.cuda else ", which is built without CUDA,")
        raise UsageError(f"device: expected a device that is there (cpu), found {device}: {built} finds no GPU")


@cache
def device_name(device: Device) -> str:
    """What numbers computed on a device may depend on: `cpu`, or the GPU's name and the version of CUDA."""
    if device == "cpu":
        return "cpu"
    import torch

    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"


def device_of(name: str) -> Device:
    """The device that has such a name, on this machine or on another."""
    return "cpu" if name == "cpu" else "cuda"


def free_memory(device: Device) -> float:
    """The bytes that may still be used: what the GPU calls free, or what this process has left of its memory."""
    if device == "cuda":
        import torch

        return float(torch.cuda.mem_get_info()[0])
    return limits.free_memory()


@contextmanager
def computing_on(device: Device) -> Iterator[None]:
    """Make new tensors on a device, and have it add in a fixed order, so that repeated runs are bitwise identical."""
    if device == "cpu":
        yield
        return
    import torch

    # The workspace must be set before the first product; a size of the user's own may stay.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with torch.device(device, torch.cuda.current_device()), warnings.catch_warnings():
            # The first product of autograd's own thread finds no context of CUDA there, makes one, and warns of it.
            warnings.filterwarnings("ignore", "Attempting to run cuBLAS")
            yield
    finally:
        torch.use_deterministic_algorithms(before)
