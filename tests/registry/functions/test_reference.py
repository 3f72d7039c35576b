"""The name of a function as a runner: what a claim may write, and what the program makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlnrepro.registry.functions.reference import is_function, is_written_well, label, located, split


@pytest.mark.parametrize("name", ["./spectra.py:final_rank", "spectra.py:f", "./code/more/spectra.py:f"])
def test_a_file_next_to_the_claim_or_below_is_well_written(name: str) -> None:
    assert is_function(name)
    assert is_written_well(name)


@pytest.mark.parametrize(
    "name",
    [
        "../spectra.py:f",
        "./a/../../spectra.py:f",
        "/spectra.py:f",
        "~/spectra.py:f",
        "./my-file.py:f",
        "./spectra.py:f()",
        "./spectra.py:f.g",
        "./.hidden/spectra.py:f",
        "a\\b.py:f",
        "./spectra.py:",
    ],
)
def test_a_file_elsewhere_or_a_name_that_python_cannot_read_is_not(name: str) -> None:
    assert not is_written_well(name)


def test_a_located_name_has_an_absolute_path_and_its_label_has_none(tmp_path: Path) -> None:
    name = located("./code/spectra.py:f", tmp_path)

    assert split(name) == (str(tmp_path / "code" / "spectra.py"), "f")
    assert label(name) == label("./code/spectra.py:f") == "spectra.py:f"


def test_a_runner_by_its_name_is_left_as_it_is(tmp_path: Path) -> None:
    assert located("mode_flow", tmp_path) == label("mode_flow") == "mode_flow"
