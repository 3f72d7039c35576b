"""Runners by their names: those that come with the program, and those that other packages register.

The runners of this program are in one package per topic below `dlnrepro.runners`; the name of a runner is the stem of
its file.
Another package registers runners under the entry-point group `dlnrepro.runners`.
"""

from __future__ import annotations

import importlib
import io
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import BinaryIO, cast

from dlnrepro.errors import Fault, RunnerError, UsageError, one_line, text_of
from dlnrepro.registry.functions.reference import is_function, split
from dlnrepro.registry.functions.runner import function_runner, innermost
from dlnrepro.registry.functions.signature import Unfit
from dlnrepro.registry.plugin import file_footing
from dlnrepro.runner import Flaw, Runner, Series
from dlnrepro.signals import Ended

GROUP = "dlnrepro.runners"


def runner_names() -> list[str]:
    """The names of all runners, sorted, without importing any of them."""
    return sorted({**_own(), **_registered()})


def comes_with_the_program(name: str) -> bool:
    """Whether a runner belongs to this program, and not to another package."""
    return name in _own()


def is_known(runner: str) -> bool:
    """Whether there is a runner of this name, or the file of the function that it names."""
    return os.path.isfile(split(runner)[0]) if is_function(runner) else runner in runner_names()


def load_runner(name: str) -> Runner:
    """The runner of this name: one of `runner_names()`, or the located name of a function in a file.

    Raises:
        RunnerError: the module or the file cannot be imported, or lacks a part of a runner.
    """
    if is_function(name):
        return _load_function(name)
    own = own_module(name)
    value = own or _registered()[name].value
    try:
        # Standard output is only for the output of the program.
        with redirect_stdout(_ToStandardError()), _same_folder():
            module = importlib.import_module(own) if own else _registered()[name].load()
            wrong = _wrong_part(module, value)
    except (KeyboardInterrupt, Ended):
        raise
    except BaseException as error:
        # The module is code of others: every exception, also of sys.exit(), is a fault of this runner alone.
        found = (isinstance(error, ImportError) and text_of(error)) or one_line(error)
        expected = f"a module at {value} that can be imported"
        raise RunnerError(name, Fault(expected=expected, found=found, cited=True)) from None
    if wrong is not None:
        raise RunnerError(name, wrong)
    return cast(Runner, module)


def _load_function(name: str) -> Runner:
    """The function of a located name as a runner; its file is imported again if something that it needs has changed."""
    path, _ = split(name)
    facts = file_footing(path).facts
    if name in _functions and _functions[name][0] == facts:
        return _functions[name][1]
    try:
        with redirect_stdout(_ToStandardError()):
            found = cast(Runner, function_runner(name))
    except Unfit as error:
        raise RunnerError(name, error.fault) from None
    except (KeyboardInterrupt, Ended):
        raise
    except BaseException as error:
        # The file is code of the user: every exception, also of sys.exit(), is a fault of this function alone.
        text = one_line(error) + innermost(error, os.path.dirname(path))
        expected = f"a file {os.path.basename(path)} that can be imported"
        raise RunnerError(name, Fault(expected=expected, found=text, cited=True)) from None
    _functions[name] = facts, found
    return found


_functions: dict[str, tuple[dict[str, str], Runner]] = {}
"""The functions that were loaded, each with what it depended on then."""


class _ToStandardError(io.TextIOBase):
    """Standard output while a module of others is imported: what it prints goes to standard error, which stays open."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Write a text to standard error."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Write the buffered text of standard error."""
        sys.stderr.flush()

    def fileno(self) -> int:
        """The descriptor of standard error."""
        return sys.stderr.fileno()

    @property
    def buffer(self) -> BinaryIO:
        """Standard error, for bytes."""
        return sys.stderr.buffer


@contextmanager
def _same_folder() -> Iterator[None]:
    """Return to the working folder at the end, in case a module leaves it: the user's paths start there."""
    try:
        folder = os.getcwd()
    except OSError:
        # The folder was removed meanwhile, so there is no way back.
        yield
        return
    try:
        yield
    finally:
        os.chdir(folder)


def registered(name: str) -> EntryPoint | None:
    """The entry point of a runner that another package registers; None for a runner that comes with the program."""
    return None if name in _own() else _registered().get(name)


