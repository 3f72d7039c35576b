"""Cells are computed once each, in the order of the claims, and the numbers of a claim come as soon as they can."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.session.schedule import scheduled
from dlnrepro.verdict.outcome import Outcome
from tests.listening import Heard


def cell(claim: str, arm: str, value: int) -> Cell:
    """A cell whose numbers are its value."""
    return Cell(claim, arm, "toy", {"value": value}, (0,))


def numbers(value: int, seeds: tuple[int, ...] = (0,)) -> Numbers:
    """The numbers of such a cell."""
    return Numbers(Outcome(seeds, {"value": [float(value)] * len(seeds)}), {})


@dataclass
class Watching(Heard):
    """A watcher that keeps what it hears."""

    begun: list[tuple[int, int, Mapping[str, float], int]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    further: list[list[tuple[str, tuple[int, ...]]]] = field(default_factory=list)

    def begins(self, claims: int, cells: int, seconds: Mapping[str, float], stored: int) -> None:
        """Keep it."""
        self.begun.append((claims, cells, seconds, stored))

    def goes_on(self, cells: Sequence[Cell]) -> None:
        """Keep it."""
        self.further.append([(cell.arm, cell.seeds) for cell in cells])

    def cell_ends(self, cell: Cell) -> None:
        """Keep it."""
        self.ended.append(cell.claim)

    def claim_ends(self, record: ClaimRecord) -> None:
        """Never called here."""
        raise AssertionError(record)


@dataclass
class Computing:
    """Computes the cells that it is given, keeps them, and knows whether it was closed.

    It computes the last cell first and ignores cells that are sent, unless `first_comes_first`.
    """

    first_comes_first: bool = False
    asked: list[Cell] = field(default_factory=list)
    computed: list[Cell] = field(default_factory=list)
    closed: bool = False

    def __call__(self, cells: Sequence[Cell]) -> Generator[tuple[Cell, Numbers], Sequence[Cell] | None]:
        """Compute the cells."""
        self.asked += cells
        waiting = list(cells if self.first_comes_first else reversed(cells))
        try:
            while waiting:
                found = waiting.pop(0)
                self.computed.append(found)
                sent = yield found, numbers(found.params["value"], found.seeds)
                waiting = [*(sent or ()), *waiting] if self.first_comes_first else waiting
        finally:
            self.closed = True


FIRST = [cell("first", "near", 1), cell("first", "far", 2)]
SECOND = [cell("second", "near", 2), cell("second", "other", 3)]


Group = tuple[int, Mapping[str, Numbers]]


def values(found: Group) -> tuple[int, dict[str, float | None]]:
    """The place of a group, and the value of each of its arms."""
    return found[0], {arm: given.outcome.measures["value"][0] for arm, given in found[1].items()}


def known(*cells: Cell) -> Callable[[Cell], Numbers | None]:
    """A store that has the numbers of some cells, each of which is 9."""
    keys = {cell.key for cell in cells}
    return lambda cell: numbers(9, cell.seeds) if cell.key in keys else None


def test_what_two_claims_share_is_computed_once_and_belongs_to_both() -> None:
    computing, watching = Computing(), Watching()
    kept: list[Cell] = []
    known_seconds = {FIRST[0].key: 2.5, "elsewhere": 1.0}
    found = scheduled([FIRST, SECOND], computing, watching, known_seconds, keep=lambda ended, _: kept.append(ended))
    assert [values(group) for group in found] == [(0, {"near": 1.0, "far": 2.0}), (1, {"near": 2.0, "other": 3.0})]
    assert [asked.params["value"] for asked in computing.asked] == [1, 2, 3]
    assert (kept, computing.closed) == (computing.computed, True)
    assert watching.begun == [(2, 3, {FIRST[0].key: 2.5}, 0)]
    assert len(watching.ended) == 3


def test_what_is_known_is_not_computed() -> None:
    computing, watching = Computing(), Watching()
    groups = scheduled([FIRST, SECOND], computing, watching, {}, known(*FIRST))
    assert values(next(groups)) == (0, {"near": 9.0, "far": 9.0})
    assert watching.begun == [(2, 1, {}, 2)]
    assert computing.computed == []
    assert values(next(groups)) == (1, {"near": 9.0, "other": 3.0})
    assert computing.computed == [SECOND[1]]
    groups.close()
    assert computing.closed


def test_a_claim_is_there_before_the_cells_of_the_next_are_computed() -> None:
    computing = Computing()
    groups = scheduled([SECOND, FIRST], computing, Watching(), {}, known(FIRST[1]))
    next(groups)
    assert [found.params["value"] for found in computing.computed] == [1, 3]
    groups.close()
    with pytest.raises(StopIteration):
        next(groups)


def more_of(arms: Mapping[int, Mapping[str, int]]) -> Callable[[int, Mapping[str, Numbers]], list[Cell]]:
    """Ask for single further runs of some arms of some groups, until an arm has so many runs."""

    def further(place: int, found: Mapping[str, Numbers]) -> list[Cell]:
        wanted = arms.get(place, {})
        done = {arm: len(given.outcome.seeds) for arm, given in found.items()}
        cells = {cell.arm: cell for cell in (FIRST, SECOND)[place]}
        return [replace(cells[arm], seeds=(done[arm],)) for arm in found if arm in wanted and done[arm] < wanted[arm]]

    return further


def test_a_claim_in_doubt_is_decided_before_the_next_one_begins() -> None:
    computing, watching = Computing(first_comes_first=True), Watching()
    groups = scheduled([FIRST, SECOND], computing, watching, {}, further=more_of({0: {"near": 3, "far": 2}}))
    place, found = next(groups)
    assert place == 0
    assert {arm: given.outcome.seeds for arm, given in found.items()} == {"near": (0, 1, 2), "far": (0, 1)}
    assert found["near"].outcome.measures == {"value": [1.0, 1.0, 1.0]}
    assert watching.further == [[("near", (1,)), ("far", (1,))], [("near", (2,))]]
    assert [(ended.arm, ended.seeds) for ended in computing.computed] == [
        ("near", (0,)),
        ("far", (0,)),
        ("near", (1,)),
        ("far", (1,)),
        ("near", (2,)),
    ]
    assert [place for place, _ in groups] == [1]
    assert len(computing.asked) == 3


def test_further_cells_that_an_executor_ignores_are_asked_for_again() -> None:
    computing, watching = Computing(), Watching()
    groups = scheduled([FIRST, SECOND], computing, watching, {}, further=more_of({0: {"near": 2}}))
    assert [place for place, _ in groups] == [0, 1]
    assert [asked.seeds for asked in computing.asked] == [(0,), (0,), (0,), (1,)]
    assert len(computing.computed) == 4


def test_further_runs_that_are_stored_are_not_computed_and_need_no_other_claim() -> None:
    computing, watching = Computing(), Watching()
    stored = known(*FIRST, replace(FIRST[0], seeds=(1,)))
    groups = scheduled([FIRST], computing, watching, {}, stored, further=more_of({0: {"near": 2}}))
    ((_, found),) = groups
    assert found["near"].outcome.measures == {"value": [9.0, 9.0]}
    assert (computing.asked, watching.further) == ([], [[]])


def test_further_runs_that_two_claims_share_are_computed_once() -> None:
    computing, watching = Computing(), Watching()
    further = more_of({0: {"far": 2}, 1: {"near": 2}})
    places = [place for place, _ in scheduled([FIRST, SECOND], computing, watching, {}, further=further)]
    assert places == [0, 1]
    assert [asked.seeds for asked in computing.asked] == [(0,), (0,), (0,), (1,)]
