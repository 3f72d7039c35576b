"""The loop that computes cells in the order of the claims, each cell once even if several claims need it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.processes import Computed, Listener


class Watcher(Listener, Protocol):
    """An object that shows the progress of a computation."""

    def begins(self, claims: int, cells: int, seconds: Mapping[str, float], stored: int) -> None:
        """This many claims will be judged, and this many cells will be computed for them.

        `seconds` has the last computing times of cells, by their keys, as far as they are known; `stored` is the
        number of further cells whose numbers are already stored.
        """

    def cell_ends(self, cell: Cell) -> None:
        """A cell is computed."""

    def claim_ends(self, record: ClaimRecord) -> None:
        """A claim is judged."""


def scheduled(
    groups: Sequence[Sequence[Cell]],
    compute: Callable[[Sequence[Cell]], Computed],
    watcher: Watcher,
    seconds: Mapping[str, float],
    known: Mapping[str, Numbers],
    keep: Callable[[Cell, Numbers], None] = lambda _cell, _numbers: None,
) -> Generator[dict[str, Numbers]]:
    """The numbers of each group of cells, by arm, in the order of the groups and as soon as its cells have numbers.

    Closing the iterator stops the cells that are still being computed.

    Args:
        groups: the cells of each claim.
        compute: gives the numbers of cells, each as soon as it is complete.
        watcher: is informed of every step.
        seconds: the last computing times of cells, by their keys.
        known: numbers that need not be computed, by the keys of their cells.
        keep: called with every cell that was computed, and its numbers.
    """
    numbers = dict(known)
    missing = {cell.key: cell for group in groups for cell in group if cell.key not in numbers}
    stored = len({cell.key for group in groups for cell in group} - missing.keys())
    watcher.begins(len(groups), len(missing), {key: seconds[key] for key in missing if key in seconds}, stored)
    with closing(compute(list(missing.values()))) as computed:
        for group in groups:
            while not all(cell.key in numbers for cell in group):
                cell, found = next(computed)
                numbers[cell.key] = found
                keep(cell, found)
                watcher.cell_ends(cell)
            yield {cell.arm: numbers[cell.key] for cell in group}
