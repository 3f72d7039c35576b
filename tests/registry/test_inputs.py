"""Settings that name files: where the files are, in which order, and what of them counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from dlnrepro.registry.inputs import changed_files, contents, inputs, missing_files, placed
from dlnrepro.settings.input_files import InputFile, InputFiles


class Inner(BaseModel):
    """A group of settings."""

    data: InputFile


class Params(BaseModel):
    """Settings with files."""

    files: InputFiles
    inner: Inner
    steps: int = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three checkpoints and data."""
    for name in ("step-10.pt", "step-9.pt", "other.pt", "data.csv"):
        (tmp_path / name).write_text(name)
    return tmp_path


def params(*files: str, data: str = "data.csv") -> Params:
    """Settings that name these files."""
    return Params(files=files, inner=Inner(data=data))


def test_a_pattern_stands_for_files_in_the_order_of_their_numbers(folder: Path) -> None:
    found = placed(params("step-*.pt", "step-9.pt"), str(folder))
    assert found.files == (str(folder / "step-9.pt"), str(folder / "step-10.pt"))
    assert found.inner.data == str(folder / "data.csv")
    assert found.steps == 3


def test_the_word_none_stands_for_no_file(folder: Path) -> None:
    given = params("other.pt", data="none")
    assert placed(given, str(folder)).inner.data == "none"
    assert list(contents(given, str(folder))) == ["other.pt"]


def test_the_contents_do_not_depend_on_the_place_of_the_folder(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for path in folder.iterdir():
        (elsewhere / path.name).write_bytes(path.read_bytes())
    given = params("step-*.pt")
    assert contents(given, str(folder)) == contents(given, str(elsewhere))
    (elsewhere / "step-9.pt").write_text("other numbers")
    assert contents(given, str(folder)) != contents(given, str(elsewhere))
    assert changed_files(contents(given, str(folder)), str(elsewhere)) == ["step-9.pt"]


def test_names_that_stand_for_nothing_are_faults_at_their_places(folder: Path) -> None:
    found = missing_files(params("other.pt", "none-*.pt", data="a\0b"), str(folder))
    assert [(place, fault.found) for place, fault in found] == [
        (("files", 1), "'none-*.pt'"),
        (("inner", "data"), "'a\0b'"),
    ]
    assert inputs(params("other.pt"), str(folder))[0].paths == (str(folder / "other.pt"),)


def test_only_some_settings_take_patterns(folder: Path) -> None:
    assert [place for place, _ in missing_files(params("*.pt", data="*.csv"), str(folder))] == [("inner", "data")]
