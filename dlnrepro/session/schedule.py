"""The loop that computes cells in the order of the claims, each cell once even if several claims need it.

A claim that is still in doubt gets further cells at once: they are computed before the cells that have not been begun.
Therefore a claim is decided before the next one, and a computation that is stopped has lost none of its claims.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Protocol

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.arithmetic import preparation
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.parts import in_sequence

if TYPE_CHECKING:
    # This module imports torch, which a run of stored numbers does not need.
    from dlnrepro.compute.processes import Computed, Listener


class Watcher(Protocol):
    """An object that shows the progress of a computation; it is also the listener of the cells."""

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """As a listener."""

    def waits(self) -> None:
        """As a listener."""

    def says(self, text: str) -> None:
        """As a listener."""

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


def announce_preparation(listener: Listener) -> None:
    """Say that the kernels are compiled now, if they are; the environment of the first cell needs them."""
    if (line := preparation()) is not None:
        listener.says(line)


def scheduled(
    groups: Sequence[Sequence[Cell]],
    compute: Callable[[Sequence[Cell]], Computed],
    watcher: Watcher,
    seconds: Mapping[str, float],
    stored: Callable[[Cell], Numbers | None] = _nothing,
    keep: Callable[[Cell, Numbers], None] = lambda _cell, _numbers: None,
    further: Callable[[int, Mapping[str, Numbers]], Sequence[Cell]] = _decided,
) -> Generator[tuple[int, dict[str, Numbers]]]:
    """The index of each group of cells and its numbers by arm, in the order of the groups.

    Cells of one arm in a group are batches of its runs, in the order of the seeds; their numbers are joined. Closing
    the iterator stops the cells that are still being computed.

    Args:
        groups: the cells of each claim.
        compute: gives the numbers of cells, each as soon as it is complete; cells that are sent to the iterator are
            computed before those that have not been begun.
        watcher: is informed of every step.
        seconds: the last computing times of cells, by their keys.
        stored: gives the numbers of a cell that need not be computed, or None.
        keep: called with every cell that was computed, and its numbers.
        further: gives the cells that a group needs in addition, from its index and its numbers so far.
    """
    announce_preparation(watcher)
    work = _Cells(stored)
    work.ask([cell for group in groups for cell in group])
    known = {key: seconds[key] for key in work.missing if key in seconds}
    stored_ones = [found for found in work.numbers.values() if found.outcome.fault is None]
    watcher.begins(len(groups), len(work.missing), known, len(stored_ones))
    with closing(_computed(compute, work)) as computed:
        for place, group in enumerate(groups):
            wanted = list(group)
            while True:
                while not all(cell.key in work.numbers for cell in wanted):
                    cell, found = next(computed)
                    keep(cell, found)
                    watcher.cell_ends(cell)
                by_arm = _by_arm(wanted, work.numbers)
                if not (more := further(place, by_arm)):
                    break
                wanted += more
                watcher.goes_on(work.ask(more))
            yield place, by_arm


class _Cells:
    """The cells that were asked for.

    Attributes:
        numbers: the numbers of the cells that are stored or computed, by their keys.
        missing: the cells that have no numbers yet, by their keys.
    """

    def __init__(self, stored: Callable[[Cell], Numbers | None]) -> None:
        self._stored = stored
        self._new: list[Cell] = []
        self.numbers: dict[str, Numbers] = {}
        self.missing: dict[str, Cell] = {}

    def ask(self, cells: Sequence[Cell]) -> list[Cell]:
        """Ask for cells; return those that are not stored and that nobody has asked for before."""
        begun = len(self._new)
        for cell in cells:
            if cell.key in self.numbers or cell.key in self.missing:
                continue
            if (found := self._stored(cell)) is not None:
                self.numbers[cell.key] = found
            else:
                self.missing[cell.key] = cell
                self._new.append(cell)
        return self._new[begun:]

    def new(self) -> list[Cell]:
        """The cells that were asked for since this was last called, and must be computed."""
        cells, self._new = self._new, []
        return cells

    def ends(self, cell: Cell, numbers: Numbers) -> None:
        """Keep the numbers of a cell."""
        self.numbers[cell.key] = numbers
        del self.missing[cell.key]


def _computed(compute: Callable[[Sequence[Cell]], Computed], work: _Cells) -> Generator[tuple[Cell, Numbers]]:
    """The numbers of all cells that were asked for, also of those that are added while others are being computed."""
    while work.missing:
        work.new()
        with closing(compute(list(work.missing.values()))) as computed, suppress(StopIteration):
            cell, found = next(computed)
            while True:
                work.ends(cell, found)
                yield cell, found
                cell, found = computed.send(work.new())


def _by_arm(cells: Sequence[Cell], numbers: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """The numbers of each arm, joined from its batches."""
    batches: dict[str, list[Cell]] = {}
    for cell in cells:
        batches.setdefault(cell.arm, []).append(cell)
    return {arm: in_sequence(found, [numbers[cell.key] for cell in found]) for arm, found in batches.items()}
