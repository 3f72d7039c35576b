"""The engine: makes the generators of a cell, lets its runner train, and turns the runner's result into numbers.

This is the one place where generators are made. Each run has its own generator, seeded with the run's seed. All arms
of a claim use the same seeds, so that their runs are paired.
"""

from __future__ import annotations

import sysconfig
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlnrepro.compute.arithmetic import Environment, environment
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.device import computing_on
from dlnrepro.compute.surroundings import fixed_surroundings, no_stray_draws, unforeseeable_draws
from dlnrepro.errors import BadResult, BudgetSpent, NoSuchDraw, one_line, text_of
from dlnrepro.registry.inputs import placed
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import Declared, Progress, Result, Runner, calling_of, declared, flaws_of
from dlnrepro.signals import Ended
from dlnrepro.verdict.outcome import Outcome


def run_cell(cell: Cell, progress: Progress, budget: Callable[[], float]) -> Numbers:
    """The numbers of one cell.

    Every exception of a runner becomes the outcome's fault, also `SystemExit` and `KeyboardInterrupt`, so that the
    other cells are still computed. If the budget is used up, every run is undecided.

    Args:
        cell: what to run.
        progress: called with the fraction done and a note.
        budget: gives the seconds left; if none are left, the runner is stopped at its next call of `progress`.

    Raises:
        Ended: a signal has arrived while this process computed.
    """

    def watched(fraction: float, note: str) -> None:
        if budget() <= 0:
            raise BudgetSpent
        progress(fraction, note)

    started = time.monotonic()
    fault, spent = None, False
    measures: dict[str, np.ndarray] = {}
    series: dict[str, np.ndarray] = {}
    computed_on: Environment | None = None
    try:
        # Read before the runner is called, because it may change the environment variables of its process.
        here = environment(cell.device)
        with fixed_surroundings(), no_stray_draws():
            runner = load_runner(cell.runner)
            params = placed(runner.Params.model_validate(cell.params), cell.folder)
            generators = [torch.Generator().manual_seed(seed) for seed in cell.seeds]
            if calling_of(runner).plain:
                measures, series = _of_function(runner, cell, params, generators, watched)
            else:
                # Runners compute gradients without autograd, whose bookkeeping costs an eighth for small matrices.
                with torch.inference_mode(), computing_on(cell.device), planted(runner, cell.flaw):
                    watched(0.0, "starts")
                    result = runner.run(params, generators, watched)
                    measures, series = _arrays(declared(runner, params), result, len(cell.seeds))
        computed_on = here
    except BudgetSpent:
        spent = True
    except Ended:
        raise
    except BaseException as error:
        fault = _fault_of(error)
        measures, series = {}, {}
    seconds = time.monotonic() - started
    values = {name: [float(value) for value in array] for name, array in measures.items()}
    return Numbers(Outcome(cell.seeds, values, fault, spent, seconds), series, computed_on)


@contextmanager
def planted(runner: Runner, flaw: str) -> Iterator[None]:
    """Plant a flaw of a runner while a cell is computed; nothing if its name is an empty text.

    Raises:
        LookupError: the runner has no such flaw, or the module that the flaw names has no such function.
    """
    if not flaw:
        yield
        return
    known = flaws_of(runner)
    if flaw not in known:
        raise LookupError(f"expected a flaw of the runner ({', '.join(known) or 'it has none'}), found '{flaw}'")
    module, _, function = known[flaw].function.rpartition(":")
    place: Any = import_module(module) if module else runner
    right = getattr(place, function, None)
    if right is None:
        raise LookupError(f"flaw {flaw}: expected a function '{function}' in {place.__name__}, found none")
    setattr(place, function, known[flaw].wrong(right))
    try:
        yield
    finally:
        setattr(place, function, right)


def _fault_of(error: BaseException) -> str:
    """An error of a runner in one line, with its place in the code unless the setting is the cause (`NoSuchDraw`)."""
    if isinstance(error, NoSuchDraw | BadResult):
        return text_of(error)
    text = one_line(error)
    if "does not require grad" in text or "Inference tensors" in text:
        text += "; a runner is called in torch's inference mode, and torch.inference_mode(False) leaves it"
    return text + _where(error)


