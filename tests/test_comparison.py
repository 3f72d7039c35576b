"""Two reports side by side: what differs is found, and what cannot be compared is never equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.check import Outcome
from dlnrepro.comparison import compare, compare_claim
from dlnrepro.errors import UsageError
from dlnrepro.record import ClaimRecord, Report, from_json

NAN = float("nan")


@pytest.fixture
def report(command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path]) -> Report:
    _, out, _ = command("run", write_claim(), "--json")
    return from_json(out.encode())


def with_values(record: ClaimRecord, *values: float | None) -> ClaimRecord:
    """The record with other numbers in one arm."""
    outcome = Outcome((0, 1, 2, 3), {"value": values, "noise": [0.0] * 4})
    return replace(record, outcomes={**record.outcomes, "near": outcome})


def test_nan_equals_only_nan(report: Report) -> None:
    record = report.claims[0]
    with_nan = with_values(record, NAN, 1.0, 1.0, 1.0)
    assert not compare_claim(with_nan, with_values(record, None, 1.0, 1.0, 1.0), 0.0, 0.0).differences
    for absolute, relative in ((0.0, 0.0), (1e300, 1e300)):
        for one, other in ((with_nan, with_values(record, 0.0, 1.0, 1.0, 1.0)),) * 2:
            assert compare_claim(one, other, absolute, relative).differences[0].runs == 1
            assert compare_claim(other, one, absolute, relative).differences[0].runs == 1


def test_a_relative_tolerance_is_a_share_of_the_first_number(report: Report) -> None:
    small, large = (with_values(report.claims[0], *[value] * 4) for value in (1.0, 2.0))
    assert compare_claim(small, large, 0.0, 0.7).differences
    assert not compare_claim(large, small, 0.0, 0.7).differences


def test_other_series_are_not_identical(report: Report) -> None:
    record = report.claims[0]
    assert compare_claim(record, record, 0.0, 0.0).identical
    other = replace(record, digests={**record.digests, "near": "0"})
    assert not compare_claim(record, other, 0.0, 0.0).identical


def test_other_modes_of_the_math_libraries_are_named_and_an_older_record_knows_none(report: Report) -> None:
    other = replace(report, provenance={**report.provenance, "arithmetic": "ATen DEFAULT"})
    mode = report.provenance["arithmetic"]
    assert compare(report, other, 0.0, 0.0).origins == [f"arithmetic {mode} and ATen DEFAULT"]
    older = replace(report, provenance={key: value for key, value in report.provenance.items() if key != "arithmetic"})  # type: ignore[arg-type]
    assert compare(older, report, 0.0, 0.0).origins == [f"arithmetic unknown and {mode}"]


def test_a_claim_that_a_report_has_twice_is_not_compared(report: Report) -> None:
    twice = replace(report, claims=report.claims * 2)
    with pytest.raises(UsageError, match="second report: expected each claim once, found 'toy-claim' again"):
        compare(report, twice, 0.0, 0.0)
