"""Reports to lay out: what a run of toy claims left, with every verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlnrepro.archive.figure_data import drawings
from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import ClaimRecord, Report, compile_report, from_json, record_claim
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import Unjudged
from dlnrepro.verdict.outcome import Outcome

_HOSTILE = "| a | `b` <script>x</script> **c** _d_ [e](https://f) @g #1 $h$ :smile:\n# i\u202e\x07 \\| end"


@pytest.fixture
def report_of(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], tmp_path: Path
) -> Callable[..., Report]:
    """Run the toy claim with parts of its text replaced, or as the words of the command line have it."""

    def report(*words: str, changes: tuple[tuple[str, str], ...] = ()) -> Report:
        command("run", write_claim(*changes).name, *words, "-q", "-o", "out.json")
        return from_json((tmp_path / "out.json").read_bytes())

    return report


@pytest.fixture
def many(report_of: Callable[..., Report]) -> Callable[[int], Report]:
    """A report with a number of claims, of which all but every tenth are as expected."""

    def report(count: int) -> Report:
        good, bad = report_of(), report_of("-s", "value=3")
        records = [replace((bad if n % 10 == 0 else good).claims[0], id=f"claim-{n}") for n in range(count)]
        return compile_report(records, good.provenance, None, False)

    return report


@pytest.fixture
def hostile() -> str:
    """Words that would be markup, commands or mentions, if anything let them."""
    return _HOSTILE


@pytest.fixture
def hostile_report(report_of: Callable[..., Report]) -> Callable[[str], Report]:
    """A report of a claim that is not reproduced, with the same words wherever a record from elsewhere may have any."""

    def report(words: str) -> Report:
        found = report_of("-s", "value=3")
        record = found.claims[0]
        record = replace(record, id=words, title=words, because=words, command=words, path=words, stamps=[words])
        return replace(found, claims=[record])

    return report


GOOD = {"near": [1.0, 1.01, 0.99, 1.02], "far": [5.0, 5.1, 4.9, 5.2]}
STEPS = np.tile(np.arange(1.0, 11.0), (4, 1))
SERIES = {
    "near": {"step": STEPS, "height": STEPS**2, "lone": STEPS},
    "far": {"step": STEPS, "height": 5 * STEPS**2, "lone": 5 * STEPS},
}
MEANINGS = {"value": "the value, up to noise", "noise": "the noise alone", "step": "0 .. 9", "height": "how high it is"}


@pytest.fixture
def record_of(write_claim: Callable[..., Path]) -> Callable[..., ClaimRecord]:
    """A record of the toy claim with parts of its text replaced and numbers of one's choosing; nothing is run."""

    def record(
        *changes: tuple[str, str],
        values: Mapping[str, Sequence[float | None]] = GOOD,
        series: Mapping[str, Mapping[str, np.ndarray]] = SERIES,
        **given: Any,
    ) -> ClaimRecord:
        claim = read_claim(write_claim(*changes))
        outcomes = {
            arm: Outcome(tuple(range(len(found))), {"value": found, "noise": [1e-4] * len(found)}, seconds=0.5)
            for arm, found in values.items()
        }
        kept: dict[str, Any] = {"stamps": [], "cells": {"near": "a" * 64}, "path": "toy-claim.yaml", "params": {}}
        kept |= {"variation": Variation(), "computed_on": {}, "digests": {}}
        kept |= {"claim_hash": "b" * 64, "runner_hash": "c" * 64}
        kept |= {"meanings": MEANINGS, "command": "dlnrepro run toy-claim", "drawings": drawings(claim, series)}
        return record_claim(claim, outcomes, **(kept | given))

    return record


@pytest.fixture
def report_with() -> Callable[..., Report]:
    """A report of records."""

    def report(*records: ClaimRecord, interrupted: bool = False) -> Report:
        provenance: Provenance = {
            "command": ["dlnrepro", "run", "my claims"],
            "started": "2026-01-02T03:04:05+00:00",
            "wall_seconds": 1.5,
            "peak_memory_bytes": 284_000_000,
            "versions": {"torch": "2.13.0"},
            "commit": None,
        }
        return compile_report(list(records), provenance, 130 if interrupted else None, False)

    return report


@pytest.fixture
def ended(record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report]) -> Report:
    """A report of one claim as expected, with a file that is no claim and a fault of the program, ended by SIGTERM."""
    unjudged = [
        Unjudged(2, "claims/bad.yaml", "title: expected text, found 3 (1 more error)", 6, 1),
        Unjudged(2, "claims/two.yaml", "expected a readable file, found: not a regular file", 1, 1),
        Unjudged(3, None, "a fault of the program"),
    ]
    return compile_report([record_of()], report_with().provenance, 143, False, unjudged)
