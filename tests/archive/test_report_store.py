"""Reports on disk: whole or not there, found again, checked against their manifests."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.archive.last_results import arm_seconds, last_verdicts
from dlnrepro.archive.record import Report, compile_report, from_json
from dlnrepro.archive.report_store import make_folders, read_report, write_report
from dlnrepro.errors import UsageError
from dlnrepro.verdict.outcome import LARGEST_SEED


def empty_report() -> Report:
    """A report without claims."""
    return compile_report([], {}, interrupted=None, allow_inconclusive=False)


def test_the_newest_report_is_found_and_latest_points_at_it(tmp_path: Path) -> None:
    make_folders(tmp_path)
    write_report(tmp_path, empty_report(), datetime(2026, 1, 1, tzinfo=UTC))
    newest = compile_report([], {"command": ["dlnrepro"]}, interrupted=130, allow_inconclusive=False)
    folder = write_report(tmp_path, newest, datetime(2026, 1, 2, tzinfo=UTC))
    assert read_report(tmp_path, None) == newest
    assert read_report(tmp_path, folder.name) == newest
    assert read_report(tmp_path, str(folder)) == newest
    assert (tmp_path / "latest").resolve() == folder.resolve()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema": 2}', "\x00"])
def test_a_stored_report_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="expected a report, found an error in"):
        read_report(tmp_path, str(path))


def test_no_report_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a stored report, found none; 'dlnrepro run' makes one"):
        read_report(tmp_path, None)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="expected a folder that can be written"):
        make_folders(tmp_path / "file")


def test_the_report_is_the_same_after_a_round_trip(
    write_claim: Callable[..., Path], command: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = command("run", write_claim(), "--json")
    assert code == 0
    from dlnrepro.archive.record import from_json, judged_again, to_json

    report = from_json(out.encode())
    assert to_json(report).decode() == out
    assert judged_again(report) == report


def test_a_stored_report_has_a_manifest_that_other_programs_can_check(tmp_path: Path) -> None:
    make_folders(tmp_path)
    folder = write_report(tmp_path, empty_report(), datetime(2026, 1, 1, tzinfo=UTC))
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == "report.json: OK\nverdicts.json: OK\n"


def test_a_tampered_report_is_named(tmp_path: Path) -> None:
    make_folders(tmp_path)
    folder = write_report(tmp_path, empty_report(), datetime(2026, 1, 1, tzinfo=UTC))
    path = folder / "report.json"
    path.write_bytes(path.read_bytes().replace(b'"reproduced": 0', b'"reproduced": 9'))
    with pytest.raises(
        UsageError, match=r"report\.json: expected the contents that SHA256SUMS lists, found other contents"
    ):
        read_report(tmp_path, None)
    (folder / "SHA256SUMS").write_text("")
    with pytest.raises(UsageError, match=r"SHA256SUMS: expected report\.json among its files, found it missing"):
        read_report(tmp_path, None)
    (folder / "SHA256SUMS").unlink()
    assert read_report(tmp_path, None).counts["reproduced"] == 9


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("nonsense", ":1: expected a SHA-256 and the name of a file, found 'nonsense'"),
        ("0" * 64 + "  ../other\n", ":1: expected a SHA-256 and the name of a file"),
        ("0" * 64 + "  gone\n", "gone: expected the file that SHA256SUMS lists, found: no such file or directory"),
    ],
)
def test_a_manifest_that_is_none_is_named(tmp_path: Path, text: str, fault: str) -> None:
    make_folders(tmp_path)
    folder = write_report(tmp_path, empty_report(), datetime(2026, 1, 1, tzinfo=UTC))
    (folder / "SHA256SUMS").write_text(text)
    with pytest.raises(UsageError, match=re.escape(fault)):
        read_report(tmp_path, None)


def test_no_result_of_a_claim_overwrites_another_variation_of_it(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], tmp_path: Path
) -> None:
    reports = [from_json(command("run", write_claim(), *words, "--json")[1].encode()) for words in ([], ["--quick"])]
    both = replace(reports[0], claims=[*reports[0].claims, *reports[1].claims])
    folder = write_report(tmp_path / "both", both, datetime(2026, 1, 1, tzinfo=UTC))
    assert read_report(tmp_path / "both", None) == both
    assert {key: list(rows) for key, rows in json.loads((folder / "verdicts.json").read_text()).items()} == {
        "toy-claim": ["", "--quick"]
    }
    assert last_verdicts(tmp_path / "both")["toy-claim"].stamps == ()
    assert list(arm_seconds(tmp_path / "both", [("toy-claim", ""), ("toy-claim", "--quick"), ("other", "")])) == [
        ("toy-claim", ""),
        ("toy-claim", "--quick"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variation", "fault"),
    [
        ({"quick": True}, "stamps: expected 'toy', as the variation has it, found none"),
        ({"controls": False}, "stamps: expected 'no-controls', as the variation has it, found none"),
        ({"overrides": {"value": 3}}, "stamps: expected 'modified', as the variation has it, found none"),
        ({"seeds": 0}, f"variation: expected at least one seed, from 0 to {LARGEST_SEED}"),
        ({"seed_base": -1}, f"variation: expected at least one seed, from 0 to {LARGEST_SEED}"),
    ],
)
def test_a_variation_that_does_not_agree_with_the_labels_of_a_record_is_refused(
    command: Callable[..., tuple[int, str, str]],
    write_claim: Callable[..., Path],
    tmp_path: Path,
    variation: dict[str, Any],
    fault: str,
) -> None:
    report = json.loads(command("run", write_claim(), "--json")[1])
    report["claims"][0]["variation"] |= variation
    path = tmp_path / "forged.json"
    path.write_text(json.dumps(report))
    assert command("report", path)[::2] == (
        2,
        f"{path}: expected a report, found an error in claims.0.{fault}\n",
    )
