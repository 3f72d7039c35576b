"""`dlnrepro check`: every fault in its parts, as a line, as JSON, and as an annotation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from dlnrepro.claimfile.catalogue import packaged_folder

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def lines(command: Command, path: Path) -> list[str]:
    """What check says of a faulty file, without its path."""
    code, out, err = command("check", path)
    assert (code, out) == (2, "")
    return [line.removeprefix(f"{path}:") for line in err.splitlines()]


def test_a_valid_file_is_counted_and_a_faulty_one_named_with_its_fault(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    good = write_claim(name="good")
    bad = write_claim(("seeds: 4\n", "seeds: 0\n"), name="bad")
    assert command("check", good) == (0, "1 claim file is valid\n", "")
    fault = f"{bad}:12:1: seeds: expected a number of at least 1, found 0"
    assert command("check", tmp_path) == (2, "", fault + "\n")
    code, out, _ = command("check", bad, "--format", "github")
    assert (code, out) == (2, f"::error file={bad},line=12,col=1::seeds: expected a number of at least 1, found 0\n")


def test_json_gives_the_parts_of_each_fault(command: Command, write_claim: Write) -> None:
    bad = write_claim(("measure: value", "measure: valu"), ("far: {value: 5.0}", "far: {value: 1e7}"))
    code, out, _ = command("check", bad, "--format", "json")
    assert code == 2
    assert json.loads(out) == {
        "files": 1,
        "faults": [
            {
                "file": str(bad), "line": 19, "column": 9, "key": "arms.far.value",
                "expected": "a number of at most 1e6", "found": "1e7", "suggestion": None, "rule": None,
                "message": "arms.far.value: expected a number of at most 1e6, found 1e7",
            },
            {
                "file": str(bad), "line": 25, "column": 5, "key": "criteria[0].measure",
                "expected": "one of value, noise", "found": "'valu'", "suggestion": "value", "rule": None,
                "message": "criteria[0].measure: expected one of value, noise, found 'valu'; did you mean 'value'?",
            },
        ],
    }  # fmt: skip


def test_what_cannot_be_read_has_its_reason_as_what_was_found(command: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("title: [")
    _, out, _ = command("check", "broken.yaml", "gone.yaml", "--json")
    broken, gone = json.loads(out)["faults"]
    assert (broken["line"], broken["column"], broken["expected"], broken["found"]) == (
        1, 9, "YAML", "did not find expected node content",
    )  # fmt: skip
    assert broken["message"] == "expected YAML, found: did not find expected node content"
    assert (gone["expected"], gone["found"]) == ("a readable file", "no such file or directory")


def test_all_claims_that_travel_with_the_program_are_valid(command: Command) -> None:
    assert command("check", packaged_folder())[0] == 0


def test_every_format_shows_what_a_key_or_a_path_holds(command: Command, write_claim: Write) -> None:
    path = write_claim(("title: The", '"a\\nb: 1:2: c": 1\ntitle: The'), name="toy").rename("a:3:4: b\nc.yaml")
    code, out, _ = command("check", path, "--json")
    faults = json.loads(out)["faults"]
    assert (code, faults[-1]["file"], faults[-1]["line"], faults[-1]["key"]) == (2, str(path), 2, "a\nb: 1:2: c")
    assert out == command("check", path, "--format", "json")[1]
    code, out, _ = command("check", path, "--format", "github")
    assert (code, out.count("\n")) == (2, len(faults))
    assert "::error file=a%3A3%3A4%3A b%0Ac.yaml,line=2,col=1::a\\nb: 1:2: c: expected one of" in out
    assert command("check", path)[2].count("\n") == len(faults)


def test_settings_without_contradictions_are_valid(command: Command, write_ruled: Write) -> None:
    assert command("check", write_ruled())[::2] == (0, "")


def test_each_contradiction_of_the_setup_stands_once_at_its_key(command: Command, write_ruled: Write) -> None:
    path = write_ruled(("modes: 2", "modes: 5"), ("start: 1\n", "start: 3\n"), ("limit: 5}", "widths: [5, 5]}"))
    assert lines(command, path) == [
        "15:3: setup.modes: expected at most 4, as many as the narrowest layer has neurons, found 5",
        "16:3: setup.start: expected at most 2, the limit, found 3",
    ]


def test_a_contradiction_that_an_arm_causes_stands_in_the_arm(command: Command, write_ruled: Write) -> None:
    path = write_ruled(("far: {start: 1.5, limit: 5}", "far: {start: 9, widths: [1]}"))
    assert lines(command, path) == [
        "20:3: arms.far.modes: expected at most 1, as many as the narrowest layer has neurons, found 2",
        "20:9: arms.far.start: expected at most 2, the limit, found 9",
    ]


def test_an_arm_that_sets_a_key_at_fault_otherwise_wrong_has_a_fault_of_its_own(
    command: Command, write_ruled: Write
) -> None:
    path = write_ruled(("modes: 2", "modes: 5"), ("far: {start: 1.5, limit: 5}", "far: {modes: 9}"))
    narrowest = "as many as the narrowest layer has neurons"
    assert lines(command, path) == [
        f"15:3: setup.modes: expected at most 4, {narrowest}, found 5",
        f"20:9: arms.far.modes: expected at most 4, {narrowest}, found 9",
    ]


def test_a_contradiction_that_the_quick_profile_causes_stands_there(command: Command, write_ruled: Write) -> None:
    path = write_ruled()
    path.write_text(path.read_text().replace("setup: {}}", "setup: {limit: 0.5}}"))
    assert lines(command, path) == ["32:19: quick.setup.start: expected at most 0.5, the limit, found 1"]


def test_a_contradiction_hidden_by_a_missing_key_is_not_repeated_for_every_arm(
    command: Command, write_ruled: Write
) -> None:
    arms = [("near: {}", "near: {widths: [4]}"), ("far: {start: 1.5, limit: 5}", "far: {widths: [6]}")]
    path = write_ruled(("widths: [4, 6]", "width: [4, 6]"), ("start: 1\n", "start: 3\n"), *arms)
    found = lines(command, path)
    assert [line.split(": ")[1] for line in found] == ["setup.widths", "setup.width", "setup.start"]


def test_an_override_that_causes_a_contradiction_is_named(command: Command, write_ruled: Write) -> None:
    path = write_ruled()
    for words, expected in (
        (["-s", "start=3"], ["-s start: ruled-claim: expected at most 2, the limit, found 3"]),
        (["-s", "near.limit=0.5"], ["-s near.limit: ruled-claim: arm near: start: expected at most 0.5, the limit, "
                                    "found 1"]),
        (["-s", "widths=[1, 6]"], ["-s widths: ruled-claim: modes: expected at most 1, as many as the narrowest layer "
                                   "has neurons, found 2"]),
        (["-s", "modes=7", "-s", "near.limit=0"], [
            "-s modes: ruled-claim: expected at most 4, as many as the narrowest layer has neurons, found 7",
            "-s modes, -s near.limit: ruled-claim: arm near: start: expected at most 0, the limit, found 1",
        ]),
    ):  # fmt: skip
        code, out, err = command("run", path, *words)
        assert (code, out, err.splitlines()) == (2, "", expected)


def test_the_help_has_a_line_for_each_rule_of_policy(command: Command) -> None:
    shown = command("check", "--help")[1].split("With --strict, a claim must also keep these rules:\n")[1]
    rules = [line.split()[0] for line in shown.splitlines() if not line.startswith(" " * 5)]
    assert rules == [
        "covers", "independent", "reason", "slack", "experiment", "control", "other-control", "hypothesis", "runs",
        "quick", "audit",
    ]  # fmt: skip
