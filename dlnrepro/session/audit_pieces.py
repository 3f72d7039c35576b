"""Batches of runs that are trained together, and stored batch by batch.

On the processor a run does not depend on the other runs of its tensor, so the missing runs of an arm are trained in
larger pieces, which take less time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from dlnrepro.compute.cell import Cell, Numbers

PIECE = 128
"""The most runs that are trained as one tensor: with more, little time is saved, and an interruption loses more."""


@dataclass(frozen=True)
class Piece:
    """Some batches of an arm that are trained as one tensor, or one batch whose numbers are stored."""

    cell: Cell
    parts: tuple[Cell, ...]


def pieces(of_arm: Sequence[Cell], stored: Callable[[Cell], bool], room: float) -> list[Piece]:
    """The batches of an arm in the order of their seeds; missing batches that follow each other are joined.

    Args:
        of_arm: the batches.
        stored: whether the numbers of a batch are stored.
        room: the bytes that one piece may need.
    """
    found: list[list[Cell]] = []
    joins = False
    for batch in of_arm:
        have = stored(batch)
        if joins and not have and _fits([*found[-1], batch], room):
            found[-1].append(batch)
        else:
            found.append([batch])
        joins = not have and batch.device == "cpu"
    return [Piece(_joined(parts), tuple(parts)) for parts in found]


def _joined(parts: Sequence[Cell]) -> Cell:
    """The cell of several batches that follow each other."""
    seeds = tuple(chain.from_iterable(part.seeds for part in parts))
    return replace(parts[0], seeds=seeds, memory=sum(part.memory for part in parts))


def _fits(parts: Sequence[Cell], room: float) -> bool:
    """Whether batches can be trained as one tensor."""
    return sum(len(part.seeds) for part in parts) <= PIECE and sum(part.memory for part in parts) <= room


def of_part(whole: Cell, part: Cell, numbers: Numbers) -> Numbers:
    """The numbers of some of a cell's runs."""
    if part.seeds == whole.seeds or not numbers.outcome.measures:
        return replace(numbers, outcome=replace(numbers.outcome, seeds=part.seeds))
    start = whole.seeds.index(part.seeds[0])
    rows = slice(start, start + len(part.seeds))
    share = len(part.seeds) / len(whole.seeds)
    measures = {name: values[rows] for name, values in numbers.outcome.measures.items()}
    outcome = replace(numbers.outcome, seeds=part.seeds, measures=measures, seconds=numbers.outcome.seconds * share)
    return replace(numbers, outcome=outcome, series={name: rows_of[rows] for name, rows_of in numbers.series.items()})
