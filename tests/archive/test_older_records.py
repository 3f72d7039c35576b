"""Reports of version 1: opened, judged, compared and run again as if they were of version 2."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.archive.older_records import of_version_1
from dlnrepro.archive.record import from_json
from dlnrepro.archive.report_store import read_report
from dlnrepro.compute.variation import Variation

STORED = Path(__file__).parent / "report_of_version_1.json"
Command = Callable[..., tuple[int, str, str]]


def older(text: str) -> dict[str, Any]:
    """A report as version 1 had it."""
    report: dict[str, Any] = json.loads(text)
    report["schema"] = 1
    for record in report["claims"]:
        del record["variation"]
    return report


def test_a_stored_report_of_version_1_opens_and_is_unmodified() -> None:
    report = read_report(STORED.parent, str(STORED))
    assert (report.schema, report.claims[0].label) == (2, "one-neuron-saddle-delay")
    assert report.claims[0].variation == Variation()


def test_a_stored_report_of_version_1_is_shown_and_compared(command: Command, tmp_path: Path) -> None:
    shutil.copy(STORED, tmp_path / "old.json")
    code, out, _ = command("report", "old.json", "--as-recorded", "-q")
    assert (code, "one-neuron-saddle-delay" in out, "reproduced" in out) == (0, True, True)
    assert command("report", "old.json", "--as-recorded", "-q", "-o", "new.json")[0] == 0
    assert json.loads((tmp_path / "new.json").read_text())["schema"] == 2
    code, out, _ = command("diff", "old.json", "new.json")
    assert (code, out) == (
        0,
        "= one-neuron-saddle-delay reproduced 480 numbers, bitwise identical\n\n"
        "1 claim compared, no verdict changed, 1 bitwise identical\n",
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--quick", "--no-controls", "--seeds", "3", "--seed-base", "5"],
        ["-s", "value=3", "-s", "far.bytes=5"],
        ["-s", "near.value=3", "--seeds", "4"],
    ],
    ids=" ".join,
)
def test_the_variation_follows_from_the_numbers_of_a_record(
    command: Command, write_claim: Callable[..., Path], words: list[str]
) -> None:
    text = command("run", write_claim(), *words, "--json")[1]
    assert from_json(json.dumps(older(text)).encode()) == from_json(text.encode())


def test_an_older_report_is_run_again(command: Command, write_claim: Callable[..., Path], tmp_path: Path) -> None:
    text = command("run", write_claim(), "-s", "value=3", "--json")[1]
    (tmp_path / "old.json").write_text(json.dumps(older(text)))
    code, out, _ = command("replay", "old.json", "-q")
    assert (code, out) == (
        0,
        "= toy-claim not reproduced 16 numbers, bitwise identical\n\n"
        "1 claim compared, no verdict changed, 1 bitwise identical\n",
    )


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 2, "claims": []}', '{"schema": true}', '{"schema": 1.0}'])
def test_another_text_is_left_as_it_is(text: str) -> None:
    assert of_version_1(text.encode()) is None
