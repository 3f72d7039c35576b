"""The numbers of single arms on disk: whole or not there, found again under what made them."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlnrepro.archive.cell_store import is_usable, key_on, read_cell, series_digest, write_cell
from dlnrepro.archive.report_store import make_folders
from dlnrepro.compute.arithmetic import environment
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.engine import run_cell
from dlnrepro.runner import silent

CELL = Cell("toy-claim", "near", "toy", {"value": 1.0, "behaviour": "steady", "bytes": 0}, (0, 1))
HERE = environment("cpu")


@pytest.mark.usefixtures("toys")
def test_a_cell_is_stored_with_its_measures_and_series(tmp_path: Path) -> None:
    make_folders(tmp_path)
    numbers = run_cell(CELL, silent, lambda: 1.0)
    write_cell(tmp_path, "key", CELL, numbers)
    with np.load(tmp_path / "cells" / "key.npz", allow_pickle=False) as stored:
        assert stored["measure.value"].tolist() == numbers.outcome.measures["value"]
        assert stored["series.height"].shape == (2, 10)
    assert os.listdir(tmp_path / "cells") == ["key.npz"]


@pytest.mark.usefixtures("toys")
def test_a_stored_cell_is_read_back_as_it_was(tmp_path: Path) -> None:
    make_folders(tmp_path)
    cell = Cell("toy-claim", "near", "toy", {**CELL.params, "behaviour": "first-diverges"}, (0, 1))
    numbers = run_cell(cell, silent, lambda: 1.0)
    write_cell(tmp_path, "key", cell, numbers)
    found = read_cell(tmp_path, "key", cell)
    assert found is not None
    assert (found.outcome, found.computed_on) == (numbers.outcome, environment("cpu"))
    assert all(np.array_equal(found.series[name], values) for name, values in numbers.series.items())


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "another", "none"])
def test_a_damaged_or_foreign_cell_is_not_used(tmp_path: Path, damage: str) -> None:
    make_folders(tmp_path)
    path = tmp_path / "cells" / "key.npz"
    write_cell(tmp_path, "key", CELL, run_cell(CELL, silent, lambda: 1.0))
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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_or_a_folder_in_the_place_of_a_cell_is_not_read(tmp_path: Path) -> None:
    make_folders(tmp_path)
    os.mkfifo(tmp_path / "cells" / "pipe.npz")
    (tmp_path / "cells" / "folder.npz").mkdir()
    for name in ("pipe", "folder"):
        assert read_cell(tmp_path, name, CELL) is None
        assert not is_usable(tmp_path / "cells" / f"{name}.npz")


@pytest.mark.usefixtures("toys")
def test_a_cell_in_the_place_of_another_is_not_used(tmp_path: Path) -> None:
    make_folders(tmp_path)
    other = Cell("toy-claim", "far", "toy", {**CELL.params, "value": 5.0}, CELL.seeds)
    for key, cell in (("key", CELL), ("other", other)):
        write_cell(tmp_path, key, cell, run_cell(cell, silent, lambda: 1.0))
    assert read_cell(tmp_path, "other", other) is not None
    (tmp_path / "cells" / "other.npz").replace(tmp_path / "cells" / "key.npz")
    assert read_cell(tmp_path, "key", CELL) is None
    assert read_cell(tmp_path, "key", other) is None


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("changed", ["seeds", "params", "runner"])
def test_a_cell_of_other_parameters_seeds_or_runner_is_not_used(tmp_path: Path, changed: str) -> None:
    make_folders(tmp_path)
    write_cell(tmp_path, "key", CELL, run_cell(CELL, silent, lambda: 1.0))
    others = {"seeds": (1, 0), "params": {**CELL.params, "value": 2.0}, "runner": "toys"}
    assert read_cell(tmp_path, "key", replace(CELL, **{changed: others[changed]})) is None  # type: ignore[arg-type]


@pytest.mark.usefixtures("toys")
def test_numbers_that_were_edited_are_not_used(tmp_path: Path) -> None:
    make_folders(tmp_path)
    path = tmp_path / "cells" / "key.npz"
    write_cell(tmp_path, "key", CELL, run_cell(CELL, silent, lambda: 1.0))
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez_compressed(path, **{**arrays, "measure.value": np.array([1.0, 1.0])})
    assert read_cell(tmp_path, "key", CELL) is None


@pytest.mark.usefixtures("toys")
def test_a_cell_with_damaged_shapes_is_not_used(tmp_path: Path) -> None:
    make_folders(tmp_path)
    whole = run_cell(CELL, silent, lambda: 1.0)
    for series in ({"height": np.zeros((3, 10))}, {"height": np.zeros(2)}, {"height": np.zeros((2, 10), np.float32)}):
        write_cell(tmp_path, "key", CELL, replace(whole, series=series))
        assert read_cell(tmp_path, "key", CELL) is None


@pytest.mark.usefixtures("toys")
def test_of_thousands_of_damages_none_is_believed_and_none_ends_the_run(tmp_path: Path) -> None:
    make_folders(tmp_path)
    path = tmp_path / "cells" / "key.npz"
    write_cell(tmp_path, "key", CELL, run_cell(CELL, silent, lambda: 1.0))
    whole = path.read_bytes()
    draw = random.Random(0)
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 1, 2, 8))):
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        start = draw.randrange(len(damaged))
        damaged = draw.choice((damaged, damaged[:start], damaged[start:], damaged + damaged[start:]))
        path.write_bytes(damaged)
        assert bytes(damaged) == whole or read_cell(tmp_path, "key", CELL) is None


@pytest.mark.slow
@pytest.mark.usefixtures("toys")
def test_a_damaged_archive_whose_sum_was_made_again_ends_no_run(tmp_path: Path) -> None:
    make_folders(tmp_path)
    path = tmp_path / "cells" / "key.npz"
    write_cell(tmp_path, "key", CELL, run_cell(CELL, silent, lambda: 1.0))
    whole = path.read_bytes()[:-64]
    draw = random.Random(1)
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 1, 2, 8))):
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged + hashlib.sha256(damaged).hexdigest().encode())
        read_cell(tmp_path, "key", CELL)


@pytest.mark.usefixtures("toys")
def test_the_key_changes_with_whatever_could_change_a_number() -> None:
    key = key_on(CELL, HERE)
    assert key == key_on(Cell("another", "another", CELL.runner, CELL.params, CELL.seeds), HERE)
    others = [
        Cell("toy-claim", "near", "toy", {**CELL.params, "value": 1.0000001}, CELL.seeds),
        Cell("toy-claim", "near", "toy", CELL.params, (0, 2)),
    ]
    changes = {"device": "a GPU", "processor": "another", "arithmetic": "others", "versions": {"torch": "0"}}
    for name, value in changes.items():
        assert key != key_on(CELL, replace(HERE, **{name: value}))  # type: ignore[arg-type]
    assert key not in {key_on(cell, HERE) for cell in others}


def test_the_same_seeds_in_another_order_have_another_key() -> None:
    runner = "mode_flow"
    first, other = (key_on(Cell("claim", "arm", runner, {}, seeds), HERE) for seeds in ((0, 1), (1, 0)))
    assert first != other


def test_the_digest_of_series_changes_with_any_bit_and_name_and_not_with_the_kind_of_nan() -> None:
    rows = np.array([[1.0, np.nan], [0.0, 2.0]])
    other_nan = rows.copy()
    other_nan[0, 1] = -np.float64("nan")
    assert series_digest({"a": rows}) == series_digest({"a": other_nan})
    changed = rows.copy()
    changed[1, 0] = -0.0
    digests = {
        series_digest(series) for series in ({"a": rows}, {"b": rows}, {"a": changed}, {"a": rows.reshape(1, 4)})
    }
    assert len(digests) == 4
