"""Two reports side by side: what counts as a difference, as bitwise identical, and as not comparable."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dlnrepro.archive.comparison import ClaimComparison, compare, compare_claim
from dlnrepro.archive.record import ClaimRecord, Report, from_json
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import UsageError
from dlnrepro.verdict.outcome import Outcome

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

ONES = [1.0, 1.0, 1.0, 1.0]


@pytest.fixture
def report(command: Command, write_claim: Write, tmp_path: Path) -> Report:
    """A report of the toy claim."""
    command("run", write_claim(), "-q", "-o", "first.json")
    return from_json((tmp_path / "first.json").read_bytes())


def with_near(report: Report, change: Callable[[Outcome], Outcome]) -> Report:
    """The report with another outcome of the arm `near`."""
    record = report.claims[0]
    outcomes = {**record.outcomes, "near": change(record.outcomes["near"])}
    return replace(report, claims=[replace(record, outcomes=outcomes)])


def valued(report: Report, values: Sequence[float | None]) -> Report:
    """The report with other values in the arm `near`."""
    return with_near(report, lambda left: replace(left, measures={**left.measures, "value": list(values)}))


def compared(first: Report, second: Report, absolute: float = 0.0, relative: float = 0.0) -> ClaimComparison:
    """The comparison of the only claim."""
    (found,) = compare(first, second, absolute, relative).claims
    return found


@pytest.mark.slow
@pytest.mark.parametrize("none", [None, math.nan, math.inf])
def test_a_number_differs_from_none_by_any_tolerance_and_none_equals_none(report: Report, none: float | None) -> None:
    lost = [1.0, 1.0, none, 1.0]
    for first, second in ((ONES, lost), (lost, ONES)):
        found = compared(valued(report, first), valued(report, second), absolute=1e9, relative=1e9)
        (difference,) = found.differences
        assert (difference.arm, difference.measure, difference.runs) == ("near", "value", 1)
        assert None in (difference.first, difference.second)
        assert not found.identical
    same = compared(valued(report, lost), valued(report, lost))
    assert (same.differences, same.identical) == ([], True)


def test_a_relative_tolerance_is_a_share_of_the_first_number(report: Report) -> None:
    low, high = valued(report, [100.0] * 4), valued(report, [110.0] * 4)
    assert len(compared(low, high, relative=0.095).differences) == 1
    assert len(compared(high, low, relative=0.095).differences) == 0
    assert len(compared(low, high, absolute=1.0, relative=0.09).differences) == 0


def test_the_run_that_is_farthest_apart_stands_for_a_measure(report: Report) -> None:
    (found,) = compared(valued(report, ONES), valued(report, [1.1, 3.0, 1.2, 1.0])).differences
    assert (found.runs, found.first, found.second) == (3, 1.0, 3.0)


def test_equal_numbers_with_other_series_are_not_identical(report: Report) -> None:
    record = report.claims[0]
    other = replace(report, claims=[replace(record, digests={**record.digests, "near": "0" * 64})])
    assert compared(report, report).identical
    for first, second in ((report, other), (other, report)):
        found = compared(first, second)
        assert (found.differences, found.missing, found.identical) == ([], [], False)


def test_minus_zero_is_not_a_difference_and_not_bitwise_identical(report: Report) -> None:
    found = compared(valued(report, [0.0] * 4), valued(report, [-0.0] * 4))
    assert (found.differences, found.identical) == ([], False)


def test_an_arm_that_either_report_could_not_finish_is_not_compared(report: Report) -> None:
    spent = with_near(report, lambda left: Outcome(left.seeds, {}, spent=True))
    failed = with_near(report, lambda left: Outcome(left.seeds, {}, fault="broke"))
    assert compared(spent, report).missing == ["arm near: it was stopped by its budget in the first report"]
    assert compared(report, spent).missing == ["arm near: it was stopped by its budget in the second report"]
    assert compared(failed, report).missing == ["arm near: it failed in the first report (broke)"]
    assert compared(report, failed).missing == ["arm near: it failed in the second report (broke)"]
    assert not compared(report, spent).identical


def test_equal_numbers_of_a_changed_runner_are_not_alike(report: Report) -> None:
    other = replace(report, claims=[replace(report.claims[0], runner_hash="0" * 64)])
    found = compared(report, other)
    assert len(found.settings) == 1
    assert "runner" in found.settings[0]
    assert compared(report, report).alike
    assert not found.alike


def test_a_report_from_before_devices_was_computed_on_the_processor(report: Report) -> None:
    provenance = report.provenance.copy()
    del provenance["device"]
    older = replace(report, provenance=provenance)
    assert compare(older, report, 0.0, 0.0).origins == compare(report, older, 0.0, 0.0).origins == []


def test_one_tolerance_leaves_the_other_at_zero(command: Command, report: Report, tmp_path: Path) -> None:
    assert report.exit_code == 0
    changed = json.loads((tmp_path / "first.json").read_text())
    changed["claims"][0]["outcomes"]["near"]["measures"]["value"][0] += 1e-13
    (tmp_path / "second.json").write_text(json.dumps(changed))
    assert command("diff", "first.json", "second.json")[0] == 0
    assert command("diff", "first.json", "second.json", "--rtol", "0")[0] == 1
    assert command("diff", "first.json", "second.json", "--rtol", "1e-12")[0] == 0


def test_a_changed_setting_is_not_a_changed_verdict(command: Command, write_claim: Write) -> None:
    command("run", write_claim(), "-q", "-o", "first.json")
    command("run", write_claim(), "-q", "-s", "value=1.001", "-o", "second.json")
    code, out, _ = command("diff", "first.json", "second.json", "--quiet")
    assert code == 0
    assert "arm near: value was 1 and is now 1.001" in out
    assert "1 claim compared, no verdict changed, 0 bitwise identical" in out


NAN = float("nan")


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


def test_a_relative_tolerance_does_not_hang_on_the_second_number(report: Report) -> None:
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
    with pytest.raises(
        UsageError, match="second report: expected each claim once per variation, found 'toy-claim' again"
    ):
        compare(report, twice, 0.0, 0.0)


def varied(report: Report, *values: float) -> Report:
    """The report with one result of its claim for each value of a parameter; 1 is the claim's own."""
    variations = [Variation(overrides={} if value == 1 else {"value": value}) for value in values]
    return replace(report, claims=[replace(report.claims[0], variation=found) for found in variations])


def test_results_in_the_same_variation_are_compared_and_other_results_are_named(report: Report) -> None:
    found = compare(varied(report, 1, 2, 3), varied(report, 3, 4, 5, 1), 0.0, 0.0)
    assert [claim.label for claim in found.claims] == ["toy-claim", "toy-claim -s value=3"]
    assert (found.only_first, found.only_second) == (
        ["toy-claim -s value=2"],
        ["toy-claim -s value=4", "toy-claim -s value=5"],
    )


def test_the_only_further_results_of_a_claim_are_compared_although_their_variations_differ(report: Report) -> None:
    found = compare(varied(report, 1, 2), varied(report, 3, 2), 0.0, 0.0)
    assert [(claim.label, claim.variations) for claim in found.claims] == [
        ("toy-claim", ("", "-s value=3")),
        ("toy-claim -s value=2", ("-s value=2", "-s value=2")),
    ]
    assert (found.only_first, found.only_second) == ([], [])
