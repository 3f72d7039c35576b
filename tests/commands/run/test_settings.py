"""`dlnrepro run` with another choice of claims or with other settings, and the names of its options."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def test_last_failed_runs_only_what_was_not_as_expected(command: Command, write_claim: Write, tmp_path: Path) -> None:
    write_claim(("value: 1\n", "value: 3\n"), name="a-broken")
    write_claim(name="b-whole")
    command("run", tmp_path, "-q")
    _, out, _ = command("run", tmp_path, "--last-failed", "--json")
    assert [claim["id"] for claim in json.loads(out)["claims"]] == ["a-broken"]
    assert command("run", tmp_path, "--last-failed", "--quick")[::2] == (5, "no claim is selected\n")


def test_a_dry_run_trains_and_writes_nothing(command: Command, write_claim: Write, tmp_path: Path) -> None:
    code, out, _ = command("run", write_claim(("steady", "raises")), "-n")
    assert code == 0
    assert "toy-claim: 2 arms with 4 runs each, runner toy" in out
    assert not (tmp_path / "outputs").exists()


def test_nothing_selected_has_its_own_code(command: Command, write_claim: Write) -> None:
    assert command("run", write_claim(), "-k", "margin")[::2] == (5, "no claim is selected\n")


def test_options_have_the_names_of_the_python_interface_and_keep_their_older_ones(
    command: Command, write_claim: Write
) -> None:
    new = ["--words", "toy", "--tags", "small", "--settings", "value=1.01", "--workers", "1", "--write", "new.json"]
    old = ["-k", "toy", "-m", "small", "--set", "value=1.01", "--jobs", "auto", "--output", "old.json"]
    found = []
    for words in ([*new, "--budget", "5m"], [*old, "--budget", "300"]):
        assert command("run", write_claim(), "-q", "--no-cache", *words)[0] == 0
        found.append(json.loads(Path(words[words.index("--budget") - 1]).read_bytes())["claims"][0]["criteria"])
    assert found[0] == found[1]
    shown = command("run", "--help")[1]
    assert all(name in shown for name in ("--words", "--settings", "--workers", "--write", "--lf"))
    assert not any(re.search(rf"{name}[ ,]", shown) for name in ("--set", "--jobs", "--output"))


def test_an_override_that_does_not_reach_every_arm_says_so(command: Command, write_claim: Write) -> None:
    code, _, err = command("run", write_claim(), "-q", "-s", "value=1.01")
    assert code == 0
    assert err == (
        "-s value=1.01: toy-claim: applies to 1 of 2 arms, but not to the arms that set value themselves: far (5) "
        "(-s ARM.value=... applies to one arm)\n"
    )


def test_a_setting_of_one_arm_is_run_and_repeated(command: Command, write_claim: Write) -> None:
    path = write_claim()
    code, out, err = command("run", path, "--json", "-q", "-s", "far.value=1")
    (claim,) = json.loads(out)["claims"]
    assert (code, err, claim["stamps"], claim["params"]["far"]["value"]) == (4, "", ["modified"], 1)
    again = claim["command"].split()[2:]
    assert json.loads(command("run", *again, "--json")[1])["claims"][0]["outcomes"] == claim["outcomes"]
    own = json.loads(command("run", path, "--json", "-s", "far.value=5.0")[1])["claims"][0]
    assert "modified" not in own["stamps"]
