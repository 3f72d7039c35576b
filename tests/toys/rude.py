"""A runner that misbehaves on request, in the way that one of its parameters names."""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field

from dlnrepro.compute.channel import Outbox
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.signals import Ended


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The measured value, and how the runner misbehaves."""

    value: float = Field(description="what is measured")
    behaviour: str = Field(description="the name of a misbehaviour, or steady")

    def memory(self, runs: int) -> int:
        """Next to nothing."""
        return 8 * runs


class Exiting(Exception):
    """An error whose text ends the program."""

    def __str__(self) -> str:
        raise SystemExit(0)


class Unprintable(Exception):
    """An error whose text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


MEASURES = {"value": "the value that the setting names"}
SERIES = {"step": Series("step", "0, 1, ..."), "height": Series("step", "the value at each step")}

SHARED = torch.zeros(64, 3, dtype=torch.float64)
KEPT = [0.0]
BEFORE: set[str] = set()


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Measure the value, after misbehaving."""
    value = torch.full((len(generators),), params.value, dtype=torch.float64)
    points = 3 + int(generators[0].initial_seed() % 2) if params.behaviour == "ragged" else 3
    height = value[:, None] * torch.ones(points, dtype=torch.float64)
    progress(0.5, "half")
    if params.behaviour in RAISED:
        raise RAISED[params.behaviour]
    if params.behaviour in DONE:
        DONE[params.behaviour]()
    if params.behaviour == "reports-without-end":
        points = 1 << 16
        height = value[:, None] * torch.ones(points, dtype=torch.float64)  # too long to be sent at once
        for _ in range(4):
            threading.Thread(target=report_without_end, args=(progress,), daemon=True).start()
    if params.behaviour == "remembers":
        KEPT[0] += 1.0
        value = value + KEPT[0]
    if params.behaviour == "system-entropy":
        value = value + float(np.random.default_rng().random())
    if params.behaviour == "shared-memory":
        SHARED[: len(value)] = height
        height = SHARED[: len(value)]
    if params.behaviour == "odd-progress":
        for fraction, note in ((None, "x"), ("half", "x"), (float("nan"), None), (1e300, "x" * 10_000), (-5.0, "[/b]")):
            progress(fraction, note)  # type: ignore[arg-type]
    steps = torch.arange(points, dtype=torch.float64).expand(len(value), -1)
    if params.behaviour in RETURNED:
        returned: Any = RETURNED[params.behaviour](Result({"value": value}, {"step": steps, "height": height}))
        return returned  # type: ignore[no-any-return]
    return Result({"value": value}, {"step": steps, "height": height})


RAISED: dict[str, BaseException] = {
    "exit-0": SystemExit(0),
    "exit-7": SystemExit(7),
    "exit": SystemExit(),
    "keyboard-interrupt": KeyboardInterrupt(),
    "generator-exit": GeneratorExit(),
    "base-exception": BaseException("base"),
    "stop-iteration": StopIteration(),
    "memory-error": MemoryError(),
    "unprintable": Unprintable(),
    "exits-in-its-text": Exiting(),
    "ended-by-no-signal": Ended(0),
    "long-text": ValueError("x" * 20_000_000),
    "half-character": ValueError("caf\udce9"),
}


def report_without_end(progress: Progress) -> None:
    """Report progress for as long as the process lives, with a note as long as can be sent."""
    while True:
        progress(0.5, "x" * 200)
        time.sleep(0.001)


def crash() -> None:
    """End as a process does that reads where it must not, without the words of a test's own handler."""
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


def write_into_channel(content: bytes) -> None:
    """Write bytes that are not a message into the channel to the parent, and into no other descriptor of a test."""
    (channel,) = (thing for thing in gc.get_objects() if type(thing) is Outbox)
    os.write(channel._descriptor, content)


def leave_daemon() -> None:
    """Leave a process that has left the group and has no parent."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    time.sleep(0.2)


def use_processes() -> None:
    """Compute something in two processes of its own, which draw nothing."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(abs, [-1, -2, -3]) == [1, 2, 3]


def print_modules() -> None:
    """Print the modules of large packages that are there now, and were not before."""
    packages = {"dlnrepro", "numpy", "scipy", "torch"}
    print(f"imported: {sorted(name for name in {*sys.modules} - BEFORE if name.partition('.')[0] in packages)}")


def close_everything_and_wait() -> None:
    """Close every descriptor, and compute for a while."""
    os.closerange(0, 1024)
    time.sleep(1)


def fork_and_wait() -> None:
    """Fork, and be stuck twice."""
    os.fork()
    time.sleep(60)


def want_too_much() -> None:
    """Use more memory than there is."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))
    bytearray(1 << 28)


def mask_signals() -> None:
    """Refuse every signal, and be stuck."""
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


DONE: dict[str, Callable[[], object]] = {
    "closes-everything": lambda: os.closerange(3, 1024),
    "closes-everything-and-waits": close_everything_and_wait,
    "writes-garbage": lambda: write_into_channel(b"\xff" * 64),
    "writes-half-a-message": lambda: write_into_channel(b"dlnr" + b"\x00" * 4 + b"\x01" * 4),
    "leaves-a-daemon": leave_daemon,
    "uses-processes": use_processes,
    "masks-signals": mask_signals,
    "stops-itself": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "has-no-output": lambda: setattr(sys, "stdout", None),
    "prints-megabytes": lambda: [os.write(1, b"x" * (1 << 20)) for _ in range(16)],
    "prints-its-modules": print_modules,
    "ignores-children": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    "opens-nothing-more": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0)),
    "has-no-memory": want_too_much,
    "os-exit-0": lambda: os._exit(0),
    "os-exit-3": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "terminated": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "crashed": crash,
    "stuck": lambda: time.sleep(60),
    "forks-and-is-stuck": fork_and_wait,
    "forks": lambda: os.fork(),
    "leaves-a-process": lambda: time.sleep(60) if os.fork() == 0 else None,
    "changes-folder": lambda: os.chdir("/"),
    "closes-output": lambda: os.close(1),
    "prints": lambda: [print("a line of the runner\n::error::not ours"), print("and one more", file=sys.stderr)],
    "prints-much": lambda: [print(f"line {number}") for number in range(10_000)],
    "global-torch": lambda: torch.randn(3),
    "global-numpy": lambda: np.random.rand(3),  # noqa: NPY002  that is what it does wrong
    "global-random": random.random,
    "sets-dtype": lambda: torch.set_default_dtype(torch.float16),
    "sets-threads": lambda: torch.set_num_threads(2),
    "sets-errors": lambda: np.seterr(all="raise"),
}

RETURNED: dict[str, Callable[[Result], object]] = {
    "returns-nothing": lambda _: None,
    "returns-a-tuple": lambda result: (result.measures, result.series),
    "returns-lists": lambda result: Result({"value": result.measures["value"].tolist()}, result.series),  # type: ignore[dict-item]
    "returns-numpy": lambda result: Result({"value": result.measures["value"].numpy()}, result.series),  # type: ignore[dict-item]
    "returns-sparse": lambda result: Result({"value": result.measures["value"].to_sparse()}, result.series),
}
