"""A report always appears, with the documented exit code: whatever a runner does, and whatever ends the program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

PROGRAM = (
    "import signal, sys, dlnrepro.runners\n"
    # A shell that runs the tests in the background ignores interrupts, `nohup` ignores SIGHUP; a child inherits both.
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "if hasattr(signal, 'SIGHUP'): signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
    f"dlnrepro.runners.__path__.append({str(Path(__file__).parent.parent / 'toys')!r})\n"
    "from dlnrepro.cli import main\n"
    "main()\n"
)

RUDE = (
    ("runner: toy", "runner: rude"),
    ("  behaviour: steady\n  bytes: 1000\n", "  behaviour: steady\n"),
    ("value: 1\n", "value: 1.0\n"),
    ("assumptions:\n  - {says: the noise is small, measure: noise, below: 1e-2, holds_in: near}\n", ""),
)


@pytest.fixture
def write_rude(write_claim: Write) -> Write:
    """Write a claim whose tested arm misbehaves, and give its path."""

    def write(behaviour: str, name: str) -> Path:
        return write_claim(*RUDE, ("near: {}", f"near: {{behaviour: {behaviour}}}"), name=name)

    return write


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("behaviour", ["exit-0", "os-exit-0", "keyboard-interrupt", "killed", "half-character"])
def test_a_runner_that_ends_the_program_is_an_error_of_its_claim_and_other_claims_are_judged(
    command: Command, write_claim: Write, write_rude: Write, tmp_path: Path, behaviour: str, workers: int
) -> None:
    write_rude(behaviour, "a-rude")
    write_claim(name="b-whole")
    code, out, _ = command("run", tmp_path, "-q", "-j", workers, "-o", "r.xml", "-o", "r.json", "-o", "r.html")
    assert code == 3
    assert "✓ reproduced b-whole" in out
    report = json.loads((tmp_path / "r.json").read_bytes())
    assert {claim["id"]: claim["verdict"] for claim in report["claims"]} == {"a-rude": "error", "b-whole": "reproduced"}
    assert report == json.loads((tmp_path / "outputs" / "latest" / "report.json").read_bytes())
    assert ET.parse(tmp_path / "r.xml").getroot().get("errors") == "1"
    assert (tmp_path / "r.html").stat().st_size > 1000


def test_what_a_runner_prints_goes_to_standard_error_and_names_its_arm(command: Command, write_rude: Write) -> None:
    code, out, err = command("run", write_rude("prints", "printing"), "--json")
    assert code == 0
    assert json.loads(out)["claims"][0]["verdict"] == "reproduced"
    assert "printing, near: a line of the runner\n" in err
    assert "printing, near: ::error::not ours\n" in err


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The program in a process of its own, with the toys, when it has judged its first claim."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "run", ".", "-o", "r.xml", "-o", "r.json", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "a-quick: reproduced" in line:
            break
    return process


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ([signal.SIGTERM], 143),
        ([signal.SIGHUP], 129),
        ([signal.SIGINT, signal.SIGINT], 130),
        ([signal.SIGINT] * 5 + [signal.SIGTERM], 130),
    ],
    ids=["terminated", "hung-up", "interrupted-twice", "interrupted-many-times"],
)
def test_a_signal_leaves_a_report_of_what_was_judged(
    write_claim: Write, write_rude: Write, tmp_path: Path, numbers: list[int], code: int, workers: str
) -> None:
    write_claim(("seeds: 4", "seeds: 16"), name="a-quick")
    write_rude("stuck", "b-stuck")
    began = time.monotonic()
    with begin(tmp_path, "-j", workers) as process:
        assert process.stdout is not None
        time.sleep(0.3)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.002)
        out = process.stdout.read()
        assert process.wait(30) == code
    assert time.monotonic() - began < 40
    assert "✓ reproduced a-quick" in out
    report = json.loads((tmp_path / "outputs" / "latest" / "report.json").read_bytes())
    assert [claim["id"] for claim in report["claims"]] == ["a-quick"]
    assert (report["exit_code"], report["interrupted"]) == (code, True)
    assert report == json.loads((tmp_path / "r.json").read_bytes())
    assert ET.parse(tmp_path / "r.xml").getroot().get("errors") == "1"


def test_a_report_read_again_has_the_code_of_the_signal(command: Command, write_claim: Write, tmp_path: Path) -> None:
    command("run", write_claim(), "-q", "-o", "r.json")
    text = (tmp_path / "r.json").read_text()
    text = text.replace('"exit_code": 0', '"exit_code": 143').replace('"interrupted": false', '"interrupted": true')
    (tmp_path / "r.json").write_text(text)
    assert command("report", "r.json", "-q")[0] == 143


def test_a_fault_of_the_program_in_one_claim_leaves_the_other_claims_and_is_code_3(
    command: Command, write_claim: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlnrepro.archive.record import record_claim

    def broken(claim: object, *words: object, **named: object) -> object:
        if getattr(claim, "id", "") == "a-faulty":
            raise KeyError("lost")
        return record_claim(claim, *words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("dlnrepro.session.execution.record_claim", broken)
    write_claim(name="a-faulty")
    write_claim(name="b-whole")
    code, out, err = command("run", tmp_path, "-q", "-o", "r.json")
    assert code == 3
    assert "✓ reproduced b-whole" in out
    assert "a-faulty: could not be judged, because of an error of the program itself: KeyError: 'lost'" in err
    assert "Traceback" not in err
    (unjudged,) = json.loads((tmp_path / "r.json").read_bytes())["unjudged"]
    assert (unjudged["code"], unjudged["path"]) == (3, str(tmp_path / "a-faulty.yaml"))
    (log,) = (tmp_path / "outputs" / "faults").iterdir()
    assert "KeyError: 'lost'" in log.read_text()


def test_a_file_that_cannot_be_written_does_not_prevent_the_other_files(
    command: Command, write_claim: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ValueError("no such page")

    monkeypatch.setattr("dlnrepro.report.page.html.to_html", broken)
    code, out, err = command("run", write_claim(), "-q", "-o", "r.html", "-o", "r.json", "-o", "r.md", "-o", "r.xml")
    assert code == 3
    assert "✓ reproduced toy-claim" in out
    assert "-o r.html: expected to be written, found an error of the program itself: ValueError: no such page" in err
    assert all((tmp_path / f"r.{suffix}").is_file() for suffix in ("json", "md", "xml"))
    assert (tmp_path / "outputs" / "latest" / "report.json").is_file()


def test_an_unknown_error_is_code_3_with_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> object:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("dlnrepro.session.faults.tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("dlnrepro.claimfile.gathering.claim_files", broken)
    code, out, err = command("list")
    assert (code, out) == (3, "")
    assert err.startswith("an error of the program itself: ZeroDivisionError: by zero; the traceback is in ")
    assert err.count("\n") == 1
