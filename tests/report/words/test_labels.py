"""What qualifies a result: every number that is not the claim file's is named beside the file's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dlnrepro.archive.record import Report
from dlnrepro.report.words.brief.outcomes import label_words
from dlnrepro.report.words.labels import qualifications
from dlnrepro.verdict.outcome import Outcome

REDUCED = ("quick: {seeds: 2, setup: {}}", "quick: {seeds: 2, setup: {bytes: 500, value: 1.05}}")

FEW = "; with fewer than 16 runs, a criterion holds if no run fails, which shows little"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["--quick"], [("REDUCED", "quick profile, 2 of 4 runs per arm, bytes 500 (claim file: 1000), value 1.05 "
                        f"(claim file: 1){FEW}")]),
        (["--quick", "--seeds", "3"],
         [("REDUCED", "quick profile, 3 of 4 runs per arm, bytes 500 (claim file: 1000), value 1.05 (claim file: 1)"),
          ("FIXED RUNS", f"3 runs per arm (quick profile: 2){FEW}")]),
        (["--quick", "-s", "bytes=700"],
         [("REDUCED", f"quick profile, 2 of 4 runs per arm, value 1.05 (claim file: 1){FEW}"),
          ("MODIFIED", "bytes 700 (quick profile: 500) in every arm")]),
        (["--seeds", "3", "--seed-base", "10", "-s", "value=1.01"],
         [("FIXED RUNS", f"3 runs per arm (claim file: 4, and more for an arm in doubt){FEW}"),
          ("MODIFIED", "seeds from 10 (claim file: from 0); value 1.01 (claim file: 1) in near; unchanged in far")]),
        (["--seeds", "16"], [("FIXED RUNS", "16 runs per arm (claim file: 4, and more for an arm in doubt)")]),
        (["--seeds", "1"], [("FIXED RUNS", f"1 run per arm (claim file: 4, and more for an arm in doubt){FEW}")]),
        (["--no-controls"], [("NO CONTROLS", "the negative controls were not run, so nothing shows that the criteria "
                              "can fail")]),
    ],
)  # fmt: skip
def test_a_result_says_how_it_departs_from_its_claim_file(
    report_of: Callable[..., Report], words: list[str], expected: list[tuple[str, str]]
) -> None:
    (record,) = report_of(*words, changes=(REDUCED,)).claims
    assert qualifications(record) == expected


def test_numbers_that_are_not_used_leave_the_number_of_runs_as_it_was(report_of: Callable[..., Report]) -> None:
    (record,) = report_of("--quick").claims
    stale = replace(record, outcomes={arm: Outcome((), {}) for arm in record.outcomes})
    assert qualifications(stale) == qualifications(record) == [("REDUCED", f"quick profile, 2 of 4 runs per arm{FEW}")]


def test_labels_have_names_that_need_no_glossary() -> None:
    stamps = ["modified", "fixed-seeds", "toy", "no-controls", "cuda", "cached", "dirty", "unknown code", "stale"]
    assert label_words(stamps) == (
        "modified, fixed runs, reduced, no controls, GPU, cached, uncommitted code, unknown code, stale"
    )
