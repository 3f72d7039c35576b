"""Cells cut into parts of fewer runs, so that no worker is idle, and arms joined from their batches of runs.

On the processor a run does not depend on its batch, so the joined parts are bitwise identical to the whole cell. The
libraries of a GPU choose an algorithm by the size of the batch, so a cell for a GPU stays whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.verdict.outcome import BATCH, Outcome

LEAST_RUNS = 4
"""Runs that are trained as one tensor share the cost of a step: smaller parts would cost more in total."""

SHARES = 2
"""Parts per worker, so that no worker waits long for the last part."""


@dataclass(eq=False)
class Whole:
    """A cell, its parts, and their progress and numbers.

    Attributes:
        parts: the parts, in the order of the seeds.
        found: index of each complete part -> the numbers of the part.
        fractions: index of each part that has begun -> the fraction that is computed, in [0, 1].
    """

    cell: Cell
    parts: list[Cell]
    found: dict[int, Numbers] = field(default_factory=dict)
    fractions: dict[int, float] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether all parts have numbers."""
        return len(self.found) == len(self.parts)

    def moved(self, place: int, fraction: float) -> float:
        """Record the fraction of a part that is computed, and return the fraction of the cell, in [0, 1]."""
        self.fractions[place] = fraction
        runs = sum(len(self.parts[part].seeds) * done for part, done in self.fractions.items())
        return runs / len(self.cell.seeds)

    def need(self, place: int) -> float:
        """The bytes that a part needs, as the runner estimates it."""
        return self.cell.memory_of(len(self.parts[place].seeds))

    def joined(self) -> Numbers:
        """The numbers of the cell, in the order of its seeds, whichever part ended first."""
        return join(self.cell, [self.found[place] for place in range(len(self.parts))])


def in_parts(cells: Sequence[Cell], workers: int) -> list[Whole]:
    """Cells, each cut into enough parts to keep all worker processes busy."""
    return [Whole(cell, cut(cell, len(cells), workers)) for cell in cells]


def cut(cell: Cell, cells: int, workers: int) -> list[Cell]:
    """The parts of one of `cells` cells for `workers` processes, in the order of the seeds.

    With several workers, all cells together have about two parts per worker; otherwise a cell is its only part. No part
    has fewer than four runs unless the cell has.
    """
    runs = len(cell.seeds)
    wanted = math.ceil(SHARES * workers / cells) if workers > 1 and cell.device == "cpu" else 1
    count = max(1, min(wanted, runs // LEAST_RUNS))
    ends = [round(part * runs / count) for part in range(count + 1)]
    return [replace(cell, seeds=cell.seeds[start:end]) for start, end in pairwise(ends)]


def join(cell: Cell, parts: Sequence[Numbers]) -> Numbers:
    """The numbers of a cell from the numbers of its parts; if a part failed or was stopped, the cell has no numbers."""
    outcomes = [part.outcome for part in parts]
    seconds = sum(outcome.seconds for outcome in outcomes)
    fault = next((outcome.fault for outcome in outcomes if outcome.fault is not None), None)
    spent = any(outcome.spent for outcome in outcomes)
    if fault is not None or spent:
        return Numbers(Outcome(cell.seeds, {}, fault, spent and fault is None, seconds), {})
    if fault := _misfit(parts):
        return Numbers(Outcome(cell.seeds, {}, fault, seconds=seconds), {})
    measures = {
        name: [value for outcome in outcomes for value in outcome.measures[name]] for name in outcomes[0].measures
    }
    series = {name: np.concatenate([part.series[name] for part in parts]) for name in parts[0].series}
    memory = max(part.memory for part in parts)
    return Numbers(Outcome(cell.seeds, measures, seconds=seconds), series, parts[0].computed_on, memory)


def batches(cell: Cell, seeds: Sequence[int]) -> list[Cell]:
    """The batches in which the runs of an arm are made, given the cell of its first batch."""
    found: list[Cell] = []
    first, done = len(cell.seeds), 0
    while done < len(seeds):
        part = tuple(seeds[done : done + (following(first, done) if done else first)])
        found.append(with_seeds(cell, part))
        done += len(part)
    return found


def following(first: int, done: int) -> int:
    """How many runs the next batch of an arm has: decisions come after 16, 32, ... runs, or after larger batches.

    Args:
        first: the number of runs of its first batch.
        done: the number of runs so far.
    """
    return BATCH - done if done < BATCH else max(first, BATCH)


def with_seeds(cell: Cell, seeds: tuple[int, ...]) -> Cell:
    """The same arm with other runs, which need memory in proportion."""
    return replace(cell, seeds=seeds, memory=cell.memory_of(len(seeds)))


def in_sequence(cells: Sequence[Cell], batches: Sequence[Numbers]) -> Numbers:
    """The numbers of an arm from those of its batches, in the order of the seeds.

    A fault in one batch is a fault of the arm. A batch that was stopped by its budget is left out with all later ones,
    and the arm counts as stopped.
    """
    if len(cells) == 1:
        return batches[0]
    done = next((place for place, found in enumerate(batches) if found.outcome.spent), len(batches))
    whole = replace(cells[0], seeds=tuple(seed for cell in cells[: done or 1] for seed in cell.seeds))
    if any(found.outcome.fault is not None for found in batches):
        return join(replace(whole, seeds=tuple(seed for cell in cells for seed in cell.seeds)), batches)
    numbers = join(whole, batches[: done or 1])
    seconds = sum(found.outcome.seconds for found in batches)
    return replace(numbers, outcome=replace(numbers.outcome, spent=done < len(batches), seconds=seconds))


def _misfit(parts: Sequence[Numbers]) -> str | None:
    """Why parts cannot be joined, or None.

    The measures and series, and the number of points, must not depend on the seeds, and all numbers of one key must
    come from one environment.
    """
    for part in parts:
        if differing := sorted(_names(part) ^ _names(parts[0])):
            return f"expected the same measures and series in every run, found {', '.join(differing)} only in some runs"
    for name in parts[0].series:
        points = sorted({part.series[name].shape[1] for part in parts})
        if len(points) > 1:
            return f"{name}: expected as many points in every run, found {' and '.join(map(str, points))}"
    if any(part.computed_on != parts[0].computed_on for part in parts):
        return "expected all runs of an arm to be computed on one processor, with the same libraries"
    return None


def _names(numbers: Numbers) -> set[str]:
    """The names of the measures and series."""
    return {*numbers.outcome.measures, *numbers.series}
