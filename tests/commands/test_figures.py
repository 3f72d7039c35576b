"""Reports and pictures in files (`-o`, `--figures`): written where they are wanted, and loaded only when they are."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.report.delivery import FORMATS

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.mark.slow
def test_a_run_and_its_report_write_the_same_pictures(command: Command, write_claim: Write, tmp_path: Path) -> None:
    code, _, err = command("run", write_claim().name, "-q", "--figures", "a/b", "-o", "one.html", "-o", "one.json")
    assert (code, err) == (0, "2 figures in a/b\n")
    assert command("report", "one.json", "-q", "--figures", "c", "-o", "two.html")[0] == 0
    names = ["toy-claim.criterion-near-one.svg", "toy-claim.figure-1.svg"]
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == names
    for name in names:
        assert (tmp_path / "a" / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()
        assert ET.parse(tmp_path / "c" / name).getroot().get("width") == "360pt"
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.slow
def test_names_that_are_long_or_differ_in_capitals_only_have_files_of_their_own(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    names = ["a" * 240, "a" * 239 + "b", "rate", "Rate"]
    criteria = "".join(CRITERION.replace("near-one", name) for name in names)
    path = write_claim((CRITERION, criteria), name="t" * 240)
    assert command("run", path.name, "-q", "--figures", "pictures", "-o", "page.html")[0] == 0
    found = [file.name for file in (tmp_path / "pictures").iterdir()]
    assert len({name.casefold() for name in found}) == 5
    assert max(map(len, found)) < 230


CRITERION = """\
  - id: near-one
    says: the value is one
    measure: value
    equals: 1.0
    within: 0.1
    holds_in: [near]
    fails_in: [far]
    why: the noise is at most 1e-3
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (
            "file",
            "dlnrepro run: Invalid value for '--figures': expected a folder, found the file 'file' "
            "(see dlnrepro run --help)",
        ),
        ("file/below", "--figures file/below: expected a folder that can be written"),
        ("/dev/null/x", "--figures /dev/null/x: expected a folder that can be written"),
    ],
)
def test_a_folder_for_figures_that_cannot_be_is_refused_before_anything_is_run(
    command: Command, write_claim: Write, tmp_path: Path, place: str, line: str
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert command("run", write_claim(), "--figures", place) == (2, "", f"{line}\n")
    assert not (tmp_path / "outputs").exists()


def test_a_claim_in_error_is_drawn_without_data(command: Command, write_claim: Write, tmp_path: Path) -> None:
    assert command("run", write_claim(("steady", "raises")), "-q", "--figures", "svg", "-o", "page.html")[0] == 3
    assert "no data" in (tmp_path / "svg" / "toy-claim.figure-1.svg").read_text(encoding="utf-8")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "the toy broke" in page
    assert "! error" not in page  # the sign stands in an element of its own
    assert "</span> error" in page


@pytest.mark.slow
def test_what_draws_is_loaded_only_for_a_page_or_pictures(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['dlnrepro', *sys.argv[1:]]\n"
        "from dlnrepro.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'matplotlib', 'jinja2', 'torch'} & sys.modules.keys()))"
    )
    for words in (["report"], ["report", "--help"], ["list"], ["run", "--help"]):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_a_report_goes_to_a_file_by_its_suffix(command: Command, write_claim: Write, tmp_path: Path) -> None:
    assert command("run", write_claim(), "-o", "out.json", "-q")[0] == 0
    report = json.loads((tmp_path / "out.json").read_bytes())
    assert report["counts"] == {"reproduced": 1, "not reproduced": 0, "inconclusive": 0, "error": 0}
    check = report["claims"][0]["criteria"][0]["holds_in"][0]
    assert (check["inside"], check["outside"], check["undecided"], len(check["values"])) == (16, 0, 0, 16)
    assert {"commit", "dirty", "versions", "command", "peak_memory_bytes"} <= report["provenance"].keys()


def test_what_was_found_is_shown_though_its_figures_cannot_be_written(
    command: Command, write_claim: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_claim()
    (tmp_path / "file").write_text("")
    # As on a file system that says too late that nothing can be made in it.
    monkeypatch.setattr("dlnrepro.report.delivery.check_files", lambda *_: None)
    code, out, err = command("run", path, "-q", "--figures", "file/pictures")
    assert code == 2
    assert "✓ reproduced toy-claim" in out
    assert err == "--figures file/pictures: expected a folder that can be made, found: not a directory\n"


DELIVERY = ("--allow-inconclusive", "--json", "-o, --write FILE", "--figures DIR", "-q, --quiet", "-v, --verbose")


@pytest.mark.parametrize("name", ["run", "report"])
def test_the_help_lists_every_format_of_a_report_with_what_it_is_for(command: Command, name: str) -> None:
    code, out, _ = command(name, "--help")
    assert code == 0
    written = ", ".join(f"{suffix}: {form.says}" for suffix, form in FORMATS.items())
    assert f"in the format of its suffix ({written})" in " ".join(out.split())


def test_the_options_of_a_delivered_report_read_alike_in_every_command(command: Command) -> None:
    helps = [" ".join(command(name, "--help")[1].split()) for name in ("run", "report")]
    passages = [text[text.index(DELIVERY[0]) : text.index(DELIVERY[-1])] for text in helps]
    assert passages[0] == passages[1]
    assert [name for name in DELIVERY if name in helps[0]] == [*DELIVERY]
