"""How a claim came out last is kept for each variation, whatever runs follow."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dlnrepro.archive.last_results import (
    UNMODIFIED,
    LastVerdict,
    failed_last,
    foremost,
    last_results,
    last_verdicts,
    remember,
)
from dlnrepro.archive.record import compile_report, from_json
from dlnrepro.archive.report_store import make_folders, read_report, write_report
from dlnrepro.compute.variation import Variation

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
GOOD = LastVerdict("reproduced", (), True, 1.0)
BAD = LastVerdict("not reproduced", (), False, 1.0)
TOY = LastVerdict("inconclusive", ("toy", "cached"), False, 0.1)


def test_a_claim_as_its_file_has_it_is_the_variation_without_options() -> None:
    assert Variation().name == UNMODIFIED


def test_a_failure_is_remembered_however_many_runs_follow(tmp_path: Path) -> None:
    make_folders(tmp_path)
    remember(tmp_path, {("bad", UNMODIFIED): BAD})
    for number in range(30):
        remember(tmp_path, {(f"other-{number}", UNMODIFIED): GOOD})
    assert last_verdicts(tmp_path)["bad"].verdict == "not reproduced"
    assert failed_last(tmp_path, {"bad": UNMODIFIED, "other-1": UNMODIFIED, "never": UNMODIFIED}) == {"bad"}


def test_each_variation_has_its_own_result_and_the_unmodified_one_is_shown(tmp_path: Path) -> None:
    remember(tmp_path, {("claim", "--quick"): TOY})
    assert last_verdicts(tmp_path)["claim"].verdict == "inconclusive"
    remember(tmp_path, {("claim", UNMODIFIED): GOOD})
    remember(tmp_path, {("claim", "--quick"): TOY})
    assert last_verdicts(tmp_path)["claim"].verdict == "reproduced"
    assert failed_last(tmp_path, {"claim": UNMODIFIED}) == frozenset()
    assert failed_last(tmp_path, {"claim": "--quick"}) == {"claim"}


def test_without_an_unmodified_result_the_last_variation_is_shown() -> None:
    results = {"--quick": replace(TOY, order=1), "-s value=3": replace(BAD, stamps=("modified",), order=2)}
    assert foremost(results).stamps == ("modified",)


def test_two_values_of_one_parameter_are_two_variations(tmp_path: Path) -> None:
    remember(tmp_path, {("claim", "-s value=3"): BAD, ("claim", "-s value=1.05"): GOOD})
    remember(tmp_path, {("claim", "-s value=3 --quick"): GOOD})
    assert failed_last(tmp_path, {"claim": "-s value=3"}) == {"claim"}
    assert failed_last(tmp_path, {"claim": "-s value=1.05"}) == frozenset()
    assert last_verdicts(tmp_path)["claim"].verdict == "reproduced"


def test_results_of_an_older_version_are_found_under_the_variation_of_their_labels(tmp_path: Path) -> None:
    folder = tmp_path / "last"
    folder.mkdir()
    stamps = [[], ["toy", "cached"], ["modified", "toy"], ["no-controls", "cuda"]]
    rows = {
        " ".join(set(found) - {"cached"}): {"verdict": "x", "stamps": found, "as_expected": False, "seconds": 1}
        for found in stamps
    }
    (folder / "claim.json").write_text(json.dumps(rows))
    expected = [UNMODIFIED, "--quick", "modified --quick", "--no-controls --device cuda"]
    assert list(last_results(tmp_path, ())["claim"]) == expected
    assert list(last_results(tmp_path / "empty", [{"claim": row} for row in rows.values()])["claim"]) == expected


@pytest.mark.slow
def test_the_unmodified_result_of_every_claim_is_listed_whatever_was_run_last(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    (tmp_path / "claims").mkdir()
    for name, value in (("a-broken", 3), ("b-whole", 1)):
        path = write_claim(("value: 1\n", f"value: {value}\n"), name=name)
        path.rename(tmp_path / "claims" / path.name)
    assert command("run", "-q")[0] == 1
    assert command("run", "b-whole", "-s", "value=7", "-q")[0] == 1
    assert command("run", "a-broken", "-s", "value=1", "-q")[0] == 0
    listed = json.loads(command("list", "--json")[1])
    assert {row["id"]: (row["last_verdict"], row["last_stamps"]) for row in listed} == {
        "a-broken": ("not reproduced", []),
        "b-whole": ("reproduced", []),
    }
    for words, code, selected in ([], 1, ["a-broken"]), (["-s", "value=7.0"], 1, ["b-whole"]):
        found = command("run", "--last-failed", *words, "--json")
        assert (found[0], [record["id"] for record in json.loads(found[1])["claims"]]) == (code, selected)
    assert command("run", "--last-failed", "-s", "value=1", "--json")[0] == 5


TIMED = '{"": {"verdict": "reproduced", "stamps": [], "as_expected": true, "seconds": TIME, "arms": {"near": ARM}}}'
TIMES = [("1e999", "1"), ("NaN", "1"), ("-1", "1"), ("1", "NaN"), ("1", "-Infinity"), ('"nan"', "1"), ("1", "[]")]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"": 1}', '{"": {"verdict": "x"}}', '{"": {"stamps": 1}}', "\xff"]
    + [TIMED.replace("TIME", time).replace("ARM", arm) for time, arm in TIMES],
)
def test_a_file_that_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path, text: str) -> None:
    remember(tmp_path, {("claim", UNMODIFIED): GOOD})
    (tmp_path / "last" / "claim.json").write_text(text, encoding="latin-1")
    assert last_verdicts(tmp_path) == {}
    remember(tmp_path, {("claim", UNMODIFIED): BAD})
    assert last_verdicts(tmp_path)["claim"].verdict == "not reproduced"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_in_the_place_of_a_result_is_not_read(tmp_path: Path) -> None:
    remember(tmp_path, {("good", UNMODIFIED): GOOD})
    os.mkfifo(tmp_path / "last" / "pipe.json")
    assert last_verdicts(tmp_path).keys() == {"good"}


@pytest.mark.slow
def test_reports_of_an_older_version_are_read_once(command: Command, write_claim: Write, tmp_path: Path) -> None:
    command("run", write_claim(("value: 1\n", "value: 3\n"), name="a-broken"), "-q")
    for _ in range(25):
        command("run", write_claim(name="b-whole"), "-q", "--quick")
    shutil.rmtree(tmp_path / "outputs" / "last")
    found = last_verdicts(tmp_path / "outputs")
    assert (found["a-broken"].verdict, found["b-whole"].stamps[0]) == ("not reproduced", "toy")
    assert not (tmp_path / "outputs" / "last").exists()
    command("run", tmp_path / "b-whole.yaml", "-q")
    assert last_verdicts(tmp_path / "outputs")["a-broken"].verdict == "not reproduced"
    kept = json.loads((tmp_path / "outputs" / "last" / "b-whole.json").read_text())
    assert {key: row["verdict"] for key, row in kept.items()} == {"--quick": "reproduced", "": "reproduced"}
    assert len(kept[""]["claim_hash"]) == 64


def test_the_run_that_ends_last_is_the_last_also_within_a_second(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    _, out, _ = command("run", write_claim(), "--json")
    report = from_json(out.encode())
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(12):
        provenance = {**report.provenance, "command": ["dlnrepro", str(number)]}
        again = compile_report(report.claims, provenance, None, allow_inconclusive=False)  # type: ignore[arg-type]
        write_report(tmp_path, again, moment + timedelta(microseconds=number))
    for name in (None, "latest"):
        assert read_report(tmp_path, name).provenance["command"] == ["dlnrepro", "11"]
    (tmp_path / "latest").unlink()
    assert read_report(tmp_path, None).provenance["command"] == ["dlnrepro", "11"]
    assert read_report(tmp_path, "latest").provenance["command"] == ["dlnrepro", "11"]


def test_names_of_an_older_version_are_still_read_and_sorted(tmp_path: Path) -> None:
    make_folders(tmp_path)
    empty = compile_report([], {}, interrupted=None, allow_inconclusive=False)
    folder = write_report(tmp_path, empty, datetime(2026, 1, 2, tzinfo=UTC))
    newest = tmp_path / "reports" / "20260103T000000Z-00000000"
    folder.rename(newest)
    write_report(tmp_path, empty, datetime(2026, 1, 1, tzinfo=UTC))
    (tmp_path / "latest").unlink()
    assert read_report(tmp_path, newest.name) == empty
    assert read_report(tmp_path, None) == empty
