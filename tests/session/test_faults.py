"""A fault of the program is one line and a file with its traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlnrepro.session.faults import logged


def fault() -> KeyError:
    """An error with a traceback."""
    try:
        raise KeyError("caf\udce9\nsecond line")
    except KeyError as error:
        return error


def test_the_traceback_is_kept_in_the_folder_for_results(tmp_path: Path) -> None:
    line = logged(fault(), tmp_path)
    (file,) = (tmp_path / "faults").iterdir()
    assert line == f"an error of the program itself: KeyError: 'caf\\udce9\\nsecond line'; the traceback is in {file}"
    assert "in fault" in file.read_text()


@pytest.mark.parametrize("folder", ["not there", None])
def test_without_such_a_folder_it_is_a_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None
) -> None:
    monkeypatch.setattr("dlnrepro.session.faults.tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    line = logged(fault(), None if folder is None else tmp_path / folder)
    (file,) = (tmp_path / "temporary").iterdir()
    assert line.endswith(f"the traceback is in {file}")


def test_if_nothing_can_be_written_the_line_is_still_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("dlnrepro.session.faults.tempfile.gettempdir", lambda: str(tmp_path / "file"))
    assert logged(fault()).endswith("; the traceback could not be written to any file")
