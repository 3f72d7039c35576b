"""A runner that misbehaves on request, in the way that one of its parameters names."""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field

from dlnrepro.runner import Progress, Result, Series


class Params(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """The measured value, and how the runner misbehaves."""

    value: float = Field(description="what is measured")
    behaviour: str = Field(description="the name of a misbehaviour, or steady")

    def memory(self, runs: int) -> int:
        """Next to nothing."""
        return 8 * runs


class Unprintable(Exception):
    """An error whose text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


MEASURES = {"value": "the value that the setting names"}
SERIES = {"step": Series("step", "0, 1, ..."), "height": Series("step", "the value at each step")}

SHARED = torch.zeros(64, 3, dtype=torch.float64)
KEPT = [0.0]


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
    "long-text": ValueError("x" * 20_000_000),
    "half-character": ValueError("caf\udce9"),
}


def crash() -> None:
    """End as a process does that reads where it must not, without the words of a test's own handler."""
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


DONE: dict[str, Callable[[], object]] = {
    "os-exit-0": lambda: os._exit(0),
    "os-exit-3": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "terminated": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "crashed": crash,
    "stuck": lambda: time.sleep(60),
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
