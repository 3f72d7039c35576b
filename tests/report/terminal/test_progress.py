"""Progress: a line that fits its terminal, an estimate only where there is one, and nothing that a runner can break."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from rich.cells import cell_len

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.cell import Cell
from dlnrepro.report.terminal import progress
from dlnrepro.report.terminal.progress import Lines, Live, Quiet, bar_line, watcher
from dlnrepro.visible import visible

CELL = Cell("claim", "arm", "toy", {}, (0,))
OTHER = Cell("claim", "other", "toy", {}, (1,))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


class Broken:
    """An object that can be shown neither as text nor as a number."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __float__(self) -> float:
        raise RuntimeError("no number")


NOTES = [
    None,
    "[/bold]",
    "[red]x",
    "a\x1b[2Kb\r\n::error::c",
    "\udce9",
    "x" * 10_000,
    3,
    torch.ones(3),
    Broken(),
    b"\xff",
]
FRACTIONS = [
    None,
    float("nan"),
    -1.0,
    1e300,
    float("inf"),
    torch.tensor(0.5),
    torch.ones(3),
    "0.5",
    "half",
    Broken(),
    True,
]


@pytest.mark.parametrize("kind", [Quiet, Lines, Live])
@pytest.mark.parametrize("note", NOTES, ids=range(len(NOTES)))
@pytest.mark.parametrize("fraction", FRACTIONS, ids=range(len(FRACTIONS)))
def test_nothing_that_a_runner_says_breaks_the_display(
    kind: type[Any], note: Any, fraction: Any, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with kind() as shown:
        shown.begins(1, 2)
        clock.now += 10
        shown.moves(CELL, fraction, note)
        shown.cell_ends(CELL)
    err = capsys.readouterr().err
    assert visible(err) == err
    assert err.count("\n") <= 3


def test_the_rest_is_estimated_only_once_it_is_known_well_enough(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Lines()
    lines.begins(1, 2)
    clock.now += 6
    lines.moves(CELL, 0.01, "early")
    clock.now += 6
    lines.moves(CELL, 0.5, "half")
    assert capsys.readouterr().err.splitlines() == [
        "1 claim: 2 arms to compute (controls included)",
        "  0/2 arms done, claim, arm, early",
        "  0/2 arms done, about 36 s left, claim, arm, half",
    ]


def test_what_the_arms_took_last_makes_the_estimate(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.begins(1, 2, {CELL.key: 1.0, OTHER.key: 9.0})
    clock.now += 6
    lines.cell_ends(CELL)
    lines.moves(OTHER, 0.0, "")
    # A tenth of the work is done, though it is one arm of two.
    assert "  1/2 arms done, about 54 s left, claim, other" in capsys.readouterr().err


def test_a_time_that_is_none_counts_as_unknown(clock: Clock) -> None:
    lines = Lines()
    lines.begins(1, 2, {CELL.key: float("nan"), OTHER.key: 0.0})
    clock.now += 6
    lines.cell_ends(CELL)
    lines.moves(OTHER, 0.5, "")


@pytest.mark.parametrize("width", [1, 10, 20, 40, 60, 80, 120])
def test_the_bar_stays_and_the_details_go_first(width: int) -> None:
    parts = ["3/8 arms done", "about 12 s left", "20 s passed", "a-long-claim-name", "an-arm", "note 数" * 5]
    line = bar_line(0.5, parts, width)
    assert cell_len(line) <= width
    assert line.startswith("━" * min(2, width // 2))
    assert (parts[0] in line) == (width >= 20)
    assert (parts[1] in line) == (width >= 40)
    assert (parts[2] in line) == (width >= 69)
    assert bar_line(0.5, parts, width, ascii_only=True).isascii() or "数" in line


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("TERM", "xterm", Live), ("TERM", "dumb", Lines), ("NO_COLOR", "1", Lines), ("NO_COLOR", "", Live)],
)
def test_a_plain_terminal_has_no_live_line(
    name: str, value: str, kind: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(watcher(False), kind)
    assert isinstance(watcher(True), Quiet)


def test_an_outcome_is_one_visible_line(
    record_of: Callable[..., ClaimRecord], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = Lines()
    lines.claim_ends(record_of(stamps=["cached"]))
    assert capsys.readouterr().err == "[1/0] toy-claim: reproduced (computing time 1.0 s, cached)\n"
    assert os.environ["GITHUB_ACTIONS"]


def test_a_long_reason_of_an_error_is_cut_to_a_line(
    record_of: Callable[..., ClaimRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    record = record_of()
    broken = replace(record.outcomes["near"], fault="ValueError: " + "x\n" * 500)
    Lines().claim_ends(replace(record, verdict="error", outcomes={**record.outcomes, "near": broken}))
    line = capsys.readouterr().err
    assert line.startswith("[1/0] toy-claim: error (ValueError: x")
    assert line.endswith("...)\n")
    assert len(line) < 200
    assert line.count("\n") == 1
