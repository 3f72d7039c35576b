"""The global state of the process in which an arm is computed: the same in every process, and restored afterwards.

Numbers must depend only on the runner, its parameters, its seeds, and the versions. They must not depend on what a
script or a notebook has set before (numpy's handling of floating-point errors, torch's default type and device,
denormal numbers, threads, the locale, filters of warnings, the working folder). Changes that a runner makes to this
state are undone at its end.

A runner that draws from a generator of the whole process (`torch.randn(3)`, `numpy.random.rand()`) gives other numbers
each time. The state of these generators is compared before and after, and a change is an error of the runner.
"""

from __future__ import annotations

import locale
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from decimal import localcontext
from typing import Any

import numpy as np
import numpy.random  # without it and torch.utils._device here, every forked process would import them
import torch
import torch.utils._device
from threadpoolctl import threadpool_limits


class StrayDraw(Exception):
    """A runner has drawn from a generator that it was not given."""


@contextmanager
def fixed_surroundings() -> Iterator[None]:
    """Set the global state in which every arm is computed, and restore the former state at the end."""
    with ExitStack() as stack:
        stack.enter_context(_given_back(*_PROCESS, *((read, write) for read, write, _ in _TORCH)))
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(localcontext())
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        stack.enter_context(np.printoptions())
        stack.callback(_restore_generators, _generators())
        # Numpy's threads are limited too: in a notebook they began with numpy, and several round differently from one.
        stack.enter_context(threadpool_limits(1))
        locale.setlocale(locale.LC_NUMERIC, "C")
        _set_torch(value for _, _, value in _TORCH)
        yield


@contextmanager
def no_stray_draws() -> Iterator[None]:
    """Check that nothing is drawn from the generators of the whole process, and restore these generators.

    Raises:
        StrayDraw: at the end, if a generator of the whole process has moved.
    """
    before = _generators()
    try:
        yield
        moved = [name for name, state in _generators().items() if state != before[name]]
    finally:
        _restore_generators(before)
    if moved:
        raise StrayDraw(
            f"the runner has drawn from {' and '.join(moved)}; expected draws from the generators that it is given, "
            "one for each run, because only these give the same numbers the next time"
        )


@contextmanager
def unforeseeable_draws() -> Iterator[None]:
    """Give the generators of the whole process a state that nobody can foresee, and restore their states at the end."""
    before = _generators()
    random.seed()
    np.random.seed(None)  # noqa: NPY002  nothing is drawn here
    torch.default_generator.seed()
    try:
        yield
    finally:
        _restore_generators(before)


@contextmanager
def _given_back(*parts: tuple[Callable[[], Any], Callable[[Any], object]]) -> Iterator[None]:
    """Read parts of the state of the process now, and restore the parts that have changed at the end."""
    before = [(read, write, _read(read)) for read, write in parts]
    try:
        yield
    finally:
        for read, write, value in before:
            if value is not None and _read(read) != value:
                with suppress(OSError, ValueError, locale.Error):
                    write(value)


def _read(read: Callable[[], Any]) -> Any:
    """A part of the state, or None if it cannot be read."""
    try:
        return read()
    except (OSError, locale.Error):
        return None


def _umask() -> int:
    """The mask of new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _set_environment(variables: dict[str, str]) -> None:
    """Make these the only variables of the environment."""
    os.environ.clear()
    os.environ.update(variables)


def _handlers() -> dict[int, Any]:
    """The handler of each signal."""
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _set_handlers(handlers: dict[int, Any]) -> None:
    """Set the handler of each signal; None stands for a handler that cannot be set from Python."""
    for number, handler in handlers.items():
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)


def _masked() -> set[int]:
    """The signals that this thread blocks now."""
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ())) if hasattr(signal, "pthread_sigmask") else set()


def _set_masked(masked: set[int]) -> None:
    """Block these signals in this thread, and no other signals."""
    signal.pthread_sigmask(signal.SIG_SETMASK, masked)


_PROCESS: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (os.getcwd, os.chdir),
    (_umask, os.umask),
    (lambda: dict(os.environ), _set_environment),
    (lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (_handlers, _set_handlers),
    (_masked, _set_masked),
)


def _set_torch(values: Iterable[Any]) -> None:
    """Set torch's defaults, but only those that differ: to set some of them imports a compiler, which takes long."""
    for (read, write, _), value in zip(_TORCH, values, strict=True):
        if read() != value:
            write(value)


def _flushes_denormals() -> bool:
    """Whether the processor treats numbers below 2.2e-308 as 0; torch does not report it, so a product is tried."""
    return bool((torch.tensor([1e-310], dtype=torch.float64, device="cpu") * 1.0 == 0).item())


def _set_device(device: torch.device) -> None:
    """Set the device of new tensors; no device stands for the processor, and torch then checks nothing at each call."""
    torch.set_default_device(None if device.type == "cpu" else device)


def _strictness() -> tuple[bool, bool]:
    """Whether torch must use deterministic algorithms, and whether it only warns if there is none."""
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _set_strictness(strictness: tuple[bool, bool]) -> None:
    """Set whether torch must use deterministic algorithms."""
    torch.use_deterministic_algorithms(strictness[0], warn_only=strictness[1])


_TORCH: tuple[tuple[Callable[[], Any], Callable[[Any], object], Any], ...] = (
    (torch.get_default_device, _set_device, torch.device("cpu")),
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (torch.get_num_threads, torch.set_num_threads, 1),
    (_flushes_denormals, torch.set_flush_denormal, False),
    (_strictness, _set_strictness, (False, False)),
    (torch.is_grad_enabled, torch.set_grad_enabled, True),
)


def _generators() -> dict[str, Any]:
    """The states of the generators that the whole process shares, in a form that can be compared."""
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002  its state is watched, nothing is drawn
    assert isinstance(numpy_state, dict)
    return {
        "torch's global generator": torch.random.get_rng_state().numpy().tobytes(),
        "numpy's global generator": _plain(numpy_state),
        "the generator of the module random": random.getstate(),
    }


def _plain(state: Any) -> Any:
    """Numpy's state with bytes instead of arrays."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tobytes() if isinstance(state, np.ndarray) else state


def _restore_generators(states: dict[str, Any]) -> None:
    """Restore the shared generators, so that a runner's stray draw does not affect its caller."""
    torch.random.set_rng_state(torch.frombuffer(bytearray(states["torch's global generator"]), dtype=torch.uint8))
    random.setstate(states["the generator of the module random"])
    plain = states["numpy's global generator"]
    if plain["bit_generator"] == "MT19937":
        key = np.frombuffer(plain["state"]["key"], dtype=np.uint32)
        np.random.set_state({**plain, "state": {**plain["state"], "key": key}})  # noqa: NPY002  as it was
