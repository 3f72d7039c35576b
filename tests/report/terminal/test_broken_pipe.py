"""Readers of a pipe that leave early: a quiet end, and the command's own exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def inconclusive(command: Command, write_claim: Write) -> None:
    """A stored run whose exit code is no other fault's."""
    assert command("run", write_claim(), "-s", "behaviour=diverges", "-q")[0] == 4


def without_a_reader(words: list[str], folder: Path, both: bool = False) -> subprocess.CompletedProcess[bytes]:
    """The command line, started on a pipe that nobody reads any more; on request with its errors on it too."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        errors = writing if both else subprocess.PIPE
        line = [sys.executable, "-m", "dlnrepro", *words]
        return subprocess.run(line, cwd=folder, stdout=writing, stderr=errors, check=False)
    finally:
        os.close(writing)


@pytest.mark.slow
@pytest.mark.usefixtures("inconclusive")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["report", "-v"], 4),
        (["report", "--json"], 4),
        (["list"], 0),
        (["show", "winner-takes-all"], 0),
        (["--help"], 0),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_a_reader_that_leaves_changes_no_exit_code(tmp_path: Path, words: list[str], code: int) -> None:
    done = without_a_reader(words, tmp_path)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.slow
@pytest.mark.usefixtures("inconclusive")
def test_a_reader_of_both_streams_may_leave_too(tmp_path: Path) -> None:
    assert without_a_reader(["report", "no-such-run"], tmp_path, both=True).returncode == 2


@pytest.mark.slow
@pytest.mark.usefixtures("inconclusive")
def test_what_is_read_before_is_whole(tmp_path: Path) -> None:
    command = f"'{sys.executable}' -m dlnrepro report -v | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        4,
        "MODIFIED: behaviour diverges (claim file: steady) in every arm\n",
        "",
    )


@pytest.mark.slow
@pytest.mark.usefixtures("inconclusive")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(("words", "code"), [(["report"], 4), (["list"], 2)], ids=["report", "list"])
def test_a_full_disk_is_one_clear_line_and_no_success(tmp_path: Path, words: list[str], code: int) -> None:
    line = [sys.executable, "-m", "dlnrepro", *words]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(line, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "standard output: expected that all output can be written, found: no space left on device\n"
    assert (done.returncode, done.stderr) == (code, said)
