"""The README says what is: its table of claims, and every command that it names."""

from __future__ import annotations

import re

from dlnrepro.claimfile.document import parse
from dlnrepro.claimfile.parameters import settled
from dlnrepro.claimfile.schema import Assumption
from dlnrepro.cli import COMMANDS
from dlnrepro.report.delivery import FORMATS
from dlnrepro.settings.declared.measures import DeclaredMeasure
from dlnrepro.settings.declared.quantities import Quantity, formula_faults
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


def test_the_formulas_and_measures_that_it_shows_are_valid() -> None:
    text = README.read_text(encoding="utf-8")
    blocks = [parse(block).value for block in re.findall(r"```yaml\n(setup:.*?|measures:.*?)```", text, re.DOTALL)]
    formulas, measures = blocks
    setup = settled(formulas["setup"])
    assert setup["step_size"] == 0.95 * 2 / 3.5
    assumption = Assumption.model_validate(formulas["assumptions"][0], strict=False)
    assert set(assumption.named) == {"strengths", "step_size"}
    declared = {name: DeclaredMeasure.model_validate(block) for name, block in measures["measures"].items()}
    known = {name: Quantity("", 2 * (name == "product")) for name in ("product", "loss", "time")}
    known |= {"strengths": Quantity("", 1, recorded=False), "step_size": Quantity("", recorded=False)}
    assert list(formula_faults(declared, {}, known)) == []
