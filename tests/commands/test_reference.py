"""`dlnrepro run --reference`: computes what has changed, and leaves every other file as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.compute.arithmetic import environment
from dlnrepro.registry import sources
from dlnrepro.session.late_processes import LateProcesses

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def update(command: Command, write_claim: Write, tmp_path: Path) -> Callable[..., list[str]]:
    """Update the reference of two toy claims, and give the lines on standard error."""
    folder = tmp_path / "claims"
    folder.mkdir()
    for name in ("a-toy", "b-toy"):
        write_claim(name=name).rename(folder / f"{name}.yaml")

    def run(*words: object, code: int = 0) -> list[str]:
        found, _, err = command("run", "claims", "--reference", "reference", "-q", *words)
        assert found == code
        return err.splitlines()

    return run


def stamps(folder: Path) -> dict[str, int]:
    """When each file of a folder was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_new_claims_are_computed_and_current_ones_are_left_alone(
    update: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert update() == [
        "a-toy: it has no reference yet",
        "b-toy: it has no reference yet",
        "reference: 2 references written, 0 unchanged",
    ]
    before = stamps(tmp_path / "reference")
    assert set(before) == {"a-toy.json", "b-toy.json"}
    assert update() == ["reference: 0 references written, 2 unchanged"]
    assert stamps(tmp_path / "reference") == before
    assert len([*(tmp_path / "outputs" / "reports").iterdir()]) == 1


def test_a_run_without_the_cache_computes_all_and_leaves_files_that_would_be_the_same(
    update: Callable[..., list[str]], tmp_path: Path
) -> None:
    update()
    before = stamps(tmp_path / "reference")
    assert update("--no-cache") == [
        "a-toy: --no-cache computes every claim again",
        "b-toy: --no-cache computes every claim again",
        "reference: 0 references written, 2 unchanged",
    ]
    assert stamps(tmp_path / "reference") == before


def test_a_claim_whose_file_has_changed_is_computed_and_its_file_alone_is_written(
    update: Callable[..., list[str]], tmp_path: Path
) -> None:
    update()
    before = stamps(tmp_path / "reference")
    path = tmp_path / "claims" / "b-toy.yaml"
    path.write_text(path.read_text().replace("near: {}", "near: {value: 1.01}"))
    assert update() == [
        "b-toy: its file has changed",
        "reference: 1 reference written (with changed numbers: b-toy), 1 unchanged",
    ]
    after = stamps(tmp_path / "reference")
    assert after["a-toy.json"] == before["a-toy.json"]
    assert after["b-toy.json"] != before["b-toy.json"]


def test_the_reference_of_a_claim_that_is_gone_is_removed_only_if_whole_folders_are_run(
    update: Callable[..., list[str]], command: Command, tmp_path: Path
) -> None:
    update()
    (tmp_path / "claims" / "a-toy.yaml").unlink()
    assert command("run", "claims", "--reference", "reference", "-q", "-k", "toy")[2].endswith(" 1 unchanged\n")
    assert command("run", "claims/b-toy.yaml", "--reference", "reference", "-q")[2].endswith(" 1 unchanged\n")
    assert update() == ["reference: 0 references written, 1 unchanged, removed a-toy"]
    assert set(stamps(tmp_path / "reference")) == {"b-toy.json"}


def test_the_reference_of_a_claim_of_another_folder_stays(update: Callable[..., list[str]], tmp_path: Path) -> None:
    update()
    (tmp_path / "others").mkdir()
    (tmp_path / "claims" / "a-toy.yaml").rename(tmp_path / "others" / "a-toy.yaml")
    reference = tmp_path / "reference" / "a-toy.json"
    reference.write_text(reference.read_text().replace("claims/a-toy.yaml", "others/a-toy.yaml"))
    assert update() == ["reference: 0 references written, 1 unchanged"]
    assert reference.exists()


def test_a_claim_that_fails_keeps_its_reference(update: Callable[..., list[str]], tmp_path: Path) -> None:
    update()
    before = stamps(tmp_path / "reference")
    path = tmp_path / "claims" / "b-toy.yaml"
    path.write_text(path.read_text().replace("behaviour: steady", "behaviour: raises"))
    assert update(code=3)[-2:] == [
        "reference/b-toy.json: not written, because of an error in arm near",
        "reference: 0 references written, 1 unchanged",
    ]
    assert stamps(tmp_path / "reference") == before


@pytest.mark.slow
def test_a_claim_that_was_stopped_by_its_budget_keeps_its_reference(
    update: Callable[..., list[str]], tmp_path: Path
) -> None:
    update()
    path = tmp_path / "claims" / "b-toy.yaml"
    path.write_text(path.read_text().replace("behaviour: steady", "behaviour: slow"))
    assert update("--budget", "0.2", code=4)[-2:] == [
        "reference/b-toy.json: not written, because arm near was stopped by its budget",
        "reference: 0 references written, 1 unchanged",
    ]


def test_a_dry_run_says_what_would_be_computed_and_writes_nothing(
    update: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert update("-n") == ["a-toy: it has no reference yet", "b-toy: it has no reference yet"]
    assert not (tmp_path / "reference").exists()
    update()
    assert update("-n") == []


def test_a_run_of_which_all_is_current_shows_the_reference_and_ends_with_its_exit_code(
    update: Callable[..., list[str]], command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "claims" / "b-toy.yaml"
    path.write_text(path.read_text().replace("value: 1\n", "value: 3\n"))
    update(code=1)
    code, out, _ = command("run", "claims", "--reference", "reference", "--json")
    assert code == 1
    assert [record["verdict"] for record in json.loads(out)["claims"]] == ["reproduced", "not reproduced"]


def test_another_variation_is_computed(update: Callable[..., list[str]]) -> None:
    update()
    assert update("--seeds", "5")[:1] == ["a-toy: its reference is of another variation"]


def test_what_was_made_on_another_processor_or_with_other_modes_is_computed(
    update: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    update()
    here = environment("cpu")
    other = replace(here, processor="X", arithmetic="Y")
    monkeypatch.setattr(LateProcesses, "environments", lambda _executor, _device: [other])
    words = f"processor was {here.processor} and is now X; arithmetic was {here.arithmetic} and is now Y"
    assert update("-n") == [f"a-toy: {words}", f"b-toy: {words}"]


def test_files_that_are_not_reports_are_named_and_nothing_is_run(
    update: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "reference").mkdir()
    for name in ("package", "a-toy"):
        (tmp_path / "reference" / f"{name}.json").write_text("{}")
    lines = update(code=2)
    assert lines == [
        f"reference/{name}.json: expected a report, found an error in schema: field required"
        for name in ("a-toy", "package")
    ]
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
def test_an_edit_of_a_module_makes_the_claims_due_whose_runners_import_it_and_no_other(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = ["classifier-clock", "restoration-time"]
    words = ("run", *claims, "--quick", "--seeds", "1", "--no-controls", "--reference", "reference", "-q")
    # In a process of its own: where autograd has been used, as by other tests, its threads forbid it to a fork.
    subprocess.run([sys.executable, "-m", "dlnrepro", *words], cwd=tmp_path, check=True, capture_output=True)
    assert set(stamps(tmp_path / "reference")) == {f"{name}.json" for name in claims}
    known = sources.own_digests

    def edited(roots: list[str]) -> dict[str, str]:
        found = known(roots)
        label = "dlnrepro/dynamics/training_clocks/cross_entropy.py"
        return {**found, label: "edited"} if label in found else found

    monkeypatch.setattr(sources, "own_digests", edited)
    assert command(*words, "-n")[2].splitlines() == [
        "classifier-clock: the source of runner 'classifier_clock', or of a module that it uses, has changed"
    ]
