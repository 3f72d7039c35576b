"""The device that computes: the processor, or a GPU that torch reaches through CUDA.

A runner does not choose a device: it makes its tensors on torch's default device, which the engine sets here.
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
    """Refuse a device that this machine does not have.

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
    """The name of a device in an environment: `cpu`, or the GPU's name and the version of CUDA."""
    if device == "cpu":
        return "cpu"
    import torch

    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"


def device_of(name: str) -> Device:
    """The device of a name from `device_name`, which may have been called on another machine."""
    return "cpu" if name == "cpu" else "cuda"


def free_memory(device: Device) -> float:
    """The bytes that may still be used: the free memory of the GPU, or the memory that this process may still use."""
    if device == "cuda":
        import torch

        return float(torch.cuda.mem_get_info()[0])
    return limits.free_memory()


@contextmanager
def computing_on(device: Device) -> Iterator[None]:
    """Make new tensors on a device, and use deterministic algorithms, so that repeated runs are bitwise identical."""
    if device == "cpu":
        yield
        return
    import torch

    # The workspace must be set before the first product; a size that the user has set is kept.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with torch.device(device, torch.cuda.current_device()), warnings.catch_warnings():
            # At its first product, autograd's own thread has no CUDA context: it makes one, and torch warns.
            warnings.filterwarnings("ignore", "Attempting to run cuBLAS")
            yield
    finally:
        torch.use_deterministic_algorithms(before)
