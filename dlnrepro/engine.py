"""The engine: makes the generators of a cell, lets its runner train, and turns what it leaves into numbers.

This is the one place where generators are made. Each run has its own, seeded with the run's seed, and all arms of a
claim use the same seeds, so that they are paired.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from dlnrepro.cell import Cell, Numbers
from dlnrepro.check import Outcome
from dlnrepro.device import computing_on
from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import Progress, Result, Runner, load_runner


def run_cell(cell: Cell, progress: Progress, budget: Callable[[], float]) -> Numbers:
    """The numbers of one cell.

    An exception in the runner becomes the outcome's fault, so that the other cells still run; a spent budget leaves
    every run undecided.

    Args:
        cell: what to run.
        progress: told the fraction done and a note.
        budget: the seconds left; the runner is stopped at its next sign of life after they are up.
    """
    torch.set_num_threads(1)
    runner = load_runner(cell.runner)
    params = runner.Params.model_validate(cell.params)
    generators = [torch.Generator().manual_seed(seed) for seed in cell.seeds]

    def watched(fraction: float, note: str) -> None:
        if budget() <= 0:
            raise BudgetSpent
        progress(fraction, note)

    started = time.monotonic()
    fault, spent = None, False
    measures: dict[str, np.ndarray] = {}
    series: dict[str, np.ndarray] = {}
    try:
        # Gradients are pulled back by hand: without autograd's bookkeeping small matrices are an eighth faster.
        # Numpy's threads are limited too: in a notebook they began with numpy, and several round otherwise than one.
        with threadpool_limits(1), torch.inference_mode(), computing_on(cell.device):
            watched(0.0, "starts")
            result = runner.run(params, generators, watched)
            measures, series = _arrays(runner, result, len(cell.seeds))
    except BudgetSpent:
        spent = True
    except Exception as error:  # a runner may fail in any way, and the verdict must say so, not this program stop
        fault = f"{type(error).__name__}: {' '.join(str(error).split())}{_where(error)}"
    seconds = time.monotonic() - started
    values = {name: [float(value) for value in array] for name, array in measures.items()}
    return Numbers(Outcome(cell.seeds, values, fault, spent, seconds), series)


def _arrays(runner: Runner, result: Result, runs: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The result as arrays, held against what the runner promises.

    Raises:
        TypeError: a measure or series is missing, unknown, of another shape, or not float64.
    """
    promised = {**runner.MEASURES, **runner.SERIES}
    found = {**result.measures, **result.series}
    if promised.keys() != found.keys():
        differing = ", ".join(sorted(promised.keys() ^ found.keys()))
        raise TypeError(f"the runner's measures and series are not those it declares: {differing}")
    for name, tensor in found.items():
        axes = 1 if name in runner.MEASURES else 2
        if tensor.dtype != torch.float64 or tensor.ndim != axes or tensor.shape[0] != runs:
            shape = tuple(tensor.shape)
            raise TypeError(f"{name}: expected float64 for {runs} runs with {axes} axes, found {tensor.dtype} {shape}")
    return (
        {name: tensor.cpu().numpy() for name, tensor in result.measures.items()},
        {name: tensor.cpu().numpy() for name, tensor in result.series.items()},
    )


def _where(error: BaseException) -> str:
    """The file and line of this program in which an error arose."""
    frames: Sequence[Any] = []
    trace = error.__traceback__
    while trace is not None:
        if "dlnrepro" in trace.tb_frame.f_code.co_filename:
            frames = [*frames, trace]
        trace = trace.tb_next
    if not frames:
        return ""
    name = Path(frames[-1].tb_frame.f_code.co_filename).name
    return f" ({name}:{frames[-1].tb_lineno})"
