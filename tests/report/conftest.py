"""Reports to lay out: what a run of toy claims left, with every verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.record import Report, compile_report, from_json

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
        return compile_report(records, good.provenance, False, False)

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
