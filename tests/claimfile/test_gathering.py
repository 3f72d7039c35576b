"""What is selected: valid claims, and every other file, which is named and never lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.gathering import gathered, passed_over
from dlnrepro.claimfile.loader import load_claim
from tests.refusal import refusal

Write = Callable[..., Path]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(write_claim: Write, tmp_path: Path) -> Path:
    """A folder with a valid claim, one with a wrong key, one with a wrong measure, and a broken link."""
    write_claim(name="good")
    write_claim(("seeds: 4\n", "seeds: 0\n"), name="bad")
    write_claim(("measure: value", "measure: valu"), name="worse")
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    return tmp_path


def test_a_file_that_is_not_a_claim_does_not_remove_the_valid_claims(folder: Path) -> None:
    selection = gathered([str(folder)])
    assert [claim.id for claim, _ in selection.claims] == ["good", "worse"]
    assert [str(fault) for fault in selection.faults] == [
        f"{folder}/bad.yaml:12:1: seeds: expected a number of at least 1, found 0",
        f"{folder}/gone.yaml:1:1: expected a readable file, found: no such file or directory",
    ]
    held = gathered([str(folder)], load=load_claim)
    assert [claim.id for claim, _ in held.claims] == ["good"]
    assert [(item.code, Path(str(item.path)).name) for item in held.unjudged] == [
        (2, "bad.yaml"), (2, "gone.yaml"), (2, "worse.yaml"),
    ]  # fmt: skip
    first = held.unjudged[0]
    assert (first.line, first.column, first.text) == (12, 1, "seeds: expected a number of at least 1, found 0")
    assert [claim.id for claim, _ in gathered([str(folder)], "good").claims] == ["good"]


def test_a_file_that_is_named_by_itself_has_to_be_valid(folder: Path) -> None:
    assert refusal(lambda: gathered([str(folder), str(folder / "bad.yaml")])) == (
        f"{folder}/bad.yaml:12:1: seeds: expected a number of at least 1, found 0\n"
        f"{folder}/gone.yaml:1:1: expected a readable file, found: no such file or directory"
    )


@pytest.mark.parametrize("words", [["check"], ["run", "-q"], ["run", "-q", "-k", "good"], ["run", "-n"]])
def test_every_command_names_the_bad_files_and_ends_with_their_code(
    command: Command, folder: Path, words: list[str]
) -> None:
    code, out, err = command(*words, folder)
    assert code == 2
    assert "bad.yaml:12:1: seeds: expected a number of at least 1, found 0" in err
    assert "gone.yaml:1:1: expected a readable file" in err
    assert words[0] == "check" or "good" in out
    assert not (folder / "outputs").exists() or "reports" in out


def test_list_shows_the_good_claims_of_the_folder_claims(command: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    for path in folder.glob("*.yaml"):
        path.rename(tmp_path / "claims" / path.name)
    (tmp_path / "claims" / "._good.yaml").write_bytes(b"\0")
    code, out, err = command("list")
    assert code == 2
    assert "  good   not run yet" in out
    assert err.splitlines() == [
        "skipped: claims/._good.yaml (hidden)",
        "claims/bad.yaml:12:1: seeds: expected a number of at least 1, found 0",
        "claims/gone.yaml:1:1: expected a readable file, found: no such file or directory",
    ]
    (tmp_path / "claims" / "bad.yaml").unlink()
    (tmp_path / "claims" / "gone.yaml").unlink()
    assert command("list")[0] == 0


def test_a_claim_that_fails_is_more_serious_than_a_file_that_is_none(command: Command, write_claim: Write) -> None:
    folder = write_claim(("value: 1\n", "value: 3\n"), name="fails").parent
    write_claim(("seeds: 4\n", "seeds: 0\n"), name="bad")
    assert command("run", folder, "-q")[0] == 1


def test_two_files_of_one_id_are_refused_by_name_and_left_out_of_a_folder(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    text = write_claim(name="other").read_text()
    for name in ("a/tiny.yaml", "b/tiny.yaml", "c/twin.yaml", "c/twin.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    lines = [
        "a/tiny.yaml:1:1: expected each id once, found 'tiny' also in b/tiny.yaml",
        "b/tiny.yaml:1:1: expected each id once, found 'tiny' also in a/tiny.yaml",
    ]
    for words in (["check"], ["run"], ["run", "-n"]):
        code, out, err = command(*words, "a/tiny.yaml", "b/tiny.yaml")
        assert (code, out, err.splitlines()) == (2, "", lines)
    code, out, err = command("run", ".", "-q")
    assert code == 2
    assert err.splitlines()[:2] == lines
    assert "c/twin.yml:1:1: expected each id once, found 'twin' also in c/twin.yaml" in err
    assert "✓ reproduced other" in out
    assert command("run", "a/tiny.yaml", "a/../a/tiny.yaml", "-q")[0] == 0


def test_more_hidden_files_than_five_are_counted() -> None:
    lines = passed_over([Path(f".{number}.yaml") for number in range(7)])
    assert lines[0] == "skipped: .0.yaml (hidden)"
    assert lines[5:] == ["skipped: 2 more hidden files"]
    assert passed_over([Path("a\n.yaml")]) == ["skipped: a\\n.yaml (hidden)"]
