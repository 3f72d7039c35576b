"""Printed numbers in words: the same rows, sentences and counts in every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dlnrepro.archive.record import ClaimRecord, Report, from_json, judged_again, to_json
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.variation import Variation
from dlnrepro.report.exchange.junit import junit
from dlnrepro.report.exchange.markdown import markdown
from dlnrepro.report.page.html import to_html
from dlnrepro.report.terminal.detail import claim_page, record_page
from dlnrepro.report.terminal.summary import summary
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.others.printed import (
    of_criterion,
    printed_counts,
    printed_differences,
    row,
    sentence,
    sources,
    stated_in_file,
    units_words,
    why_not_compared,
)

RecordOf = Callable[..., ClaimRecord]
ReportWith = Callable[..., Report]

EXACT = "{value: 1.0, where: Table 1}"
INSIDE = "{value: 0.99, where: Table 1, runs: one, note: Their data differ.}"
FAR = "{value: 3.000, where: Table 2, series: height, at: 2, arm: near}"
SENTENCE = (
    "3.000 is printed for height at 2 in near (Table 2), and ours is 4.0000, a difference of +1000 units of the last "
    "printed digit: differs"
)
COUNTS = "3 printed numbers, 2 agree (1 to the last digit, 1 within the runs), 1 differs"


@pytest.fixture
def printed(record_of: RecordOf) -> Callable[..., ClaimRecord]:
    """A record of the toy claim whose criterion has printed numbers."""

    def record(*items: str, **given: object) -> ClaimRecord:
        return record_of(("    why: the", f"    printed: [{', '.join(items)}]\n    why: the"), **given)

    return record


def test_a_row_has_the_printed_digits_and_one_more_of_ours(printed: Callable[..., ClaimRecord]) -> None:
    record = printed(EXACT, INSIDE, FAR)
    assert [row(item) for item in of_criterion(record, "near-one")] == [
        ("value in near", "1.0", "1.02 (0.99 … 1.02)", "+0.2", "agrees to the last digit"),
        ("one run of value in near", "0.99", "1.005 (0.990 … 1.020)", "+1.5", "agrees within the runs"),
        ("height at 2 in near", "3.000", "4.0000", "+1000", "differs"),
    ]
    assert of_criterion(record, "another") == []


@pytest.mark.parametrize(
    ("items", "counts"),
    [
        ([EXACT], "1 printed number, 1 agrees (to the last digit)"),
        ([INSIDE, INSIDE], "2 printed numbers, 2 agree (within the runs)"),
        ([FAR, FAR], "2 printed numbers, 2 differ"),
        ([EXACT, INSIDE, FAR], COUNTS),
    ],
)
def test_all_printed_numbers_are_counted(printed: Callable[..., ClaimRecord], items: list[str], counts: str) -> None:
    assert printed_counts([printed(*items)]) == counts


def test_a_claim_without_printed_numbers_says_nothing(record_of: RecordOf) -> None:
    record = record_of()
    assert printed_counts([record]) is None
    assert printed_differences(record) == []
    assert why_not_compared(record) is None


def test_a_number_that_differs_is_said_in_a_sentence(printed: Callable[..., ClaimRecord]) -> None:
    assert printed_differences(printed(EXACT, FAR)) == [f"{SENTENCE}; this does not change the verdict"]


def test_a_place_is_named_once_with_its_note(printed: Callable[..., ClaimRecord]) -> None:
    items = printed(EXACT, INSIDE, INSIDE).printed
    assert sources(items) == ["printed in Table 1", "printed in Table 1. Their data differ."]


@pytest.mark.parametrize(
    ("units", "words"),
    [(0.0, "0"), (0.04, "0"), (0.4, "+0.4"), (-9.9, "-9.9"), (-105.4, "-105"), (2e15, "+2e15"), (None, "none")],
)
def test_a_difference_is_written_with_its_sign(
    printed: Callable[..., ClaimRecord], units: float | None, words: str
) -> None:
    assert units_words(replace(printed(EXACT).printed[0], units=units)) == words


def test_a_tiny_or_large_number_is_written_with_a_power_of_ten(printed: Callable[..., ClaimRecord]) -> None:
    (tiny, large) = printed("{value: 8e-20, where: x}", "{value: 1.0e3, where: x}").printed
    assert row(tiny)[2:4] == ("1.02 (0.99 … 1.02)", "+1.02e20")
    assert row(large)[2:4] == ("0.99 (0.99 … 1.02)", "-10")


@pytest.mark.parametrize("variation", [Variation(quick=True), Variation(overrides={"value": 2.0})])
def test_a_result_with_other_settings_says_that_it_is_not_compared(
    printed: Callable[..., ClaimRecord], variation: Variation
) -> None:
    record = printed(EXACT, variation=variation)
    assert printed_counts([record]) == "1 printed number, 1 not compared"
    assert sentence(record.printed[0]) == "1.0 is printed for value in near (Table 1): not compared"
    assert of_criterion(record, "near-one") == []
    because = "because this result has other settings than the claim file"
    assert why_not_compared(record) == f"printed numbers are not compared, {because}"


def test_the_terminal_shows_the_table_and_the_count(
    printed: Callable[..., ClaimRecord], report_with: ReportWith
) -> None:
    record = printed(EXACT, INSIDE, FAR)
    page = TerminalPage(120, False, "utf-8")
    record_page(page, record)
    lines = page.text().splitlines()
    assert f"    {COUNTS}" in lines
    assert f"    {SENTENCE}; this does not"[:100] in page.text()
    (heads,) = [place for place, line in enumerate(lines) if line.endswith("last digit")]
    assert [" ".join(line.split()) for line in lines[heads : heads + 8]] == [
        "printed number printed ours (smallest … largest run) last digit",
        "✓ value in near 1.0 1.02 (0.99 … 1.02) +0.2",
        "✓ one run of value in near 0.99 1.005 (0.990 … 1.020) +1.5",
        "agrees within the runs",
        "✗ height at 2 in near 3.000 4.0000 +1000",
        "differs",
        "printed in Table 1",
        "printed in Table 1. Their data differ.",
    ]
    page = TerminalPage(120, False, "utf-8")
    summary(page, report_with(record, record))
    assert "6 printed numbers, 4 agree (2 to the last digit, 2 within the runs), 2 differ\n" in page.text()
    assert f"toy-claim: {SENTENCE}"[:90] in page.text()


def test_every_other_format_shows_them_too(printed: Callable[..., ClaimRecord], report_with: ReportWith) -> None:
    record = printed(EXACT, INSIDE, FAR)
    report = report_with(record)
    text = markdown(report_with(replace(record, as_expected=False))).decode()
    assert f"**Numbers printed by others.** {COUNTS}." in text
    assert "| **height at 2 in near** | 3.000 | 4.0000 | +1000 | differs |" in text
    html = to_html(report).decode()
    assert html.count(COUNTS) == 1  # on the card its numbers are kept whole
    assert (
        '<tr class="differs"><th scope="row">height at 2 in near</th><td class="n" data-head="printed">3.000</td>'
        in html
    )
    suite = ET.fromstring(junit(report))
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert properties["printed numbers"] == COUNTS
    assert any(SENTENCE in (out.text or "") for out in suite.iter("system-out"))


def test_json_has_them_and_a_record_without_them_opens(
    printed: Callable[..., ClaimRecord], report_with: ReportWith
) -> None:
    report = report_with(printed(EXACT, FAR))
    again = from_json(to_json(report))
    assert again.claims[0].printed == report.claims[0].printed
    older = replace(again, claims=[replace(again.claims[0], printed=[])])
    assert judged_again(older).claims[0].printed == report.claims[0].printed


def test_a_claim_file_alone_says_what_is_printed(printed: Callable[..., ClaimRecord]) -> None:
    claim = Claim.model_validate(printed(EXACT, INSIDE, FAR).claim)
    lines = [
        "printed elsewhere: 1.0 for value in near, in Table 1",
        "printed elsewhere: 0.99 for value in near (one run), in Table 1. Their data differ.",
        "printed elsewhere: 3.000 for height at 2 in near, in Table 2",
    ]
    assert stated_in_file(claim.criteria[0]) == lines
    page = TerminalPage(120, False, "utf-8")
    claim_page(page, claim, Path("toy-claim.yaml"), None, {})
    assert all(f"      {line}" in page.text().splitlines() for line in lines)


def test_settings_that_are_those_of_the_claim_file_are_compared(printed: Callable[..., ClaimRecord]) -> None:
    assert why_not_compared(printed(EXACT, variation=Variation(overrides={"value": 1.0}))) is None
