"""A folder of reports is read as one report by every command that reads a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def folder(command: Command, write_claim: Write, tmp_path: Path) -> Path:
    """A folder with the reports of two toy claims, and the last report of both."""
    folder = tmp_path / "reports"
    folder.mkdir()
    for name in ("b-toy", "a-toy"):
        command("run", write_claim(name=name), "-q", "-o", folder / f"{name}.json")
    command("run", tmp_path / "a-toy.yaml", tmp_path / "b-toy.yaml", "-q")
    return folder


def edit(path: Path, **provenance: Any) -> None:
    """Change entries of the provenance of a report, and of what computed its arms."""
    found = json.loads(path.read_text())
    for made in (found["provenance"], *(m for record in found["claims"] for m in record["computed_on"].values())):
        made |= {key: value for key, value in provenance.items() if key in made or made is found["provenance"]}
    path.write_text(json.dumps(found))


@pytest.mark.slow
def test_a_folder_is_compared_with_a_run(command: Command, folder: Path) -> None:
    code, out, err = command("diff", folder, "latest")
    assert (code, err) == (0, "")
    assert out == (
        "= a-toy reproduced 64 numbers, bitwise identical\n"
        "= b-toy reproduced 64 numbers, bitwise identical\n\n"
        "2 claims compared, no verdict changed, 2 bitwise identical\n"
    )


def test_a_folder_is_shown_with_its_claims_in_the_order_of_their_names(command: Command, folder: Path) -> None:
    code, out, err = command("report", folder, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert [record["id"] for record in found["claims"]] == ["a-toy", "b-toy"]
    assert found["counts"]["reproduced"] == 2


def test_a_folder_is_replayed(command: Command, folder: Path) -> None:
    code, out, _ = command("replay", folder, "-q")
    assert code == 0
    assert "2 claims compared, no verdict changed, 2 bitwise identical" in out


def test_numbers_of_one_claim_are_stale_by_what_computed_them(command: Command, folder: Path) -> None:
    edit(folder / "a-toy.json", processor="another")
    code, out, _ = command("report", folder, "--json")
    found = {record["id"]: (record["verdict"], record["stamps"]) for record in json.loads(out)["claims"]}
    assert (code, found) == (
        4,
        {
            "a-toy": ("inconclusive", ["cached", "stale"]),
            "b-toy": ("reproduced", []),
        },
    )


@pytest.mark.slow
def test_differing_provenance_is_said_in_the_summary_the_page_and_markdown(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    edit(folder / "a-toy.json", platform="Plan9 mips")
    edit(folder / "b-toy.json", platform="Linux x86_64")
    code, out, _ = command("report", folder, "-q", "-o", tmp_path / "x.html", "-o", tmp_path / "x.md")
    assert code == 0
    words = "Plan9 mips (a-toy); Linux x86_64 (b-toy)"
    assert f"made with different platform: {words}" in " ".join(out.split())
    assert f"<dt>platform</dt><dd>{words}</dd>" in (tmp_path / "x.html").read_text()
    assert f"platform {words}" in (tmp_path / "x.md").read_text()


def test_a_comparison_names_the_claims_that_were_made_elsewhere(command: Command, folder: Path) -> None:
    edit(folder / "a-toy.json", commit="one")
    edit(folder / "b-toy.json", commit="two")
    out = command("diff", folder, folder / "a-toy.json")[1]
    assert "(first and second report): commit" not in out
    out = " ".join(command("diff", folder, "latest")[1].split())
    assert "(a-toy); commit two and " in out


def test_every_file_that_is_not_a_report_is_one_line(command: Command, folder: Path) -> None:
    (folder / "a-toy.json").write_text("{")
    (folder / "other.json").write_text('{"name": "package"}')
    for words in (("report", folder), ("replay", folder), ("diff", folder, "latest")):
        code, out, err = command(*words)
        assert (code, out) == (2, "")
        first, second = err.splitlines()
        assert first.startswith(
            f"{folder / 'a-toy.json'}: expected a report, found an error in the whole: invalid json:"
        )
        assert second == f"{folder / 'other.json'}: expected a report, found an error in schema: field required"


def test_a_claim_file_is_called_a_claim_file_and_not_a_broken_report(command: Command, folder: Path) -> None:
    (folder / "a-toy.yaml").write_text("title: x")
    line = "expected a stored report, or a claim that is in one, found a claim file"
    path = folder / "a-toy.yaml"
    known = "`dlnrepro report a-toy` shows its last report"
    assert command("report", path) == (2, "", f"{path}: {line}; {known}\n")
    other = path.rename(folder / "c-toy.yaml")
    assert command("report", other) == (2, "", f"{other}: {line}; no report contains its claim\n")


def test_a_claim_in_two_files_is_named_with_both(command: Command, folder: Path) -> None:
    (folder / "c.json").write_bytes((folder / "b-toy.json").read_bytes())
    code, out, err = command("report", folder)
    assert (code, out) == (2, "")
    both = f"found 'b-toy' also in {folder / 'b-toy.json'}"
    assert err == f"{folder / 'c.json'}: expected each claim once per variation, {both}\n"


def test_hidden_files_and_folders_are_passed_over(command: Command, folder: Path) -> None:
    (folder / ".settings.json").write_text("{}")
    (folder / "inner.json").mkdir()
    (folder / "inner.json" / "x.json").write_text("{}")
    assert command("report", folder, "-q")[0] == 0


def test_a_folder_without_reports_is_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = command("report", "empty")
    assert (code, out) == (2, "")
    assert err == (
        "empty: expected a stored report, or a claim that is in one, found none at empty or empty/report.json or "
        "empty/*.json or outputs/reports/empty/report.json\n"
    )
