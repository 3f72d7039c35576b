"""A report run again: the same record, also of what failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dlnrepro.archive.record import from_json
from dlnrepro.compute.executor import ThisProcess
from dlnrepro.report.terminal.progress import watcher
from dlnrepro.session.replay import replay, undetermined
from dlnrepro.signals import Signals


def test_what_failed_then_and_fails_now_has_no_digest(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], tmp_path: Path
) -> None:
    failing = write_claim(("far: {value: 5.0}", "far: {value: 5.0, behaviour: raises}"))
    command("run", failing, "-q", "-o", "out.json")
    report = from_json((tmp_path / "out.json").read_bytes())
    with watcher(True) as watching:
        (replayed,) = replay(report, ThisProcess(), watching, Signals(()))
    assert list(replayed.digests) == ["near"]
    assert replayed.digests == report.claims[0].digests
    assert replayed.outcomes["far"].fault == report.claims[0].outcomes["far"].fault


def test_a_record_without_digests_is_not_said_to_have_other_numbers(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], tmp_path: Path
) -> None:
    command("run", write_claim(), "-q", "-o", "out.json")
    report = from_json((tmp_path / "out.json").read_bytes())
    without, other = (
        replace(report, claims=[replace(report.claims[0], digests=digests)]) for digests in ({}, {"near": "0" * 64})
    )
    assert undetermined(without, report) == undetermined(report, without) == {}
    assert undetermined(other, report) == {"toy-claim": ["near"]}
