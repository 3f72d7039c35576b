"""The key `printed` of a criterion: numbers with all their digits, and each fault as a whole line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.archive.audits import claim_hash
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.schema import Claim, claim_schema
from dlnrepro.errors import ClaimError
from tests.refusal import refusal

Write = Callable[..., Path]


def with_printed(text: str) -> tuple[str, str]:
    """The change of the toy claim that gives its criterion the key `printed` in flow style, in line 30."""
    return "    why: the noise", f"    printed: {text}\n    why: the noise"


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("{value: 0.640, where: here}", ("0.640",)),
        ("{value: '0.640', where: here}", ("0.640",)),
        ("[{value: 100, where: here}]", ("100",)),
        ("{value: [1.0, 5.00], arm: [near, far], where: here}", ("1.0", "5.00")),
        ("{value: [1e-3, -.5e3], measure: [noise, value], where: here}", ("1e-3", "-.5e3")),
    ],
)
def test_a_printed_number_keeps_its_text(write_claim: Write, written: str, values: tuple[str, ...]) -> None:
    (printed,) = load_claim(write_claim(with_printed(written))).criteria[0].printed or ()
    assert printed.value == values


def test_a_record_of_the_claim_keeps_the_text_too(write_claim: Write) -> None:
    claim = load_claim(write_claim(with_printed("{value: 0.640, where: here}")))
    stored = json.loads(json.dumps(claim.model_dump(mode="json", by_alias=True, exclude_none=True)))
    assert Claim.model_validate(stored).criteria[0].printed == claim.criteria[0].printed


def test_a_number_from_a_program_has_its_shortest_text(write_claim: Write) -> None:
    claim = load_claim(write_claim(with_printed("{value: 1, where: here}")))
    stored = claim.model_dump(by_alias=True, exclude_none=True)
    stored["criteria"][0]["printed"][0]["value"] = 0.25
    assert (Claim.model_validate(stored).criteria[0].printed or ())[0].value == ("0.25",)


NUMBER = "a number as it is printed, such as 0.640, of at most 40 characters"
HEIGHTS = "an arm in which a figure shows the series 'height': one of near, far"
KEYS = "value, where, arm, measure, series, at, runs, units, note"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{value: abc, where: x}", f"15: criteria[0].printed.value: expected {NUMBER}, found 'abc'"),
        ("[{value: true, where: x}]", f"16: criteria[0].printed[0].value: expected {NUMBER}, found true"),
        ("{value: [1, x], where: x}", f"26: criteria[0].printed.value[1]: expected {NUMBER}, found 'x'"),
        ("{value: '1e999', where: x}", "15: criteria[0].printed.value: expected a finite number, found '1e999'"),
        ("{value: 1}", "5: criteria[0].printed.where: expected this key, found nothing"),
        ("[]", "5: criteria[0].printed: expected a list of length 1 or more, found []"),
        (
            "{value: 1, wher: x, where: x}",
            f"25: criteria[0].printed.wher: expected one of {KEYS}, found 'wher'; did you mean 'where'?",
        ),
        (
            "{value: [1, 2], where: x}",
            "15: criteria[0].printed.value: expected a measure, an arm or a point of a series for each value, "
            "found 2 values for one number of ours",
        ),
        (
            "{value: [1, 2, 3], arm: [near, far], where: x}",
            "33: criteria[0].printed.arm: expected one for all values, or one for each of them, found 2 for 3 values",
        ),
        (
            "{value: 1, where: x, units: 3}",
            "35: criteria[0].printed.units: expected a 'note' that says why more than one unit is allowed, found none",
        ),
        (
            "{value: 1, where: x, arm: neer}",
            "35: criteria[0].printed.arm: expected an arm of the criterion: one of near, far, found 'neer'; "
            "did you mean 'near'?",
        ),
        (
            "{value: 1, where: x, measure: nois}",
            "35: criteria[0].printed.measure: expected one of value, noise, found 'nois'; did you mean 'noise'?",
        ),
        (
            "{value: 1, where: x, series: height}",
            "5: criteria[0].printed.at: expected 'series' and 'at' together, found one of them",
        ),
        (
            "{value: 1, where: x, series: height, at: 2, measure: noise}",
            "35: criteria[0].printed.series: expected a measure or a series, found both",
        ),
        (
            "{value: 1, where: x, series: height, at: 2, arm: near, runs: mean}",
            "69: criteria[0].printed.runs: expected 'every' or 'one' for a point of a series, found 'mean'",
        ),
        (
            "{value: 1, where: x, series: height, at: 2, arm: other}",
            f"58: criteria[0].printed.arm: expected {HEIGHTS}, found 'other'",
        ),
        (
            "{value: 1, where: x, series: height, at: 2}",
            f"5: criteria[0].printed.arm: expected {HEIGHTS}, found none",
        ),
        (
            "{value: 1, where: x, series: step, at: 2, arm: near}",
            "35: criteria[0].printed.series: expected a series that a figure shows, found 'step'",
        ),
        (
            "{value: 1.234567, where: x, series: height, at: 2, arm: near}",
            "15: criteria[0].printed.value: expected at most 6 digits, with which series are stored, found 7 digits",
        ),
    ],
)
def test_a_fault_is_one_line_at_its_key(write_claim: Write, text: str, fault: str) -> None:
    path = write_claim(with_printed(text))
    with pytest.raises(ClaimError) as error:
        load_claim(path)
    assert [str(found).split(":", 2)[2] for found in error.value.faults] == [fault]


def test_a_criterion_in_several_arms_needs_the_arm_of_a_printed_number(write_claim: Write) -> None:
    several = [("holds_in: [near]\n    fails_in: [far]", "holds_in: [near, far]\n    fails_in: []\n    because: none")]
    path = write_claim(*several, with_printed("{value: 1, where: x}"))
    expected = "criteria[0].printed.arm: expected an arm of the criterion: one of near, far, found none"
    assert refusal(lambda: load_claim(path)) == f"{path}:31:5: {expected}"


def test_a_printed_number_makes_no_audit_stale_and_a_setting_of_this_name_does(write_claim: Write) -> None:
    plain = load_claim(write_claim())
    printed = load_claim(write_claim(with_printed("{value: 1.000, where: here}")))
    assert claim_hash(printed) == claim_hash(plain)
    named = plain.model_copy(update={"setup": {**plain.setup, "printed": [1.0]}})
    assert claim_hash(named) != claim_hash(plain)


def test_the_schema_for_editors_admits_a_number_and_a_text() -> None:
    value = claim_schema()["$defs"]["Printed"]["properties"]["value"]
    assert {"type": "number"} in value["anyOf"]
    assert {"type": "string"} in value["anyOf"]
