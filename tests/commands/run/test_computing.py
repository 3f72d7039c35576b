"""`dlnrepro run` computes what is not stored, in one process or several, and keeps what is finished."""

from __future__ import annotations

import json
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


@pytest.mark.slow
def test_stored_arms_are_used_again_and_labelled(command: Command, write_claim: Write) -> None:
    first = json.loads(command("run", write_claim(), "--json")[1])["claims"][0]
    again = json.loads(command("run", write_claim(), "--json")[1])["claims"][0]
    assert (first["stamps"], again["stamps"]) == ([], ["cached"])
    assert first["outcomes"] == again["outcomes"]
    again = json.loads(command("run", write_claim(), "--json", "--no-cache")[1])["claims"][0]
    assert again["stamps"] == []
    part = write_claim(("far: {value: 5.0}", "far: {value: 6.0}"))
    assert "1 arm to compute" in command("run", part)[2]


def test_what_failed_or_was_stopped_is_never_stored(command: Command, write_claim: Write, tmp_path: Path) -> None:
    command("run", write_claim(), "-s", "behaviour=raises", "-q")
    command("run", write_claim(), "-s", "behaviour=slow", "--budget", "0.1", "-q")
    assert list((tmp_path / "outputs" / "cells").iterdir()) == []


def test_two_claims_that_share_arms_compute_them_once(command: Command, write_claim: Write, tmp_path: Path) -> None:
    write_claim(name="a-claim")
    write_claim(name="b-claim")
    code, out, err = command("run", tmp_path, "--json")
    assert code == 0
    assert "2 claims: 2 arms to compute (controls included)\n" in err
    first, second = json.loads(out)["claims"]
    assert first["outcomes"] == second["outcomes"]
    assert second["stamps"] == []


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 5])
def test_results_of_workers_are_bitwise_identical_to_those_of_one_process(
    command: Command, write_claim: Write, workers: int
) -> None:
    alone = json.loads(command("run", write_claim(), "--json", "--no-cache", "-j", 1)[1])
    shared = json.loads(command("run", write_claim(), "--json", "--no-cache", "-j", workers)[1])
    in_one_process, in_several = alone["claims"][0], shared["claims"][0]
    assert in_one_process["criteria"] == in_several["criteria"]
    assert in_one_process["drawings"] == in_several["drawings"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.slow
def test_an_interrupt_saves_and_reports_what_is_finished(write_claim: Write, tmp_path: Path, workers: int) -> None:
    write_claim(name="a-quick")
    write_claim(("steady", "slow"), name="b-slow")
    code = (
        "import signal, sys, dlnrepro.runners\n"
        # A shell that runs the tests in the background ignores interrupts, and a child would inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"dlnrepro.runners.__path__.append({str(Path(__file__).parent.parent.parent / 'toys')!r})\n"
        f"sys.argv = ['dlnrepro', 'run', '.', '-j', '{workers}']\n"
        "from dlnrepro.cli import main\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            if "a-quick: reproduced" in line:
                break
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        out = process.stdout.read()
        assert process.wait(20) == 130
    assert "✓ reproduced a-quick" in out
    assert "ended by SIGINT: the claims that are not listed did not finish" in out
    report = json.loads((tmp_path / "outputs" / "latest" / "report.json").read_bytes())
    assert [claim["id"] for claim in report["claims"]] == ["a-quick"]
    assert report["exit_code"] == 130