def _of_function(
    runner: Runner, cell: Cell, params: Any, generators: list[torch.Generator], watched: Progress
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The numbers of a function of the user, which is called for one run at a time if it gets a seed.

    Each call has the same surroundings, so that nothing that a run sets reaches the next run. The generators of the
    whole process begin each call in a state that nobody can foresee: a function that uses them without a seed then
    gives other numbers whenever it is called.

    Raises:
        BadResult: a result is not one, or a run has other names, or other numbers of points, than the first run.
    """
    count = len(generators)
    groups = [[one] for one in generators] if calling_of(runner).one_by_one else [generators]
    found = []
    with _warnings_once():
        for place, group in enumerate(groups):
            watched(place / len(groups), f"run {place + 1} of {count}" if len(groups) > 1 else "runs")
            with fixed_surroundings(), unforeseeable_draws(), computing_on(cell.device):
                result = runner.run(params, group, watched)
                try:
                    found.append(_arrays(declared(runner, params), result, len(group)))
                    _fit(found[-1], found[0], f"the run of seed {cell.seeds[place]}", f"that of seed {cell.seeds[0]}")
                except TypeError as error:
                    raise BadResult(f"{error} ({getattr(runner, 'place', cell.runner)})") from None
    measures, series = ([kinds[place] for kinds in found] for place in (0, 1))
    return _joined(measures), _joined(series)


@contextmanager
def _warnings_once() -> Iterator[None]:
    """Show each warning once, although every run has its own filters of warnings."""
    seen: set[tuple[Any, ...]] = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def once(*warning: Any, **rest: Any) -> None:
            message, *place = warning
            if (key := (str(message), *place[:3])) not in seen:
                seen.add(key)
                show(message, *place, **rest)

        warnings.showwarning = once
        yield


def _fit(parts: Sequence[Mapping[str, np.ndarray]], first: Sequence[Mapping[str, np.ndarray]], *runs: str) -> None:
    """Check that a run has the names, and the numbers of points, of the first run.

    Raises:
        TypeError: it does not.
    """
    for kind, mine, others in zip(("numbers", "series"), parts, first, strict=True):
        if differing := sorted(mine.keys() ^ others.keys()):
            found = f"{', '.join(differing)} in only one of {' and '.join(runs)}"
            raise TypeError(f"expected the same {kind} in every run, found {found}")
        for name, values in mine.items():
            if values.shape[1:] != others[name].shape[1:]:
                points = f"{values.shape[1]} in {runs[0]} and {others[name].shape[1]} in {runs[1]}"
                raise TypeError(f"{name}: expected as many points in every run, found {points}")


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays of several groups of runs, one after another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _arrays(known: Declared, result: Result, runs: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The result as arrays, checked against what the runner declares for its parameters.

    If the runner declares no names, the names of the result are used.

    Raises:
        TypeError: a measure or series is missing, unknown, of another shape, or not float64, or series of one axis
            have different numbers of points.
    """
    if not isinstance(result, Result):
        raise TypeError(f"expected a dlnrepro.runner.Result from the runner, found {type(result).__name__}")
    measures = list(result.measures if known.measures is None else known.measures)
    series = list(result.series if known.series is None else known.series)
    found = {**result.measures, **result.series}
    if {*measures, *series} != found.keys():
        differing = ", ".join(sorted(map(str, {*measures, *series} ^ found.keys())))
        raise TypeError(f"the runner's measures and series are not those it declares: {differing}")
    points: dict[str, tuple[str, int]] = {}
    for name, tensor in found.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name}: expected a tensor, found {type(tensor).__name__}")
        axes = 1 if name in measures else 2
        if tensor.dtype != torch.float64 or tensor.ndim != axes or tensor.shape[0] != runs or tensor.is_sparse:
            shape = tuple(tensor.shape)
            kind = "a sparse tensor" if tensor.is_sparse else f"{tensor.dtype} {shape}"
            raise TypeError(f"{name}: expected float64 for {runs} runs with {axes} axes, found {kind}")
        if known.series is not None and name in known.series:
            first, length = points.setdefault(known.series[name].axis, (name, tensor.shape[1]))
            if length != tensor.shape[1]:
                raise TypeError(f"{name}: expected {length} points as in {first} of its axis, found {tensor.shape[1]}")
    return (
        {str(name): _array(result.measures[name]) for name in measures},
        {str(name): _array(result.series[name]) for name in series},
    )


def _array(tensor: torch.Tensor) -> np.ndarray:
    """A copy of a tensor as an array: the runner may use the tensor's memory for the next arm."""
    return np.array(tensor.detach().cpu().numpy())


def _where(error: BaseException) -> str:
    """The innermost file and line, outside of the libraries, in which an error arose."""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        library = any(path.is_relative_to(folder) for folder in _LIBRARIES) and not path.is_relative_to(_PACKAGE)
        if path.suffix == ".py" and not library:
            found = f" ({path.name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return found


_PACKAGE = Path(__file__).parent.parent
_LIBRARIES = {Path(sysconfig.get_paths()[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
