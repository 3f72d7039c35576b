"""`dlnrepro clean`: what is stored, and only what no run can use is removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def outputs(command: Command, write_claim: Write, tmp_path: Path) -> Path:
    """An outputs folder with the cells of two batches of two arms, a report, and what is not ours."""
    command("run", write_claim(), "-q")
    folder = tmp_path / "outputs"
    for name in ("notes.txt", "cells/mine.npz", "cells/.unfinished-x", "reports/mine/report.json", "reports/notes"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    return folder


def files(folder: Path) -> set[str]:
    """Every file and link below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def rows(out: str) -> list[list[str]]:
    """The first two columns of the table."""
    return [[line[:22].strip(), line[22:28].strip()] for line in out.splitlines()[:3]]


def test_what_a_run_would_use_stays(command: Command, outputs: Path) -> None:
    before = files(outputs)
    code, out, _ = command("clean", "--yes")
    assert code == 0
    assert rows(out) == [["usable arms", "4"], ["unusable arms", "0"], ["reports", "1"]]
    assert out.endswith("there is nothing to remove\n")
    assert files(outputs) == before


def test_cells_of_other_code_and_damaged_ones_go_and_nothing_else(
    command: Command, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(outputs)
    damaged = outputs / "cells" / f"{'0' * 64}.npz"
    damaged.write_bytes(b"no cell")
    assert command("clean", "-y")[1].endswith("1 removed, 0 MB freed\n")
    assert files(outputs) == before
    monkeypatch.setattr("dlnrepro.archive.cell_store.source_hash", lambda _: "other")
    code, out, _ = command("clean", "-n")
    assert (code, rows(out)[1], out.splitlines()[-1]) == (0, ["unusable arms", "4"], "4 would be removed")
    assert files(outputs) == before
    code, out, err = command("clean")
    assert (code, err) == (2, "clean: expected --yes, since no terminal can ask for it, found 4 to remove\n")
    assert files(outputs) == before
    command("clean", "-y")
    assert before - files(outputs) == {
        name for name in before if name.startswith("cells/") and len(name) == len("cells/") + 68
    }


def test_reports_go_only_when_asked_for_and_the_last_results_stay(command: Command, outputs: Path) -> None:
    before = files(outputs)
    assert command("clean", "-y", "--reports")[0] == 0
    gone = before - files(outputs)
    assert {Path(name).name for name in gone} == {"report.json", "verdicts.json", "SHA256SUMS", "latest"}
    assert not [name for name in gone if "mine" in name]
    assert (outputs / "last" / "toy-claim.json").is_file()


def test_nothing_behind_a_link_is_removed(command: Command, outputs: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "cells").mkdir(parents=True)
    name = f"{'1' * 64}.npz"
    (elsewhere / "cells" / name).write_bytes(b"no cell")
    (outputs / "cells" / name).symlink_to(elsewhere / "cells" / name)
    report = outputs / "reports" / "20260101T000000Z-00000000"
    report.symlink_to(elsewhere / "cells")
    command("clean", "-y", "--reports")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "cells").symlink_to(elsewhere / "cells")
    command("clean", "-y", "--outputs", linked)
    assert (elsewhere / "cells" / name).is_file()


def test_a_folder_that_is_not_there_holds_nothing(command: Command, tmp_path: Path) -> None:
    code, out, _ = command("clean", "--outputs", tmp_path / "none")
    assert code == 0
    assert rows(out) == [["usable arms", "0"], ["unusable arms", "0"], ["reports", "0"]]
    assert not (tmp_path / "none").exists()
