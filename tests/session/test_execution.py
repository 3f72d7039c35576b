"""From claims to records: what is taken from the store, what is labelled, and what a record says of its arms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.archive.report_store import make_folders
from dlnrepro.archive.staleness import stale
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.arithmetic import Environment, environment
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.device import Device
from dlnrepro.compute.executor import Executor, ThisProcess
from dlnrepro.compute.processes import Computed, Listener
from dlnrepro.compute.variation import Variation
from dlnrepro.report.terminal.progress import watcher
from dlnrepro.session.execution import RunOptions, job_of, run_jobs
from dlnrepro.signals import Signals

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
Record = dict[str, Any]


@pytest.fixture
def record(command: Command) -> Callable[..., Record]:
    """Run a claim with some options and give its record."""

    def run(*words: Any) -> Record:
        (found,) = json.loads(command("run", *words, "--json")[1])["claims"]
        return dict(found)

    return run


@pytest.mark.slow
def test_a_claim_with_one_stored_arm_is_labelled(write_claim: Write, record: Callable[..., Record]) -> None:
    assert record(write_claim())["stamps"] == []
    assert record(write_claim(("far: {value: 5.0}", "far: {value: 6.0}")))["stamps"] == ["cached"]
    assert record(write_claim(("far: {value: 5.0}", "far: {value: 7.0}")), "--no-cache")["stamps"] == []


def test_a_record_has_the_hash_of_the_claims_file(write_claim: Write, record: Callable[..., Record]) -> None:
    path = write_claim()
    assert record(path)["claim_hash"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("behaviour", ["raises", "disagrees"])
def test_an_arm_that_failed_has_neither_key_nor_digest(
    write_claim: Write, record: Callable[..., Record], behaviour: str
) -> None:
    found = record(write_claim(("far: {value: 5.0}", f"far: {{value: 5.0, behaviour: {behaviour}}}")))
    assert (found["verdict"], list(found["cells"]), list(found["digests"])) == ("error", ["near"], ["near"])
    assert list(found["outcomes"]) == list(found["params"]) == ["near", "far"]


@pytest.mark.slow
def test_equal_arms_have_equal_digests_and_keys_and_others_have_not(
    write_claim: Write, record: Callable[..., Record]
) -> None:
    first, again = record(write_claim()), record(write_claim(), "--no-cache")
    other = record(write_claim(), "--seed-base", "1")
    for part in ("cells", "digests"):
        assert first[part] == again[part]
        assert first[part]["near"] != first[part]["far"]
        assert first[part]["near"] != other[part]["near"]


@dataclass(frozen=True)
class Elsewhere:
    """An executor on machines with another processor; `known` are those whose stored numbers it would compute again."""

    known: tuple[str, ...]
    computed: list[str] = field(default_factory=list)

    def environments(self, device: Device) -> list[Environment]:
        """The environments of its machines."""
        return [replace(environment(device), processor=name) for name in self.known]

    def compute(
        self,
        cells: Sequence[Cell],
        listener: Listener,
        signals: Signals,
        budget: float | None = None,
        twice: Collection[str] = (),
    ) -> Computed:
        """Compute in this process, and say that the last machine has done it."""
        for cell, numbers in ThisProcess().compute(cells, listener, signals, budget, twice):
            self.computed.append(cell.arm)
            assert numbers.computed_on is not None
            yield cell, replace(numbers, computed_on=replace(numbers.computed_on, processor=self.known[-1]))


def test_numbers_are_stored_under_what_computed_them(write_claim: Write, tmp_path: Path) -> None:
    def run(executor: Executor) -> ClaimRecord:
        claim = load_claim(path)
        jobs = [job_of(claim, path, Variation(), "dlnrepro run")]
        with watcher(True) as watching:
            ((record,), _) = run_jobs(jobs, RunOptions(tmp_path / "outputs", executor), watching, Signals(()))
        return record

    path = write_claim(("seeds: 4\nsetup", "seeds: 16\nsetup"))
    make_folders(tmp_path / "outputs")
    first = Elsewhere(("one", "two"))
    record = run(first)
    assert first.computed == ["near", "far"]
    assert {arm: found.processor for arm, found in record.computed_on.items()} == {"near": "two", "far": "two"}
    assert sorted(record.cells.values()) == sorted(stored.stem for stored in (tmp_path / "outputs" / "cells").iterdir())
    again, other = Elsewhere(("three", "two")), Elsewhere(("one", "three"))
    found = run(again)
    assert (again.computed, found.stamps[0], found.cells, found.computed_on) == (
        [],
        "cached",
        record.cells,
        record.computed_on,
    )
    assert run(other).cells != record.cells
    assert other.computed == ["near", "far"]
    assert stale(record) is None
