"""Two timings side by side, as a ratio: the machine's speed drifts, and a ratio of neighbours does not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: what was compared, what came out, and what was aimed at."""

    name: str
    figure: str
    target: str
    met: bool | None


def seconds(work: Callable[[], object]) -> float:
    """The wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """The median, least and greatest of time(first) / time(second), the two called in turn after one warm-up."""
    first(), second()
    found = [seconds(first) / seconds(second) for _ in range(rounds)]
    return statistics.median(found), min(found), max(found)


def text(found: tuple[float, float, float]) -> str:
    """A ratio with its range."""
    middle, low, high = found
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"
