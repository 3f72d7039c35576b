"""Processes that import torch only for computing: their environment is that of the libraries, kept or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.arithmetic import environment
from dlnrepro.compute.executor import LocalProcesses
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.report.terminal.progress import Quiet
from dlnrepro.session import late_processes
from dlnrepro.session.late_processes import LateProcesses
from dlnrepro.signals import Signals

Write = Callable[..., Path]


def refuse() -> str:
    raise AssertionError("the libraries were asked")


def test_the_kept_environment_is_that_of_the_libraries(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LateProcesses().environments("cpu") == [environment("cpu")]
    assert list(cache.iterdir())
    monkeypatch.setattr(late_processes, "arithmetic", refuse)
    assert LateProcesses().environments("cpu") == [environment("cpu")]


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("variable", ["MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY", "NPY_DISABLE_CPU_FEATURES"])
def test_an_environment_variable_of_a_library_makes_it_another_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    LateProcesses().environments("cpu")
    monkeypatch.setenv(variable, "something")
    assert LateProcesses().environments("cpu") == [environment("cpu")]


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("part", ["library_digest", "code_digest", "_instructions", "route"])
def test_the_libraries_are_asked_again_if_something_has_changed(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    LateProcesses().environments("cpu")
    monkeypatch.setattr(late_processes, "arithmetic", refuse)
    LateProcesses().environments("cpu")
    monkeypatch.setattr(late_processes, part, lambda *_: "changed")
    with pytest.raises(AssertionError, match="the libraries were asked"):
        LateProcesses().environments("cpu")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"entries": {"modes": 3}}'], ids=str)
def test_a_damaged_kept_file_is_not_used(cache: Path, content: bytes) -> None:
    LateProcesses().environments("cpu")
    (kept,) = cache.iterdir()
    kept.write_bytes(content)
    assert LateProcesses().environments("cpu") == [environment("cpu")]


def test_a_kept_text_of_another_kind_is_not_used(cache: Path) -> None:
    LateProcesses().environments("cpu")
    (kept,) = cache.iterdir()
    kept.write_text(json.dumps({**json.loads(kept.read_bytes()), "entries": {"modes": ["x"]}}))
    assert LateProcesses().environments("cpu") == [environment("cpu")]


@pytest.mark.slow
def test_cells_have_the_same_numbers_as_in_other_local_processes(write_claim: Write) -> None:
    cells = plan(load_claim(write_claim()), Variation())
    with Signals() as signals:
        late, local = (
            dict(executor.compute(cells, Quiet(), signals)) for executor in (LateProcesses(1), LocalProcesses(1))
        )
    assert {cell: numbers.outcome.measures for cell, numbers in late.items()} == {
        cell: numbers.outcome.measures for cell, numbers in local.items()
    }
