"""What survives: a killed run, two runs at once in one folder, a disk that fills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

PROGRAM = (
    "import sys, dlnrepro.runners\n"
    f"dlnrepro.runners.__path__.append({str(Path(__file__).parent.parent / 'toys')!r})\n"
    "from dlnrepro.cli import main\n"
    "main()\n"
)


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The program in a process of its own, with the toys."""
    words = (sys.executable, "-c", PROGRAM, "run", ".", *words)
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def children(parent: int) -> list[int]:
    """The processes that a process has started."""
    tasks = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(child) for child in tasks.read_text().split()]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see the workers")
@pytest.mark.slow
def test_a_killed_run_loses_only_what_it_was_computing(command: Command, write_claim: Write, tmp_path: Path) -> None:
    write_claim(("seeds: 4", "seeds: 16"), name="a-quick")
    slow = write_claim(("behaviour: steady", "behaviour: slow"), name="b-slow")
    with begin(tmp_path, "-j", "2") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "a-quick: reproduced" in line:
                break
        deadline = time.monotonic() + 20
        while not (workers := children(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert workers
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers), "workers outlived their parent"
    assert len(list((tmp_path / "outputs" / "cells").glob("*.npz"))) == 2
    slow.unlink()
    code, _, err = command("run", ".")
    assert (code, err.splitlines()[0]) == (0, "1 claim: 0 arms to compute (controls included); 2 more are cached")


@pytest.mark.slow
def test_two_runs_at_once_do_not_harm_each_other(command: Command, write_claim: Write, tmp_path: Path) -> None:
    write_claim(name="a-claim")
    write_claim(("value: 1\n", "value: 1.05\n"), name="b-claim")
    both = [begin(tmp_path, "--no-cache", "-j", "1") for _ in range(2)]
    outs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    assert len(list((tmp_path / "outputs" / "reports").iterdir())) in (1, 2)
    assert not list((tmp_path / "outputs").rglob(".unfinished-*"))
    assert command("report")[0] == 0


def test_on_a_full_disk_the_report_is_shown_and_one_line_says_why_it_is_not_stored(
    command: Command, write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = write_claim()
    monkeypatch.setattr("dlnrepro.files.os.replace", full)
    code, out, err = command("run", path, "-q")
    assert code == 2
    assert "✓ reproduced toy-claim" in out
    assert err.count("\n") == 1
    assert err.endswith("report.json: expected a file that can be written, found: no space left on device\n")