def runner_folders() -> list[str]:
    """The folders that hold the runners that come with the program."""
    return list(importlib.import_module("dlnrepro.runners").__path__)


def _wrong_part(module: object, value: str) -> Fault | None:
    """The first part of a runner that is missing or wrong in this module; None if the module is complete."""
    from pydantic import BaseModel

    if missing := [part for part in ("Params", "MEASURES", "SERIES", "run") if not hasattr(module, part)]:
        return Fault(expected=f"Params, MEASURES, SERIES and run in {value}", found=f"no {missing[0]}")
    parts = cast(Runner, module)
    if not (isinstance(parts.Params, type) and issubclass(parts.Params, BaseModel)):
        return Fault(expected=f"a pydantic model as Params in {value}", found=_kind(parts.Params))
    if not callable(getattr(parts.Params, "memory", None)):
        return Fault(expected=f"a method memory(runs) of Params in {value}", found="none")
    if not _maps(parts.MEASURES, str):
        return Fault(expected=f"a mapping of names to text as MEASURES in {value}", found=_kind(parts.MEASURES))
    if not _maps(parts.SERIES, Series):
        return Fault(expected=f"a mapping of names to Series as SERIES in {value}", found=_kind(parts.SERIES))
    if not callable(parts.run):
        return Fault(expected=f"a function run(params, generators, progress) in {value}", found=_kind(parts.run))
    return _wrong_flaw(module, value)


def _wrong_flaw(module: object, value: str) -> Fault | None:
    """What is wrong with the flaws that a runner declares, or None; a flaw must name a function that exists."""
    flaws = getattr(module, "FLAWS", {})
    if not _maps(flaws, Flaw):
        return Fault(expected=f"a mapping of names to Flaw as FLAWS in {value}", found=_kind(flaws))
    for name, flaw in flaws.items():
        if not (isinstance(flaw.says, str) and isinstance(flaw.function, str) and callable(flaw.wrong)):
            expected = f"a text, the name of a function, and a change of it as the flaw {name} in {value}"
            return Fault(expected=expected, found=", ".join(map(_kind, flaw)))
        place, _, function = flaw.function.rpartition(":")
        try:
            found = getattr(importlib.import_module(place) if place else module, function, None)
        except ImportError as error:
            return Fault(expected=f"a module that can be imported in the flaw {name} in {value}", found=text_of(error))
        if not callable(found):
            expected = f"the name of a function of {place or value} in the flaw {name} in {value}"
            return Fault(expected=expected, found=f"'{function}'")
    return None


def _maps(found: object, kind: type) -> bool:
    """Whether this is a mapping of names to values of the wanted kind."""
    return isinstance(found, Mapping) and all(
        isinstance(name, str) and isinstance(item, kind) for name, item in found.items()
    )


def _kind(found: object) -> str:
    """The type of a value in words; for a mapping, the types of its keys and values."""
    if isinstance(found, Mapping):
        inside = sorted({f"{type(name).__name__} to {type(item).__name__}" for name, item in found.items()})
        return f"a mapping of {', '.join(inside)}"
    return f"the class {found.__name__}" if isinstance(found, type) else f"an object of type {type(found).__name__}"


def own_module(name: str) -> str | None:
    """The dotted name of the module of a runner that comes with the program; None for any other runner."""
    return _own().get(name)


def _own() -> dict[str, str]:
    """The runners that come with the program, in one package per topic: the name of each -> its module."""
    found = {}
    for folder in runner_folders():
        for module in pkgutil.iter_modules([folder], f"{GROUP}."):
            inside = [os.path.join(folder, module.name.rpartition(".")[2])] if module.ispkg else []
            for runner in pkgutil.iter_modules(inside, f"{module.name}.") if inside else [module]:
                found[runner.name.rpartition(".")[2]] = runner.name
    return found


@cache
def _registered() -> dict[str, EntryPoint]:
    """The runners that other packages register, without names that runners of the program have.

    Raises:
        UsageError: two packages register the same name.
    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        if entry.name in found and found[entry.name].value != entry.value:
            both = f"{found[entry.name].value} and {entry.value}"
            raise UsageError(f"runner {entry.name}: expected one package to register it, found two: {both}")
        found[entry.name] = entry
    return found
