"""Reports of versions 1 and 2: opened, judged by the present rule, compared and run again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.archive.older_records import of_older_version
from dlnrepro.archive.record import from_json
from dlnrepro.archive.report_store import read_report
from dlnrepro.compute.variation import Variation

STORED = Path(__file__).parent / "report_of_version_1.json"
Command = Callable[..., tuple[int, str, str]]
SIXTEEN = ("seeds: 4\nsetup", "seeds: 16\nsetup")


def older(text: str, version: int = 1) -> dict[str, Any]:
    """A report as an older version had it."""
    report: dict[str, Any] = json.loads(text)
    report["schema"] = version
    for record in report["claims"]:
        fixed = "fixed-seeds" in record["stamps"]
        record["stamps"] = [stamp for stamp in record["stamps"] if stamp not in ("modified", "fixed-seeds")]
        if fixed or record["variation"]["seed_base"] or record["variation"]["overrides"]:
            record["stamps"].insert(0, "modified")
        for criterion in record["claim"]["criteria"]:
            del criterion["runs"]
            criterion["misses"] = 0
        for assumption in record["claim"]["assumptions"]:
            del assumption["runs"]
        del record["claim"]["audit"]
        record["assumptions"] = record["criteria"] = [{"as": "it was"}]
        if version == 1:
            del record["variation"]
    return report


def test_a_stored_report_of_version_1_opens_and_is_unmodified() -> None:
    report = read_report(STORED.parent, str(STORED))
    assert (report.schema, report.claims[0].label) == (3, "one-neuron-saddle-delay")
    assert report.claims[0].variation == Variation()


def test_a_stored_report_of_version_1_is_shown_and_compared(command: Command, tmp_path: Path) -> None:
    shutil.copy(STORED, tmp_path / "old.json")
    code, out, _ = command("report", "old.json", "--as-recorded", "-q")
    assert (code, "one-neuron-saddle-delay" in out, "reproduced" in out) == (0, True, True)
    assert command("report", "old.json", "--as-recorded", "-q", "-o", "new.json")[0] == 0
    assert json.loads((tmp_path / "new.json").read_text())["schema"] == 3
    code, out, _ = command("diff", "old.json", "new.json")
    assert (code, out) == (
        0,
        "= one-neuron-saddle-delay reproduced 480 numbers, bitwise identical\n\n"
        "1 claim compared, no verdict changed, 1 bitwise identical\n",
    )


@pytest.mark.slow
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--quick", "--no-controls", "--seeds", "3", "--seed-base", "5"],
        ["-s", "value=3", "-s", "far.bytes=5"],
        ["-s", "near.value=3", "--seeds", "18"],
        ["--seeds", "18"],
    ],
    ids=" ".join,
)
def test_an_older_record_gets_the_variation_labels_and_verdict_of_a_new_one(
    command: Command, write_claim: Callable[..., Path], words: list[str], version: int
) -> None:
    text = command("run", write_claim(SIXTEEN), *words, "--json")[1]
    assert from_json(json.dumps(older(text, version)).encode()) == from_json(text.encode())


def test_an_older_verdict_is_judged_by_the_present_rule(command: Command, write_chancy: Callable[..., Path]) -> None:
    text = command("run", write_chancy(near="failing: [3]"), "--seeds", "16", "--json")[1]
    old = older(text, 2)
    (record,) = old["claims"]
    record |= {"verdict": "not reproduced", "because": "one run lies outside"}
    record["claim"]["criteria"][0]["misses"] = 1
    (found,) = from_json(json.dumps(old).encode()).claims
    assert (found.verdict, found.because) == (
        "inconclusive",
        "near-one: value = 1 ± 0.1 is undecided in near: 15 of 16 runs lie inside",
    )
    assert [item.runs for item in (*found.assumptions, *found.criteria)] == ["almost all", "almost all"]


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_report_is_run_again(
    command: Command, write_claim: Callable[..., Path], tmp_path: Path, version: int
) -> None:
    text = command("run", write_claim(SIXTEEN), "-s", "value=3", "--json")[1]
    (tmp_path / "old.json").write_text(json.dumps(older(text, version)))
    code, out, _ = command("replay", "old.json", "-q")
    assert (code, out) == (
        0,
        "= toy-claim not reproduced 64 numbers, bitwise identical\n\n"
        "1 claim compared, no verdict changed, 1 bitwise identical\n",
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema": 3, "claims": []}', '{"schema": 4}', '{"schema": true}', '{"schema": 1.0}']
)
def test_another_text_is_left_as_it_is(text: str) -> None:
    assert of_older_version(text.encode()) is None
