"""The order of a series of checkpoints: by the numbers in the names of their files, which are read as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts names with their numbers as numbers, so that `step-2` comes before `step-10`."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [(0, int(part), "") if re.fullmatch("[0-9]+", part) else (1, 0, part) for part in parts if part]


def in_order(paths: Iterable[str]) -> list[str]:
    """The paths of a series of checkpoints in the order of the numbers in their names, each once."""
    return sorted(dict.fromkeys(paths), key=natural)


def steps(paths: Sequence[str]) -> list[float]:
    """The step of each checkpoint: the last whole number in the stem of its name, or 1, 2, ... if these do not rise."""
    found = [re.findall(r"[0-9]{1,15}", Path(path).stem) for path in paths]
    numbers = [float(words[-1]) for words in found if words]
    rising = len(numbers) == len(paths) and all(after > before for before, after in pairwise(numbers))
    return numbers if rising else [float(place) for place in range(1, len(paths) + 1)]
