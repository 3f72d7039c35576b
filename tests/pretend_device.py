"""A device that is only pretended: its tensors lie on the processor, but behave as strictly as those on a GPU.

These tensors cannot be combined with tensors on the processor and cannot become arrays. A counter counts how often the
processor has to wait for one of them. So the placement of every tensor can be tested without a GPU, and the results
are bitwise identical. The results and the speed of a real GPU cannot be tested in this way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "pretend"

A_GPU_IS_THERE = torch.cuda.is_available()
"""Asked once: tests pretend that it is there."""

NOT_DETERMINISTIC = ("aten.cumsum", "aten.kthvalue", "aten.histc", "aten.median.dim", "aten.bincount", "aten.put_")
"""What torch refuses on a GPU when it has to be deterministic, of what a runner might use."""

READ = ("aten._local_scalar_dense", "aten.item", "aten.is_nonzero", "aten.equal")
"""What gives a number or a truth value to the processor."""


@dataclass
class Traffic:
    """What went on while the device was in use.

    Attributes:
        operations: carried out on the device.
        waits: how often a value came back to the processor, as a number or as a whole tensor.
    """

    operations: int = 0
    waits: int = 0


@contextmanager
def pretend_device() -> Iterator[Traffic]:
    """Make the pretended device torch's default device, and count what happens there.

    A test that needs it is skipped where there is a GPU: with a second kind of device torch cannot differentiate on it.
    """
    if A_GPU_IS_THERE:
        pytest.skip("a pretended device cannot be used on a machine with a GPU")
    register()
    traffic = Traffic()
    with _Strict(traffic), torch.device(NAME, 0), _Detours():
        yield traffic


class _There(Tensor):
    """A tensor on the pretended device, around one on the processor."""

    kept: Tensor

    @staticmethod
    def __new__(cls, kept: Tensor) -> _There:
        """A tensor that has the shape of another, and has no memory."""
        made: _There = torch.Tensor._make_wrapper_subclass(
            cls,
            kept.shape,
            strides=kept.stride(),
            storage_offset=kept.storage_offset(),
            dtype=kept.dtype,
            device=torch.device(NAME, 0),
            requires_grad=kept.requires_grad,
        )
        return made

    def __init__(self, kept: Tensor) -> None:
        self.kept = kept

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        """Only ever called where the device has been left."""
        raise AssertionError(f"{func}: a tensor of the pretended device is used outside of it")


class _Detours(TorchFunctionMode):
    """What torch does past every mode, done so that the mode sees it: between tensors and Python's lists."""

    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.tolist and isinstance(args[0], _There):
            return args[0].cpu().tolist()
        if func is Tensor.__getitem__ and isinstance(args[1], list):
            return args[0][torch.tensor(args[1], device="cpu").to(args[0].device)]
        if func is torch.as_tensor and isinstance(args[0], Tensor):
            return args[0]
        if func is Tensor.new_tensor:
            like, *args = args
            func, kwargs = torch.tensor, {"dtype": like.dtype, "device": like.device, **kwargs}
        if func not in (torch.tensor, torch.as_tensor):
            return func(*args, **kwargs)
        device = kwargs.pop("device", torch.get_default_device())
        return func(*args, **kwargs, device="cpu").to(device)


class _Strict(TorchDispatchMode):
    """Carries every operation out on the processor, after comparing the devices of its arguments."""

    def __init__(self, traffic: Traffic) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.traffic = traffic

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = dict(kwargs or {}), str(func)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [tensor for tensor in tensors if isinstance(tensor, _There)]
        goes_there = bool(there)
        if kwargs.get("device") is not None:
            goes_there = torch.device(kwargs["device"]).type == NAME
            kwargs["device"] = torch.device("cpu")
            if goes_there and kwargs.get("generator") is not None:
                raise RuntimeError(f"{name}: expected a generator of the device, found one of the processor")
        elif there and not name.startswith("aten.copy_"):
            strangers = len(tensors) - len(there)
            if strangers:
                raise RuntimeError(f"{name}: expected all tensors on one device, found {strangers} on another")
        if there:
            self.traffic.operations += 1
            self.traffic.waits += name.startswith(READ) or not goes_there
            if name.startswith(NOT_DETERMINISTIC):
                raise RuntimeError(f"{name}: is not deterministic on a GPU")
        result = func(*tree_map(_here, args), **tree_map(_here, kwargs))
        if not goes_there:
            return result
        # What was changed in place stays what it was.
        known = {id(tensor.kept): tensor for tensor in there}
        return tree_map(lambda value: _there(value, known), result)


def _here(value: Any) -> Any:
    """What an argument is on the processor."""
    return value.kept if isinstance(value, _There) else value


def _there(value: Any, known: dict[int, _There]) -> Any:
    """What a result is on the device."""
    if not isinstance(value, Tensor):
        return value
    return known[id(value)] if id(value) in known else _There(value)


@cache
def register() -> None:
    """Tell torch of the device, once in a process and before it differentiates: it counts the devices only then."""
    backend_registration._setup_privateuseone_for_python_backend(NAME)
