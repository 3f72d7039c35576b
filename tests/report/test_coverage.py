"""How much of its source a claim covers, and which controls are wrong formulas, is said wherever a verdict is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dlnrepro.archive.record import ClaimRecord, Report, from_json, to_json
from dlnrepro.report.exchange.github import report_annotations
from dlnrepro.report.exchange.junit import junit
from dlnrepro.report.exchange.markdown import markdown
from dlnrepro.report.page.html import to_html
from dlnrepro.report.terminal.detail import record_page
from dlnrepro.report.terminal.summary import summary
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.brief.outcomes import outcome_words
from dlnrepro.report.words.digest import verdict_counts

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
RecordOf = Callable[..., ClaimRecord]
ReportWith = Callable[..., Report]

SPECIAL = ("source:\n", "covers: {what: special case, says: Only one value is tested.}\nsource:\n")
WHOLE = ("source:\n", "covers: {what: whole, says: All values are tested.}\nsource:\n")
ROUTE = ("source:\n", "independent: The value is read off the settings.\nsource:\n")
LAW = ("  bytes: 1000\n", "  bytes: 1000\n  law_value: same\n")
FORMULA = ("far: {value: 5.0}", "far: {law_value: 5}")
HYPOTHESIS = ("assumptions:", "controls: {far: The value is not one.}\nassumptions:")
SLACK = ("    why: the noise", "    slack: The noise is small.\n    why: the noise")
WEAK = "no control breaks a hypothesis; its only controls are wrong formulas"


def in_terminal(*records: ClaimRecord) -> str:
    """Some claims in full, on one line each paragraph."""
    page = TerminalPage(300)
    for record in records:
        record_page(page, record)
    return page.text()


@pytest.mark.parametrize(
    ("verdict", "covers", "words"),
    [
        ("reproduced", None, "reproduced"),
        ("reproduced", "whole", "reproduced in full"),
        ("reproduced", "part", "reproduced in part"),
        ("reproduced", "special case", "reproduced in a special case"),
        ("not reproduced", None, "not reproduced"),
        ("not reproduced", "whole", "not reproduced (tested: the whole statement of the source)"),
        ("inconclusive", "part", "inconclusive (tested: a part of the source's statement)"),
    ],
)
def test_a_verdict_says_how_much_of_the_statement_it_is_about(verdict: str, covers: str | None, words: str) -> None:
    assert outcome_words(verdict, covers) == words


def test_every_format_says_that_only_a_special_case_is_reproduced(record_of: RecordOf, report_with: ReportWith) -> None:
    record = record_of(SPECIAL)
    report = report_with(record)
    sentence = "a special case of the source's statement is tested: Only one value is tested."
    full = in_terminal(record)
    assert full.splitlines()[0] == "toy-claim   ✓ reproduced in a special case"
    assert f"    covers: {sentence}\n" in full
    assert "    reproduced in a special case: every criterion holds" in full
    page = TerminalPage(80)
    summary(page, report)
    assert "✓ reproduced        toy-claim" in page.text()
    assert "\n  in a special case\n" in page.text()
    assert "\n1 reproduced (1 in a special case); computing time" in page.text()
    text = markdown(report).decode()
    assert "### dlnrepro: 1 reproduced (1 in a special case)\n" in text
    assert "| ✓ reproduced in a special case | `toy-claim` |" in text
    assert f"Covers: {sentence}\n" in text
    html = to_html(report).decode()
    assert html.count("</span> reproduced in a special case</span>") == 2
    assert sentence.replace("'", "&#39;") in html
    assert '<p class="small">1 reproduced (1 in a special case).</p>' in html
    (found,) = [item for item in ET.fromstring(junit(report)).iter("property") if item.get("name") == "covers"]
    assert found.get("value") == f"reproduced in a special case: {sentence}"


def test_the_verdict_itself_and_the_exit_code_stay_as_they_are(record_of: RecordOf, report_with: ReportWith) -> None:
    report = report_with(record_of(SPECIAL))
    stored = json.loads(to_json(report))
    assert (stored["exit_code"], stored["counts"]["reproduced"]) == (0, 1)
    assert [stored["claims"][0][key] for key in ("verdict", "covers")] == ["reproduced", "special case"]
    assert from_json(to_json(report)) == report


def test_a_claim_that_does_not_say_what_it_covers_reads_as_before(record_of: RecordOf, report_with: ReportWith) -> None:
    record = record_of()
    report = report_with(record)
    assert (record.covers, verdict_counts(report)) == (None, "1 reproduced")
    texts = (in_terminal(record), markdown(report).decode(), junit(report).decode())
    assert not [text for text in texts if "overs:" in text or "in full" in text or '"covers"' in text]
    assert "Covers</a>" not in to_html(report).decode()


def test_claims_of_each_coverage_are_counted(record_of: RecordOf, report_with: ReportWith) -> None:
    report = report_with(record_of(WHOLE), record_of(SPECIAL), record_of())
    assert verdict_counts(report) == "3 reproduced (1 in full, 1 in a special case, 1 of unknown coverage)"


def test_an_annotation_of_a_job_says_how_much_is_tested(record_of: RecordOf, report_with: ReportWith) -> None:
    bad = record_of(SPECIAL, values={"near": [3.0] * 16, "far": [5.0] * 16})
    (line,) = report_annotations(report_with(bad))
    assert "title=toy-claim%3A not reproduced (tested%3A a special case of the source's statement)" in line


def test_every_format_calls_a_wrong_formula_by_its_name_and_says_if_there_is_no_other_control(
    record_of: RecordOf, report_with: ReportWith
) -> None:
    record = record_of(LAW, FORMULA)
    report = report_with(record)
    assert record.criteria[0].fails_in[0].wrong_formula
    full = in_terminal(record)
    assert "✓ wrong formula far " in full
    assert "    wrong formula far   law_value 5\n" in full
    assert "controls failed as required: 1 of 1 (1 of them is a wrong formula)" in full
    assert full.count(WEAK) == 2
    html = to_html(report).decode()
    assert "wrong formula far" in html
    assert "far (wrong formula)" in html
    assert "control far" not in html
    for text in (markdown(report).decode(), junit(report).decode(), html):
        assert WEAK in text or WEAK.capitalize() in text
    assert "wrong formula far: 0/4 runs inside" in junit(report).decode()
    plain = in_terminal(record_of())
    assert "✓ control far " in plain
    assert "wrong formula" not in plain


def test_reports_say_which_hypothesis_a_control_breaks(record_of: RecordOf, report_with: ReportWith) -> None:
    record = record_of(HYPOTHESIS)
    assert "    control far   value 5\n      The value is not one.\n" in in_terminal(record)
    assert "- `far`: The value is not one.\n" in markdown(report_with(record)).decode()
    assert "far (control)<br>The value is not one.</th>" in to_html(report_with(record)).decode()


def test_reports_show_the_slack_of_each_criterion_with_its_reason(record_of: RecordOf, report_with: ReportWith) -> None:
    record = record_of(SLACK)
    assert record.criteria[0].slack == pytest.approx(5.0)
    words = "slack 5: the threshold is 5 times as far out as the worst run"
    full = in_terminal(record)
    assert f"      {words}\n" in full
    assert "      reason for the slack: The noise is small.\n" in full
    html = to_html(report_with(record)).decode()
    assert "Slack " in html
    assert "<b>Reason for the slack:</b> The noise is small.</p>" in html
    assert words in junit(report_with(record)).decode()
    assert json.loads(to_json(report_with(record)))["claims"][0]["criteria"][0]["slack"] == pytest.approx(5.0)


def test_show_and_list_say_what_a_claim_covers(command: Command, write_claim: Write) -> None:
    path = write_claim(SPECIAL, ROUTE)
    shown = command("show", path)[1]
    assert (
        "  how much of the source is tested\n    A special case of the source's statement is tested: Only one" in shown
    )
    assert "  independent route to the decisive number\n    The value is read off the settings.\n" in shown
    assert "last time: not run yet; tests a special case of the source's statement" in " ".join(shown.split())
    path.parent.joinpath("claims").mkdir()
    path.rename(path.parent / "claims" / path.name)
    command("run", "toy-claim", "-q")
    assert "  toy-claim   reproduced in a special case, computing time" in command("list", "-k", "toy")[1]
    (row,) = json.loads(command("list", "-k", "toy", "--json")[1])
    assert (row["covers"], row["last_verdict"]) == ("special case", "reproduced")


def test_show_says_how_loose_a_threshold_is_by_the_reference(command: Command, write_claim: Write) -> None:
    path = write_claim()
    command("run", path, "--reference", "outputs/reference", "-q")
    words = "in the stored reference: slack 103.1: the threshold is 103.1 times as far out as the worst run"
    assert words in " ".join(command("show", path, "-v")[1].split())
    assert "slack" not in command("show", path)[1]
