"""The loop that computes cells in the order of the claims, each cell once even if several claims need it.

A claim that is still in doubt gets further cells. They are computed in a next round, after the first cells of all
claims, and so on until each claim is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.parts import in_sequence
from dlnrepro.compute.processes import Computed, Listener


class Watcher(Listener, Protocol):
    """An object that shows the progress of a computation."""

    def begins(self, claims: int, cells: int, seconds: Mapping[str, float], stored: int) -> None:
        """This many claims will be judged, and this many cells will be computed for them.

        `seconds` has the last computing times of cells, by their keys, as far as they are known; `stored` is the
        number of further cells whose numbers are already stored.
        """

    def goes_on(self, cells: Sequence[Cell]) -> None:
        """Further cells will be computed, for arms that are still in doubt."""

    def cell_ends(self, cell: Cell) -> None:
        """A cell is computed."""

    def claim_ends(self, record: ClaimRecord) -> None:
        """A claim is judged."""


def _nothing(_cell: Cell) -> None:
    """No stored numbers."""


def _decided(_place: int, _numbers: Mapping[str, Numbers]) -> list[Cell]:
    """No further cells."""
    return []


def scheduled(
    groups: Sequence[Sequence[Cell]],
    compute: Callable[[Sequence[Cell]], Computed],
    watcher: Watcher,
    seconds: Mapping[str, float],
    stored: Callable[[Cell], Numbers | None] = _nothing,
    keep: Callable[[Cell, Numbers], None] = lambda _cell, _numbers: None,
    further: Callable[[int, Mapping[str, Numbers]], Sequence[Cell]] = _decided,
) -> Generator[tuple[int, dict[str, Numbers]]]:
    """The index of each group of cells and its numbers by arm, in the order of the groups unless some are in doubt.

    Cells of one arm in a group are batches of its runs, in the order of the seeds; their numbers are joined. Closing
    the iterator stops the cells that are still being computed.

    Args:
        groups: the cells of each claim.
        compute: gives the numbers of cells, each as soon as it is complete.
        watcher: is informed of every step.
        seconds: the last computing times of cells, by their keys.
        stored: gives the numbers of a cell that need not be computed, or None.
        keep: called with every cell that was computed, and its numbers.
        further: gives the cells that a group needs in addition, from its index and its numbers so far.
    """
    wanted = [list(group) for group in groups]
    numbers: dict[str, Numbers] = {}
    waiting, begun = list(range(len(groups))), False
    while waiting:
        asked = {cell.key: cell for place in waiting for cell in wanted[place] if cell.key not in numbers}
        numbers |= {key: found for key, cell in asked.items() if (found := stored(cell)) is not None}
        missing = {key: cell for key, cell in asked.items() if key not in numbers}
        if begun:
            watcher.goes_on(list(missing.values()))
        else:
            known = {key: seconds[key] for key in missing if key in seconds}
            watcher.begins(len(groups), len(missing), known, len(asked) - len(missing))
        begun, in_doubt = True, []
        with closing(compute(list(missing.values()))) as computed:
            for place in waiting:
                while not all(cell.key in numbers for cell in wanted[place]):
                    cell, found = next(computed)
                    numbers[cell.key] = found
                    keep(cell, found)
                    watcher.cell_ends(cell)
                by_arm = _by_arm(wanted[place], numbers)
                if more := further(place, by_arm):
                    wanted[place] += more
                    in_doubt.append(place)
                else:
                    yield place, by_arm
        waiting = in_doubt


def _by_arm(cells: Sequence[Cell], numbers: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """The numbers of each arm, joined from its batches."""
    batches: dict[str, list[Cell]] = {}
    for cell in cells:
        batches.setdefault(cell.arm, []).append(cell)
    return {arm: in_sequence(found, [numbers[cell.key] for cell in found]) for arm, found in batches.items()}
