"""Cells and reports on disk: whole or not there, found again, named by what made them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from dlnrepro.engine import Cell, run_cell
from dlnrepro.errors import UsageError
from dlnrepro.record import Report, compile_report
from dlnrepro.runner import silent
from dlnrepro.store import cell_key, prepare, read_cell, read_report, write_cell, write_report, write_whole

CELL = Cell("toy-claim", "near", "toy", {"value": 1.0, "behaviour": "steady", "bytes": 0}, (0, 1))


def empty_report() -> Report:
    """A report without claims."""
    return compile_report([], {}, interrupted=False, allow_inconclusive=False)


@pytest.mark.usefixtures("toys")
def test_a_cell_is_stored_with_its_measures_and_series(tmp_path: Path) -> None:
    prepare(tmp_path)
    numbers = run_cell(CELL, silent, lambda: 1.0)
    write_cell(tmp_path, "key", numbers)
    with np.load(tmp_path / "cells" / "key.npz", allow_pickle=False) as stored:
        assert stored["measure.value"].tolist() == numbers.outcome.measures["value"]
        assert stored["series.height"].shape == (2, 10)
    assert os.listdir(tmp_path / "cells") == ["key.npz"]


@pytest.mark.usefixtures("toys")
def test_a_stored_cell_is_read_back_as_it_was(tmp_path: Path) -> None:
    prepare(tmp_path)
    cell = Cell("toy-claim", "near", "toy", {**CELL.params, "behaviour": "first-diverges"}, (0, 1))
    numbers = run_cell(cell, silent, lambda: 1.0)
    write_cell(tmp_path, "key", numbers)
    found = read_cell(tmp_path, "key", cell)
    assert found is not None
    assert found.outcome == numbers.outcome
    assert all(np.array_equal(found.series[name], values) for name, values in numbers.series.items())


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "another", "none"])
def test_a_damaged_or_foreign_cell_is_not_used(tmp_path: Path, damage: str) -> None:
    prepare(tmp_path)
    path = tmp_path / "cells" / "key.npz"
    write_cell(tmp_path, "key", run_cell(CELL, silent, lambda: 1.0))
    whole = path.read_bytes()
    middle = whole.index(b"measure.value") + 60
    changed = {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
        "emptied": b"",
        "another": b"not an archive",
        "none": whole,
    }
    path.write_bytes(changed[damage])
    seeds = (0, 1, 2) if damage == "none" else CELL.seeds
    assert read_cell(tmp_path, "key", Cell("toy-claim", "near", "toy", CELL.params, seeds)) is None


@pytest.mark.usefixtures("toys")
def test_the_key_changes_with_whatever_could_change_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    key = cell_key(CELL)
    assert key == cell_key(Cell("another", "another", CELL.runner, CELL.params, CELL.seeds))
    others = [
        Cell("toy-claim", "near", "toy", {**CELL.params, "value": 1.0000001}, CELL.seeds),
        Cell("toy-claim", "near", "toy", CELL.params, (0, 2)),
    ]
    assert key not in {cell_key(cell) for cell in others}
    monkeypatch.setattr("dlnrepro.store.versions", lambda: {"torch": "0"})
    assert cell_key(CELL) != key


def test_the_newest_report_is_found_and_latest_points_at_it(tmp_path: Path) -> None:
    prepare(tmp_path)
    write_report(tmp_path, empty_report(), datetime(2026, 1, 1, tzinfo=UTC))
    newest = compile_report([], {"command": ["dlnrepro"]}, interrupted=True, allow_inconclusive=False)
    folder = write_report(tmp_path, newest, datetime(2026, 1, 2, tzinfo=UTC))
    assert read_report(tmp_path, None) == newest
    assert read_report(tmp_path, folder.name) == newest
    assert read_report(tmp_path, str(folder)) == newest
    assert (tmp_path / "latest").resolve() == folder.resolve()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema": 2}', "\x00"])
def test_a_stored_report_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="expected a report, found a fault in"):
        read_report(tmp_path, str(path))


def test_no_report_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a stored report, found none; 'dlnrepro run' makes one"):
        read_report(tmp_path, None)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="expected a folder that can be written"):
        prepare(tmp_path / "file")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="found: no space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_report_is_the_same_after_a_round_trip(
    write_claim: Callable[..., Path], command: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = command("run", write_claim(), "--json")
    assert code == 0
    from dlnrepro.record import from_json, judged_again, to_json

    report = from_json(out.encode())
    assert to_json(report).decode() == out
    assert judged_again(report) == report
