"""The README says what is: its table of claims, and every command that it names."""

from __future__ import annotations

import re

from dlnrepro.cli import COMMANDS
from dlnrepro.report.delivery import FORMATS
from tests.readme import CLAIMS, GLOSSARY, README, REPORT, RULE, SUMMARY, as_it_should_be


def test_its_samples_its_glossary_and_its_table_of_papers_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert [text.count(mark) for mark in (*SUMMARY, *REPORT, *RULE, *GLOSSARY, *CLAIMS)] == [1] * 10
    assert as_it_should_be(text) == text, "the reports, the glossary or the claims have changed: run `make table`"


def test_every_command_it_names_is_there() -> None:
    named = set(re.findall(r"\bdlnrepro (?!run\b)([a-z]+)\b", README.read_text(encoding="utf-8").split(CLAIMS[0])[0]))
    assert named <= {*COMMANDS}
    assert {*COMMANDS} - {"run"} <= named


def test_it_names_every_format_of_a_report_and_no_other() -> None:
    (section,) = re.findall(r"^`-o` takes its format.*?\n\n", README.read_text(encoding="utf-8"), re.M | re.S)
    assert set(re.findall(r"`(\.[a-z]+)`", section)) == {*FORMATS}
