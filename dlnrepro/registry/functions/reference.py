"""The name of a function as a runner: how a claim writes it, and how the program finds the file.

A claim writes `./FILE.py:FUNCTION`, relative to its own file. Inside the program the runner has its located name, with
the absolute path of the file in place of the relative path.
"""

from __future__ import annotations

import os
import re

FORM = "./FILE.py:FUNCTION"
"""How a claim names a function."""

_WRITTEN = re.compile(r"(?:\./)?(?:[^/:\\\s.~][^/:\\]*/)*[^\W\d]\w*\.py:[^\W\d]\w*")


def is_function(runner: str) -> bool:
    """Whether the name of a runner, as written or located, is that of a function in a file."""
    return ".py:" in runner


def is_written_well(runner: str) -> bool:
    """Whether a name has the form `./FILE.py:FUNCTION`, with a file next to the claim or in a folder below it."""
    return _WRITTEN.fullmatch(runner) is not None


def located(runner: str, folder: str | os.PathLike[str]) -> str:
    """The located name of a runner that a claim in a folder names; any other runner keeps its name."""
    if not is_function(runner):
        return runner
    path, function = split(runner)
    return f"{os.path.abspath(os.path.join(folder, path))}:{function}"


def split(runner: str) -> tuple[str, str]:
    """The path of the file of a function, and the name of the function."""
    path, _, function = runner.rpartition(":")
    return path, function


def label(runner: str) -> str:
    """The name of a runner that does not depend on the place of its file, such as `spectra.py:final_rank`."""
    return os.path.basename(runner) if is_function(runner) else runner
