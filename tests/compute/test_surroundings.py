"""An arm is computed in the same surroundings whatever a caller has set, and leaves no trace in them."""

from __future__ import annotations

import locale
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable
from decimal import getcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlnrepro.compute.surroundings import StrayDraw, fixed_surroundings, no_stray_draws


def flushes() -> bool:
    """Whether numbers below the normal ones are taken for 0."""
    return bool((torch.tensor([1e-310], dtype=torch.float64) * 1.0 == 0).item())


SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[], object], Callable[[], object], Any]] = {
    "numpy's errors": (
        lambda: np.geterr()["under"],
        lambda: np.seterr(all="raise"),
        lambda: np.seterr(all="warn", under="ignore"),
        "ignore",
    ),
    "torch's default type": (
        torch.get_default_dtype,
        lambda: torch.set_default_dtype(torch.float16),
        lambda: torch.set_default_dtype(torch.float32),
        torch.float32,
    ),
    "torch's default device": (
        lambda: torch.empty(0).device.type,
        lambda: torch.set_default_device("meta"),
        lambda: torch.set_default_device(None),
        "cpu",
    ),
    "torch's threads": (torch.get_num_threads, lambda: torch.set_num_threads(2), lambda: torch.set_num_threads(1), 1),
    "denormal numbers": (
        flushes,
        lambda: torch.set_flush_denormal(True),
        lambda: torch.set_flush_denormal(False),
        False,
    ),
    "gradients": (
        torch.is_grad_enabled,
        lambda: torch.set_grad_enabled(False),
        lambda: torch.set_grad_enabled(True),
        True,
    ),
    "deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        lambda: torch.use_deterministic_algorithms(True),
        lambda: torch.use_deterministic_algorithms(False),
        False,
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_what_a_caller_has_set_does_not_reach_inside_and_is_there_again_afterwards(name: str) -> None:
    read, change, back, usual = SETTINGS[name]
    try:
        change()
        changed = read()
        assert changed != usual
        with fixed_surroundings():
            assert read() == usual
        assert read() == changed
    finally:
        back()


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_set_inside_does_not_reach_the_caller(name: str) -> None:
    read, change, back, _ = SETTINGS[name]
    before = read()
    try:
        with fixed_surroundings():
            change()
        assert read() == before
    finally:
        back()


def test_filters_of_warnings_do_not_reach_inside_as_errors_of_the_caller() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fixed_surroundings(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn("no error", stacklevel=1)
        with pytest.raises(UserWarning, match="an error again"):
            warnings.warn("an error again", stacklevel=1)


def test_the_process_is_given_back_as_it_was(tmp_path: Path) -> None:
    folder, limit, precision = os.getcwd(), sys.getrecursionlimit(), getcontext().prec
    mask = os.umask(0o022)
    os.umask(mask)
    with fixed_surroundings():
        os.chdir(tmp_path)
        os.umask(0o777)
        os.environ["A_VARIABLE_OF_A_RUNNER"] = "1"
        sys.setrecursionlimit(limit + 7)
        getcontext().prec = 5
    left = os.umask(mask)
    assert (os.getcwd(), sys.getrecursionlimit(), getcontext().prec, left) == (folder, limit, precision, mask)
    assert "A_VARIABLE_OF_A_RUNNER" not in os.environ


def test_numbers_are_written_with_a_point_in_every_locale() -> None:
    before = locale.setlocale(locale.LC_ALL)
    with fixed_surroundings():
        assert locale.localeconv()["decimal_point"] == "."
    assert locale.setlocale(locale.LC_ALL) == before


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda: torch.randn(2), "torch's global generator"),
        (lambda: np.random.rand(2), "numpy's global generator"),  # noqa: NPY002  that is what is refused
        (random.random, "the generator of the module random"),
    ],
    ids=["torch", "numpy", "random"],
)
def test_a_draw_from_a_generator_of_the_process_is_found_out_and_undone(draw: Callable[[], object], name: str) -> None:
    states = torch.random.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002
    with pytest.raises(StrayDraw, match=name), no_stray_draws():
        draw()
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]  # type: ignore[index]  # noqa: NPY002
    assert random.getstate() == states[2]


def test_draws_from_given_generators_are_as_they_should_be(generator: torch.Generator) -> None:
    with no_stray_draws():
        torch.randn(3, generator=generator)
        np.random.default_rng(0).random()


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be masked here")
def test_signals_are_handled_and_heard_again_as_before() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with fixed_surroundings():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    assert signal.getsignal(signal.SIGTERM) == handler
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {signal.SIGTERM, signal.SIGINT}
