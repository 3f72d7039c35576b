"""Claim files: every fault at once, each on a line with its place, key, expectation, finding and suggestion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.errors import ClaimError
from dlnrepro.loader import load_claim, read_claim

Write = Callable[..., Path]


def faults(path: Path) -> list[str]:
    """The faults of a claim file without its path."""
    with pytest.raises(ClaimError) as error:
        load_claim(path)
    return [str(fault).removeprefix(f"{path}:") for fault in error.value.faults]


def test_a_valid_claim_is_loaded_with_single_names_as_lists(write_claim: Write) -> None:
    claim = load_claim(write_claim(("holds_in: [near]", "holds_in: near")))
    assert claim.id == "toy-claim"
    assert claim.criteria[0].holds_in == ("near",)
    assert claim.setup["value"] == 1
    assert claim.used_arms == ["near", "far"]


def test_a_number_in_exponent_form_is_a_number(write_claim: Write) -> None:
    assert load_claim(write_claim(("value: 1\n", "value: 1e-3\n"))).setup["value"] == 1e-3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("runner: toy", "runner: toi", "11:1: runner: expected one of "),
        ("runner: toy", "runner: toi", "found 'toi'; did you mean 'toy'?"),
        ("statement: A toy that measures one.\n", "", "1:1: statement: expected this key, found nothing"),
        ("title: The", "titel: x\ntitle: The", "2:1: titel: expected one of schema, title"),
        ("title: The", "titel: x\ntitle: The", "found 'titel'; did you mean 'title'?"),
        ("title: The toy is near one", "title: 3", "2:1: title: expected text, found 3"),
        ("seeds: 4\nsetup", "seeds: four\nsetup", "12:1: seeds: expected a whole number, found 'four'"),
        ("seeds: 4\nsetup", "seeds: 0\nsetup", "12:1: seeds: expected a number of at least 1, found 0"),
        ("value: 1\n", "value: .nan\n", "14:10: setup.value: expected a finite number, found .nan"),
        ("value: 1\n", "value: 1e7\n", "14:3: setup.value: expected a number of at most 1e+06, found 10000000.0"),
        ("value: 1\n", "value: one\n", "14:3: setup.value: expected a number, found 'one'"),
        ("  bytes: 1000\n", "", "13:1: setup.bytes: expected this key, found nothing"),
        ("bytes: 1000", "bites: 1000", "found 'bites'; did you mean 'bytes'?"),
        ("far: {value: 5.0}", "far: {valu: 5.0}", "19:9: arms.far.valu: expected one of value, behaviour, bytes"),
        ("behaviour: steady", "behaviour: stedy", "found 'stedy'; did you mean 'steady'?"),
        ("fails_in: [far]", "fails_in: [farr]", "29:5: criteria[0].fails_in: expected one of near, far, found 'farr'; "
         "did you mean 'far'?"),
        ("fails_in: [far]", "fails_in: []", "23:5: criteria[0]: expected a control in 'fails_in', or a 'because'"),
        ("    fails_in: [far]\n", "", "criteria[0].fails_in: expected this key, found nothing"),
        ("fails_in: [far]", "fails_in: [near, far]", "found 'near' in holds_in and fails_in"),
        ("measure: value", "measure: valu", "25:5: criteria[0].measure: expected one of value, noise, found 'valu'; "
         "did you mean 'value'?"),
        ("within: 0.1", "within: -1", "23:5: criteria[0]: expected 'within' of at least 0, found -1"),
        ("below: 1e-2", "below: 1, above: 2", "assumptions[0]: expected an interval with numbers in it, found the "
         "empty one > 2 and < 1"),
        ("y: height", "y: hight", "figures[0].y: expected one of step, height, lone, found 'hight'; "
         "did you mean 'height'?"),
        ("y: height", "y: lone", "figures[0].y: expected a series of the axis 'step' of step, found 'lone'"),
        ("far: {value: 5.0}", "far: {value: 5.0}\n  idle: {}", "arms.idle: expected an arm that a criterion names"),
        ("basis: derived", "basis: guess", "9:3: source.basis: expected one of 'theorem', 'abstract' or 'derived'"),
        ("quick: {seeds: 2, setup: {}}", "quick: {seeds: 2, setup: {bites: 1}}", "quick.setup.bites: expected one of"),
        ("schema: 1", "id: x\nschema: 1", "1:1: id: expected no such key"),
        ("why: the", "misses: 4\n    why: the", "criteria[0].misses: expected fewer misses than the 4 runs, found 4"),
        ("quick:", "expect: not reproduced\nquick:", "expected a 'because' that says why the claim is not reproduced"),
    ],
)  # fmt: skip
def test_each_fault_says_where_what_was_expected_and_what_was_found(
    write_claim: Write, old: str, new: str, expected: str
) -> None:
    found = faults(write_claim((old, new)))
    assert any(expected in line for line in found), found
    assert all("\n" not in line for line in found)


def test_all_faults_are_reported_at_once_in_the_order_of_the_file(write_claim: Write) -> None:
    found = faults(write_claim(("title: The", "titel: The"), ("seeds: 4\ns", "seeds: 0\ns"), ("measure: noise, ", "")))
    assert [line.split(": ")[1] for line in found] == ["title", "titel", "seeds", "assumptions[0].measure"]


def test_a_file_that_is_no_mapping_or_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("[1, 2]")
    assert faults(path) == ["1:1: expected a mapping of keys, found [1, 2]"]
    assert faults(tmp_path / "none.yaml") == ["1:1: expected a readable file, found: no such file or directory"]
    assert faults(tmp_path) == ["1:1: expected a readable file, found: is a directory"]


def test_a_file_name_that_is_no_id_is_refused(write_claim: Write) -> None:
    assert faults(write_claim(name="Toy_Claim")) == [
        "1:1: expected a file name of small letters, digits and hyphens, found 'Toy_Claim'"
    ]


def test_reading_alone_does_not_need_the_runner_to_agree(write_claim: Write) -> None:
    assert read_claim(write_claim(("value: 1\n", "value: one\n"))).setup["value"] == "one"
