"""JUnit XML: read by two parsers that are not ours, with counts that add up and nothing hidden."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dlnrepro.archive.record import Report
from dlnrepro.report.exchange.junit import junit

ReportOf = Callable[..., Report]
COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
EXPECTED = ("quick:", "expect: not reproduced\nbecause: it is three\nquick:")


def results(content: bytes) -> dict[str, str]:
    """How each test case came out, with its message."""
    found = {}
    for case in ET.fromstring(content).iter("testcase"):
        shown = [child for child in case if child.tag in COUNTED.values()]
        found[case.get("name", "")] = f"{shown[0].tag}: {shown[0].get('message')}" if shown else "passed"
    # The place of a fault in the code is no part of what is tested.
    return {name: re.sub(r" \(\w+\.py:\d+\)", "", result) for name, result in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "changes", "expected"),
    [
        ([], [], {"assumption noise": "passed", "near-one": "passed"}),
        (
            ["-s", "value=3"],
            [],
            {
                "assumption noise": "passed",
                "near-one": "failure: value = 1 ± 0.1 does not hold in near: 16 of 16 runs outside",
            },
        ),
        (["-s", "value=3"], [EXPECTED], {"assumption noise": "passed", "near-one": "passed"}),
        (
            [],
            [EXPECTED],
            {
                "assumption noise": "passed",
                "near-one": "passed",
                "verdict": "failure: expected not reproduced, found reproduced: every criterion holds, and every "
                "control fails as required",
            },
        ),
        (
            ["-s", "behaviour=diverges"],
            [],
            {
                "assumption noise": "passed",
                "near-one": "skipped: value = 1 ± 0.1 is undecided in near: no run counts, 16 undecided",
            },
        ),
        (
            [],
            [("{value: 5.0}", "{value: 1.01}")],
            {
                "assumption noise": "passed",
                "near-one": "skipped: control far: 4 of 4 runs of this control lie inside: the criterion is "
                "uninformative.",
            },
        ),
        (
            ["-s", "value=3"],
            [("below: 1e-2", "below: 1e-9")],
            {
                "assumption noise": "skipped: noise < 1e-9 does not hold in near: 4 of 4 runs outside",
                "near-one": "skipped: value = 1 ± 0.1 is undecided in near: no run counts, 4 left out",
            },
        ),
        (
            [],
            [("far: {value: 5.0}", "far: {value: 5.0, behaviour: raises}")],
            {"assumption noise": "passed", "near-one": "error: arm far: RuntimeError: the toy broke"},
        ),
    ],
    ids=["holds", "broken", "expected", "not expected", "undecided", "uninformative", "unmet", "error"],
)
def test_each_verdict_shows_in_its_cases(
    report_of: ReportOf, words: list[str], changes: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    assert results(junit(report_of(*words, changes=tuple(changes)))) == expected


def test_an_error_in_an_arm_that_no_test_needs_has_a_case_of_its_own(report_of: ReportOf) -> None:
    third = (("  far: {value: 5.0}", "  far: {value: 5.0}\n  third: {behaviour: raises}"), ("[near, far]", "third"))
    found = results(junit(report_of(changes=third)))
    assert found["verdict"] == "error: expected reproduced, found error: arm third: RuntimeError: the toy broke"


def test_counts_and_times_add_up_in_every_suite(many: Callable[[int], Report]) -> None:
    root = ET.fromstring(junit(many(25)))
    suites = root.findall("testsuite")
    assert (len(suites), root.get("tests"), root.get("failures"), root.get("errors")) == (25, "50", "3", "0")
    for suite in suites:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        for attribute, tag in COUNTED.items():
            assert suite.get(attribute) == str(len(suite.findall(f"testcase/{tag}")))
        times = [float(case.get("time", "")) for case in suite.findall("testcase")]
        assert sum(times) == pytest.approx(float(suite.get("time", "")), abs=2e-3)
        assert [child.tag for child in suite] == ["properties", "testcase", "testcase"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))


def test_a_case_without_numbers_is_skipped_and_says_so(report_of: ReportOf) -> None:
    report = report_of("-s", "behaviour=diverges")
    record = report.claims[0]
    empty = replace(record.criteria[0].holds_in[0], seeds=(), values=(), undecided=0)
    criterion = replace(record.criteria[0], holds_in=(empty,))
    found = results(junit(replace(report, claims=[replace(record, criteria=(criterion,))])))
    assert found == {"assumption noise": "passed", "near-one": "skipped: value has no number in near"}


def test_a_suite_says_where_its_numbers_come_from(report_of: ReportOf) -> None:
    folded = ("says: the value is one", "says: >\n      the value is one")
    suite = ET.fromstring(junit(report_of("--quick", changes=(folded,)))).find("testsuite")
    assert suite is not None
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert (properties["verdict"], properties["labels"]) == ("reproduced", "reduced")
    few = "with fewer than 16 runs, a criterion holds if no run fails, which shows little"
    assert properties["reduced"] == f"quick profile, 2 of 4 runs per arm; {few}"
    assert str(properties["chance of a wrong verdict"]).startswith(
        "3 tests are made of almost all runs, with 2 runs per "
    )
    assert {"commit", "dirty", "version.dlnrepro", "version.torch", "command", "expect"} <= properties.keys()
    out = suite.findtext("testcase[@name='near-one']/system-out")
    assert out is not None
    assert out.splitlines() == [
        "the value is one",
        "required: value = 1 ± 0.1 for almost all runs: at least 98 % against at most 80 %",
        "value: the value, up to noise",
        "near: 2/2 runs inside; holds; share as required (95 % interval): 100 % (15–100); median 1.001; "
        "smallest … largest: 1 … 1.001",
        "control far: 0/2 runs inside; fails as required; share as required (95 % interval): 100 % (15–100); "
        "median 5.001; smallest … largest: 5 … 5.001",
        "distance between the worst run (1.001) and the nearest control run (5, far): 3.999",
        "slack 103.1: the threshold is 103.1 times as far out as the worst run",
    ]


def test_words_that_xml_forbids_stay_readable(hostile: str, hostile_report: Callable[[str], Report]) -> None:
    nasty = hostile + "\x00\ufffe\ud800 ]]> &amp; \U0001f600"
    found = ET.fromstring(junit(hostile_report(nasty))).find("testsuite/properties/property[@name='title']")
    assert found is not None
    assert found.get("value") == nasty.translate(
        {0: r"\x00", 7: r"\x07", 0xFFFE: r"\ufffe", 0xD800: r"\ud800", 0x202E: r"\u202e"}
    )


def test_two_assumptions_on_one_measure_are_two_cases(report_of: ReportOf) -> None:
    line = "  - {says: the noise is small, measure: noise, below: 1e-2, holds_in: near}\n"
    found = results(junit(report_of(changes=((line, line + line.replace("near", "far")),))))
    assert list(found) == ["assumption noise", "assumption noise (2)", "near-one"]


def test_an_interrupted_report_is_not_a_clean_one(report_of: ReportOf) -> None:
    root = ET.fromstring(junit(replace(report_of(), interrupted=True)))
    assert (root.get("tests"), root.get("errors")) == ("3", "1")


def test_a_run_and_a_stored_report_write_the_same_file(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], tmp_path: Path
) -> None:
    assert command("run", write_claim(), "-q", "-o", "a.xml", "-o", "a.md")[0] == 0
    assert command("report", "-q", "-o", "b.xml", "-o", "b.md")[0] == 0
    for suffix in ("xml", "md"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_what_was_not_judged_and_the_signal_are_errors_of_a_suite_of_their_own(ended: Report) -> None:
    page = junit(ended).decode()
    assert ET.fromstring(page).get("errors") == "4"
    assert (
        page[page.rindex("  <testsuite ") :]
        == """\
  <testsuite name="dlnrepro" tests="4" failures="0" errors="4" skipped="0" time="0.000">
    <testcase classname="dlnrepro" name="claims/bad.yaml" time="0.000">
      <error message="claims/bad.yaml:6:1: title: expected text, found 3 (1 more error)" type="error">\
claims/bad.yaml:6:1: title: expected text, found 3 (1 more error)</error>
    </testcase>
    <testcase classname="dlnrepro" name="claims/two.yaml" time="0.000">
      <error message="claims/two.yaml:1:1: expected a readable file, found: not a regular file" type="error">\
claims/two.yaml:1:1: expected a readable file, found: not a regular file</error>
    </testcase>
    <testcase classname="dlnrepro" name="program" time="0.000">
      <error message="a fault of the program" type="error">a fault of the program</error>
    </testcase>
    <testcase classname="dlnrepro" name="run" time="0.000">
      <error message="ended by SIGTERM: the claims that are not listed did not finish" type="error">\
ended by SIGTERM: the claims that are not listed did not finish</error>
    </testcase>
  </testsuite>
</testsuites>
"""
    )
