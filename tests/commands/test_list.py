"""What a list keeps of each claim: it is used only as long as nothing has changed, and never in place of an error."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import dlnrepro.claimfile.listed as module
from dlnrepro.claimfile.gathering import gathered
from dlnrepro.claimfile.listed import as_listed, listed
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.registry.kept import READERS
from dlnrepro.registry.sources import own_digests

Write = Callable[..., Path]


@pytest.fixture
def kept(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, write_claim: Write) -> Path:
    """The file that a list keeps, for a folder `claims` with three claims, of which a list keeps what it reads."""
    monkeypatch.setattr(module, "FEWEST", 1)
    # The runner of the toy claims belongs to the tests, and a list keeps only claims of runners that are always there.
    monkeypatch.setattr("dlnrepro.registry.names.comes_with_the_program", lambda name: name == "toy")
    (tmp_path / "claims").mkdir()
    for name in ("one", "two", "three"):
        write_claim(("title: The toy", f"title: Claim {name}"), name=name).rename(tmp_path / "claims" / f"{name}.yaml")
    monkeypatch.chdir(tmp_path)
    return cache / "listed-claims.json"


def count_reading(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read as claims from now on."""
    read: list[str] = []

    def reading(path: Path) -> object:
        read.append(path.stem)
        return read_claim(path)

    monkeypatch.setattr("dlnrepro.claimfile.loader.read_claim", reading)
    return read


def test_a_second_list_is_the_same_and_reads_no_claim(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = listed(None, None)
    assert [claim.id for claim, _ in first.claims] == ["one", "three", "two"]
    assert kept.is_file()
    read = count_reading(monkeypatch)
    assert listed(None, None) == first
    assert read == []


def test_what_is_kept_is_what_the_file_says(kept: Path) -> None:
    for _ in range(2):
        assert [claim for claim, _ in listed(None, None).claims] == [
            as_listed(claim) for claim, _ in gathered(()).claims
        ]
    assert kept.is_file()


def test_a_changed_file_is_read_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(None, None)
    path = kept.parents[2] / "claims" / "two.yaml"
    path.write_text(path.read_text().replace("Claim two", "Claim deux"))
    read = count_reading(monkeypatch)
    assert sorted(claim.title for claim, _ in listed(None, None).claims)[0].startswith("Claim deux")
    assert read == ["two"]


def test_an_invalid_file_has_its_error_in_every_list(kept: Path) -> None:
    path = kept.parents[2] / "claims" / "two.yaml"
    path.write_text(path.read_text().replace("seeds: 4\n", "seeds: 0\n"))
    faults = [[str(fault) for fault in listed(None, None).faults] for _ in range(2)]
    assert faults[0] == faults[1] == ["claims/two.yaml:12:1: seeds: expected a number of at least 1, found 0"]


def test_a_file_with_another_name_is_read_again(kept: Path) -> None:
    listed(None, None)
    folder = kept.parents[2] / "claims"
    (folder / "two.yaml").rename(folder / "deux.yaml")
    assert {claim.id for claim, _ in listed(None, None).claims} == {"deux", "one", "three"}


@pytest.mark.usefixtures("kept")
def test_the_claims_of_a_runner_of_another_package_are_always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlnrepro.registry.names.comes_with_the_program", lambda _: False)
    listed(None, None)
    read = count_reading(monkeypatch)
    listed(None, None)
    assert sorted(read) == ["one", "three", "two"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"code": 1}', b"\xff", b"[" * 100_000], ids=lambda content: str(content[:8])
)
def test_a_damaged_kept_file_is_not_used(kept: Path, content: bytes) -> None:
    first = listed(None, None)
    kept.write_bytes(content)
    assert listed(None, None) == first


def test_entries_that_are_no_claims_are_not_used(kept: Path) -> None:
    first = listed(None, None)
    stored = json.loads(kept.read_bytes())
    entries: list[object] = [None, {}, {"id": 1, "source": {}, "tags": 3}]
    stored["entries"] = dict(zip(stored["entries"], entries, strict=True))
    kept.write_text(json.dumps(stored))
    assert listed(None, None) == first


@pytest.mark.usefixtures("kept")
def test_what_other_code_has_kept_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(None, None)
    monkeypatch.setattr(module, "code_digest", lambda *_: "other code")
    read = count_reading(monkeypatch)
    listed(None, None)
    assert sorted(read) == ["one", "three", "two"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_without_a_cache_folder_that_can_be_written_every_file_is_read(kept: Path) -> None:
    kept.parents[1].mkdir()
    kept.parents[1].chmod(0o500)
    assert len(listed(None, None).claims) == 3
    assert not kept.exists()


def test_a_file_in_place_of_the_cache_folder_does_no_harm(kept: Path) -> None:
    kept.parents[1].write_text("no folder")
    assert len(listed(None, None).claims) == 3


def test_the_digest_of_code_changes_with_each_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "part.py").write_text("A = 1\n")
    monkeypatch.setattr("dlnrepro.registry.kept._PACKAGE", tmp_path)
    from dlnrepro.registry.kept import code_digest

    first = code_digest("inner")
    assert code_digest("inner") == first
    os.utime(tmp_path / "inner" / "part.py", (time.time() + 5, time.time() + 5))
    assert code_digest("inner") != first
    (tmp_path / "inner" / "other.py").write_text("")
    assert code_digest("inner") not in {first, code_digest("inner/part.py")}


def test_the_code_that_reads_claims_is_all_that_reading_a_claim_imports() -> None:
    needed = {label.removeprefix("dlnrepro/") for label in own_digests(["dlnrepro.claimfile.loader"])}
    assert {label for label in needed if not label.startswith(READERS)} == set()
