"""`dlnrepro run -n`: which arms would be run, what each differs in, what is stored, and what it cost last."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.verdict.operating import expected_runs

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

TWO_ARMS = (
    "toy-claim: 2 arms with 4 runs each, runner toy; about 36 runs in all if 99.5 % of all draws pass, and at most 512"
)
"""Two arms and the runs that they need: one has two tests, the other has one."""


def test_every_arm_shows_its_own_changes_those_of_the_profile_and_those_of_the_command_line(
    command: Command, write_claim: Write
) -> None:
    path = write_claim(("quick: {seeds: 2, setup: {}}", "quick: {seeds: 2, setup: {value: 1.01}}"))
    code, out, err = command("run", path, "-n", "--quick", "-s", "bytes=3000000")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "toy-claim: 2 arms with 2 runs each, runner toy; 0 of 2 arms are stored",
        "  near: value=1.01 (quick), bytes=3000000 (-s) (about 6 MB of memory; not computed yet)",
        "  far: value=5, bytes=3000000 (-s) (about 6 MB of memory; not computed yet)",
    ]
    code, out, err = command("run", path, "-n", "-s", "value=4")
    assert "  near: value=4 (-s) (about 0 MB" in out
    assert "  far: value=5 (about 0 MB" in out
    assert err == (
        "-s value=4: toy-claim: applies to 1 of 2 arms, but not to the arms that set value themselves: far (5) "
        "(-s ARM.value=... applies to one arm)\n"
    )
    _, out, err = command("run", path, "-n", "-s", "far.value=4")
    assert "  near: the settings as they are (about 0 MB of memory" in out
    assert "  far: value=4 (-s) (about 0 MB" in out
    assert err == ""


def test_it_says_which_arms_are_stored_and_what_the_others_cost_last(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    command("run", write_claim(), "-q")
    assert _without_times(command("run", "toy-claim.yaml", "-n")[1]) == [
        f"{TWO_ARMS}; 2 of 2 arms are stored",
        "  near: the settings as they are (about 0 MB of memory; stored, took TIME)",
        "  far: value=5 (about 0 MB of memory; stored, took TIME)",
    ]
    assert _without_times(command("run", "toy-claim.yaml", "-n", "-s", "near.value=1.001")[1]) == [
        f"{TWO_ARMS}; 1 of 2 arms are stored; the other arms took TIME last time",
        "  near: value=1.001 (-s) (about 0 MB of memory; took TIME)",
        "  far: value=5 (about 0 MB of memory; stored, took TIME)",
    ]
    _, out, _ = command("run", "toy-claim.yaml", "-n", "--no-cache")
    assert _without_times(out)[0] == (f"{TWO_ARMS}; 0 of 2 arms are stored; the other arms took TIME last time")
    before = sorted(tmp_path.rglob("*"))
    command("run", "toy-claim.yaml", "-n")
    assert sorted(tmp_path.rglob("*")) == before


def _without_times(text: str) -> list[str]:
    """The lines of a text with the word TIME for a time, which depends on the machine and its load."""
    return re.sub(r"(?:\d+ min )?\d+(?:\.\d+)? s\b", "TIME", text).splitlines()


def test_it_honours_json(command: Command, write_claim: Write) -> None:
    code, out, _ = command("run", write_claim(), "-n", "--json", "-s", "far.value=4", "--seeds", "3")
    assert code == 0
    (claim,) = json.loads(out)["claims"]
    assert (claim["id"], claim["seeds"], claim["stamps"]) == ("toy-claim", [0, 1, 2], ["modified", "fixed-seeds"])
    assert (claim["expected_runs"], claim["most_runs"]) == (6, 6)
    assert claim["command"].endswith("toy-claim.yaml -s far.value=4 --seeds 3")
    common = {"runs": 3, "expected_runs": 3.0, "most_runs": 3, "memory_bytes": 3000, "stored": False}
    assert claim["arms"] == [
        {**common, "arm": "near", "changes": {}, "last_seconds": None},
        {**common, "arm": "far", "changes": {"value": {"value": 4, "by": "-s"}}, "last_seconds": None},
    ]


@pytest.mark.parametrize(
    ("changes", "words", "expected", "most"),
    [
        ([], [], [expected_runs([0.995] * 2), expected_runs([0.995])], [256, 256]),
        ([("why: the", "runs: every\n    why: the")], [], [expected_runs([0.995])] * 2, [256, 256]),
        ([("below: 1e-2", "below: 1e-2, runs: every")], [], [expected_runs([0.995])] * 2, [256, 256]),
        ([], ["--no-controls"], [expected_runs([0.995] * 2)], [256]),
        ([], ["--seeds", "20"], [20, 20], [20, 20]),
        ([], ["--quick"], [2, 2], [2, 2]),
        ([("seeds: 4\n", "seeds: 32\n")], [], [expected_runs([0.995] * 2, 32), 32.366], [256, 256]),
        ([("seeds: 4\n", "seeds: 300\n")], [], [300, 300], [300, 300]),
    ],
)
def test_it_gives_the_expected_and_the_largest_number_of_runs(
    command: Command,
    write_claim: Write,
    changes: list[tuple[str, str]],
    words: list[str],
    expected: list[float],
    most: list[int],
) -> None:
    path = write_claim(*changes)
    (claim,) = json.loads(command("run", path, "-n", "--json", *words)[1])["claims"]
    assert [arm["expected_runs"] for arm in claim["arms"]] == pytest.approx(expected, rel=1e-3)
    assert [arm["most_runs"] for arm in claim["arms"]] == most
    assert claim["expected_runs"] == pytest.approx(sum(arm["expected_runs"] for arm in claim["arms"]))
    assert (claim["most_runs"], claim["expected_at_share"]) == (sum(most), 0.995)


def test_text_from_elsewhere_is_data_in_every_form(
    command: Command, write_claim: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write_claim(("title: The toy is near one", 'title: "\\e[2J\\u202e\\n::error::x"'))
    (tmp_path / "b\x1b[31m\u202e\udcff\n::error::.yaml").write_text("x")
    pages = ""
    for words in (["run", tmp_path, "-n"], ["run", tmp_path, "-n", "--json"], ["show", tmp_path, "--json"]):
        code, out, err = command(*words)
        assert code == 2
        assert "b\\x1b[31m\\u202e\\xff\\n::error::.yaml:1:1: expected a mapping of keys, found 'x'" in err
        pages += out + err
    assert not {"\x1b", "\u202e", "\udcff"} & set(pages)
    assert not [line for line in pages.splitlines() if line.lstrip().startswith("::")]
