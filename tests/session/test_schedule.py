"""Cells are computed once each, in the order of the claims, and the numbers of a claim come as soon as they can."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.session.schedule import scheduled
from dlnrepro.verdict.outcome import Outcome
from tests.listening import Heard


def cell(claim: str, arm: str, value: int) -> Cell:
    """A cell whose numbers are its value."""
    return Cell(claim, arm, "toy", {"value": value}, (0,))


def numbers(value: int) -> Numbers:
    """The numbers of such a cell."""
    return Numbers(Outcome((0,), {"value": [float(value)]}), {})


@dataclass
class Watching(Heard):
    """A watcher that keeps what it hears."""

    begun: list[tuple[int, int, Mapping[str, float], int]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def begins(self, claims: int, cells: int, seconds: Mapping[str, float], stored: int) -> None:
        """Keep it."""
        self.begun.append((claims, cells, seconds, stored))

    def cell_ends(self, cell: Cell) -> None:
        """Keep it."""
        self.ended.append(cell.claim)

    def claim_ends(self, record: ClaimRecord) -> None:
        """Never called here."""
        raise AssertionError(record)


@dataclass
class Computing:
    """Computes the cells that it is given, keeps them, and knows whether it was closed."""

    asked: list[Cell] = field(default_factory=list)
    computed: list[Cell] = field(default_factory=list)
    closed: bool = False

    def __call__(self, cells: Sequence[Cell]) -> Generator[tuple[Cell, Numbers]]:
        """Compute the cells, the last one first."""
        self.asked += cells
        try:
            for found in reversed(cells):
                self.computed.append(found)
                yield found, numbers(found.params["value"])
        finally:
            self.closed = True


FIRST = [cell("first", "near", 1), cell("first", "far", 2)]
SECOND = [cell("second", "near", 2), cell("second", "other", 3)]


def values(found: Mapping[str, Numbers]) -> dict[str, float | None]:
    """The value of each arm."""
    return {arm: given.outcome.measures["value"][0] for arm, given in found.items()}


def test_what_two_claims_share_is_computed_once_and_belongs_to_both() -> None:
    computing, watching = Computing(), Watching()
    kept: list[Cell] = []
    known_seconds = {FIRST[0].key: 2.5, "elsewhere": 1.0}
    found = scheduled([FIRST, SECOND], computing, watching, known_seconds, {}, lambda ended, _: kept.append(ended))
    assert [values(group) for group in found] == [{"near": 1.0, "far": 2.0}, {"near": 2.0, "other": 3.0}]
    assert [asked.params["value"] for asked in computing.asked] == [1, 2, 3]
    assert (kept, computing.closed) == (computing.computed, True)
    assert watching.begun == [(2, 3, {FIRST[0].key: 2.5}, 0)]
    assert len(watching.ended) == 3


def test_what_is_known_is_not_computed() -> None:
    computing, watching = Computing(), Watching()
    known = {found.key: numbers(9) for found in FIRST}
    groups = scheduled([FIRST, SECOND], computing, watching, {}, known)
    assert values(next(groups)) == {"near": 9.0, "far": 9.0}
    assert watching.begun == [(2, 1, {}, 2)]
    assert computing.computed == []
    assert values(next(groups)) == {"near": 9.0, "other": 3.0}
    assert computing.computed == [SECOND[1]]
    groups.close()
    assert computing.closed


def test_a_claim_is_there_before_the_cells_of_the_next_are_computed() -> None:
    computing = Computing()
    groups = scheduled([SECOND, FIRST], computing, Watching(), {}, {FIRST[1].key: numbers(2)})
    next(groups)
    assert [found.params["value"] for found in computing.computed] == [1, 3]
    groups.close()
    with pytest.raises(StopIteration):
        next(groups)
