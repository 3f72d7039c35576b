"""The Python interface gives what the command line gives."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dlnrepro
from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.compute.variation import Variation
from dlnrepro.report.page.html import to_html

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.mark.slow
def test_a_run_is_that_of_the_command_line(command: Command, write_claim: Write, tmp_path: Path) -> None:
    path = write_claim()
    code, out, _ = command("run", path, "--json", "--seed-base", "3", "-s", "value=1.05")
    threads = torch.get_num_threads()
    results = dlnrepro.run(path, seed_base=3, settings={"value": 1.05}, outputs=tmp_path / "other", cache=False)
    there, here = json.loads(out)["claims"][0], json.loads(results.to_json())["claims"][0]
    assert (results.exit_code, len(results), results["toy-claim"].verdict) == (code, 1, "reproduced")
    assert all(there[key] == here[key] for key in ("criteria", "assumptions", "digests", "cells", "params", "command"))
    assert (Path(str(results.folder)) / "report.json").read_text() == results.to_json()
    assert "✓ reproduced toy-claim" in str(results)
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_a_setting_that_does_not_reach_every_arm_says_so(
    write_claim: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dlnrepro.run(write_claim(), settings={"value": 1.05}, seeds=2, outputs=tmp_path, quiet=False)
    line = "-s value=1.05: toy-claim: applies to 1 of 2 arms, but not to the arms that set value themselves: far (5)"
    assert line in capsys.readouterr().err
    dlnrepro.run(write_claim(), settings={"value": 1.05}, seeds=2, outputs=tmp_path, quiet=True)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_process_with_its_own_threads_gives_bitwise_identical_results(tmp_path: Path, command: Command) -> None:
    # In a process of its own: where autograd has been used, as by other tests here, its threads forbid it to a fork.
    words = ["run", "winner-takes-all", "rank-one-alignment", "--quick", "-q", "-o", "one.json", "--outputs", "first"]
    subprocess.run([sys.executable, "-m", "dlnrepro", *words], cwd=tmp_path, check=True, capture_output=True)
    code = (
        "import torch, dlnrepro\n"
        "torch.set_num_threads(2)\n"
        "dlnrepro.run('winner-takes-all', 'rank-one-alignment', quick=True, outputs='other')\n"
    )
    own = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=own)
    code_, out, _ = command("diff", tmp_path / "one.json", tmp_path / "other" / "latest")
    assert (code_, "2 bitwise identical" in out) == (0, True), out


class _Frame(HTMLParser):
    """Collects the contents of frames."""

    def __init__(self) -> None:
        super().__init__()
        self.contents: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.contents.append(dict(attrs)["srcdoc"] or "")


@pytest.mark.slow
def test_in_a_notebook_the_results_show_their_page(write_claim: Write, tmp_path: Path) -> None:
    results = dlnrepro.run(write_claim(), outputs=tmp_path)
    frame = _Frame()
    frame.feed(results._repr_html_())
    assert frame.contents == [to_html(results.report).decode()]


@pytest.mark.slow
def test_results_are_looked_up_as_in_a_dictionary(write_claim: Write, tmp_path: Path) -> None:
    results = dlnrepro.run(write_claim(), outputs=tmp_path)
    (record,) = results
    with pytest.raises(KeyError, match="found 'toy-clam'; did you mean 'toy-claim'"):
        results["toy-clam"]
    assert "toy-claim" in results
    assert record in results
    assert "nope" not in results
    assert None not in results
    assert (results.keys(), results.values(), results.items()) == (["toy-claim"], [record], [("toy-claim", record)])
    assert dict(results) == {"toy-claim": record}
    assert (results.get("toy-claim"), results.get("nope")) == (record, None)
    assert results._ipython_key_completions_() == ["toy-claim"]
    assert repr(results) == "<dlnrepro.Results: 1 reproduced; exit code 0>"


@pytest.mark.slow
def test_the_results_of_one_claim_in_several_variations_have_keys_of_their_own(
    write_claim: Write, tmp_path: Path
) -> None:
    found = dlnrepro.run(write_claim(), outputs=tmp_path)
    own = found["toy-claim"]
    other, toy = (
        replace(own, variation=varied) for varied in (Variation(overrides={"value": 2}), Variation(quick=True))
    )
    results = replace(found, report=replace(found.report, claims=[other, own, toy]))
    assert results.keys() == ["toy-claim -s value=2", "toy-claim", "toy-claim --quick"]
    assert [results[key] for key, _ in results.items()] == results.values()
    modified = replace(found, report=replace(found.report, claims=[other, toy]))
    assert "toy-claim" not in modified
    with pytest.raises(
        KeyError, match="expected one of 'toy-claim -s value=2', 'toy-claim --quick', found 'toy-claim'"
    ):
        modified["toy-claim"]
    alone = replace(found, report=replace(found.report, claims=[toy]))
    assert (alone.keys(), alone["toy-claim"], alone["toy-claim --quick"]) == (["toy-claim"], toy, toy)


SURROUNDINGS = {
    "COLUMNS": "30",
    "FORCE_COLOR": "1",
    "TTY_COMPATIBLE": "1",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "JUPYTER_COLUMNS": "30",
}


@pytest.mark.slow
@pytest.mark.parametrize("notebook", [False, True])
def test_the_summary_in_print_is_the_same_everywhere(
    write_claim: Write,
    tmp_path: Path,
    notebook: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = dlnrepro.run(write_claim(), outputs=tmp_path)
    plain = str(results)
    assert "✓ reproduced toy-claim" in plain
    monkeypatch.setattr("rich.console._is_jupyter", lambda: notebook)
    for name, value in SURROUNDINGS.items():
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert str(results) == plain
    # A notebook's rich would show the text itself, and leave nothing in the file.
    assert capsys.readouterr().out == ""


def test_a_claim_can_be_loaded_and_judged_on_numbers_from_anywhere() -> None:
    claim = dlnrepro.load_claim(packaged_folder() / "winner-takes-all.yaml")
    assert dlnrepro.judge(claim, {}).word == "inconclusive"


@pytest.mark.slow
def test_every_option_of_python_reaches_the_run(
    write_claim: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether this checkout has uncommitted changes is no part of what is tested.
    monkeypatch.setattr("dlnrepro.session.execution.code_state", lambda: (None, False))

    def stamps(**options: Any) -> list[str]:
        return dlnrepro.run(path, outputs=tmp_path / "outputs", **options)["toy-claim"].stamps

    path = write_claim()
    assert stamps() == []
    assert stamps() == ["cached"]
    assert stamps(cache=False) == []
    assert stamps(quick=True) == ["toy"]
    assert stamps(controls=False) == ["no-controls", "cached"]
    assert stamps(seeds=3, cache=False) == ["fixed-seeds"]
    slow = dlnrepro.run(write_claim(("steady", "slow"), name="slow"), outputs=tmp_path / "outputs", budget=0.1)
    assert all(left.spent for left in slow["slow"].outcomes.values())
    for option in ("words", "tags"):
        with pytest.raises(dlnrepro.UsageError, match="no claim is selected"):
            stamps(**{option: "not toy"})


def test_faults_are_raised(write_claim: Write, tmp_path: Path) -> None:
    with pytest.raises(dlnrepro.ClaimError, match="expected a number, found 'one'"):
        dlnrepro.run(write_claim(("value: 1\n", "value: one\n")), outputs=tmp_path)
    with pytest.raises(dlnrepro.UsageError, match="no claim is selected"):
        dlnrepro.run(tags="no-such-tag", outputs=tmp_path)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"words": ["toy"]}, "words: expected an expression as text, or None, found ['toy']"),
    ({"tags": ("toy",)}, "tags: expected an expression as text, or None, found ('toy',)"),
    ({"quick": "no"}, "quick: expected True or False, found 'no'"),
    ({"controls": None}, "controls: expected True or False, found None"),
    ({"cache": 0}, "cache: expected True or False, found 0"),
    ({"quiet": "yes"}, "quiet: expected True or False, found 'yes'"),
    ({"device": 1}, "device: expected cpu or cuda, found '1'"),
    ({"budget": 10**400}, "budget: expected a number of seconds above 0, or None, found 1000"),
    ({"outputs": None}, "outputs: expected the path of a folder, found None"),
    ({"outputs": ""}, "outputs: expected the path of a folder, found ''"),
    ({"outputs": b"x"}, "outputs: expected the path of a folder, found b'x'"),
    ({"outputs": "a\0b"}, "outputs: expected the path of a folder, found 'a\\x00b'"),
    ({"settings": "value=1"}, "settings: expected a mapping such as {'depth': 4}, or None, found 'value=1'"),
    ({"settings": {1: 2}}, "settings: 1: expected a parameter, or an arm and a parameter with a dot between them"),
    ({"settings": {".value": 2}}, "settings: '.value': expected a parameter, or an arm and a parameter"),
    ({"settings": {"value": float("nan")}}, "settings: 'value': expected a finite number, text, True, False, None, "),
    ({"settings": {"value": b"x", "bytes": {1}}}, "settings: 'value': expected a finite number, text, True, False, "),
    ({"settings": {"value": np.array([1])}}, "settings: 'value': expected a finite number, text, True, False, None, "),
    ({"settings": {"value": "one"}}, "-s value: toy-claim: expected a number, found 'one'"),
]


@pytest.mark.parametrize(("options", "line"), WRONG, ids=[str(options)[:40] for options, _ in WRONG])
def test_an_argument_that_cannot_be_one_is_named(
    write_claim: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any], line: str
) -> None:
    with pytest.raises(dlnrepro.UsageError) as error:
        dlnrepro.run(write_claim(), **{"outputs": tmp_path / "outputs", **options})
    assert str(error.value).startswith(line)
    assert len(str(error.value).splitlines()) == len(options.get("settings", "x")) or "settings: e" in line
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("claim", [b"toy.yaml", ["toy.yaml"], 1, None])
def test_claims_are_ids_and_paths(claim: Any) -> None:
    with pytest.raises(dlnrepro.UsageError, match="claims: expected ids and paths, as separate arguments, found"):
        dlnrepro.run(claim)


@pytest.mark.slow
def test_a_number_of_numpy_is_a_number(write_claim: Write, tmp_path: Path) -> None:
    settings = {"value": np.float32(1), "bytes": np.int64(2000)}
    results = dlnrepro.run(write_claim(), settings=settings, seeds=np.int64(2), quick=True, outputs=tmp_path)
    assert results["toy-claim"].params["near"] == {"value": 1.0, "behaviour": "steady", "bytes": 2000}


def test_a_claim_is_loaded_from_a_path_of_either_kind(write_claim: Write) -> None:
    path = write_claim()
    assert dlnrepro.load_claim(str(path)) == dlnrepro.load_claim(path)
    for wrong in (b"toy.yaml", 1, None, ""):
        with pytest.raises(dlnrepro.UsageError, match="expected the path of a claim file, found"):
            dlnrepro.load_claim(wrong)  # type: ignore[arg-type]


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, dlnrepro; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert {"run", "load_claim", "judge", "__version__"} <= set(dir(dlnrepro))


@pytest.mark.slow
def test_what_was_found_is_given_though_it_cannot_be_stored(
    write_claim: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise dlnrepro.UsageError("report.json: expected a file that can be written, found: no space left on device")

    monkeypatch.setattr("dlnrepro.session.run.write_report", full)
    with pytest.warns(RuntimeWarning, match=r"the report is not stored: report\.json: expected a file"):
        results = dlnrepro.run(write_claim(), outputs=tmp_path)
    assert results.folder is None
    assert results["toy-claim"].verdict == "reproduced"
