"""Claim files: every fault at once, each on a line with its place, key, expectation, finding and suggestion."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlnrepro.claimfile.loader import MOST_FAULTS, load_claim, read_claim
from dlnrepro.commands.check import _fields
from dlnrepro.errors import ClaimError
from dlnrepro.registry.names import runner_names
from dlnrepro.report.exchange.github import annotation
from tests.conftest import TOY_CLAIM

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


def test_tags_and_what_the_quick_profile_changes_may_be_left_out(write_claim: Write) -> None:
    claim = load_claim(write_claim(("tags: [toy, small]\n", ""), ("quick: {seeds: 2, setup: {}}", "quick: {seeds: 2}")))

    assert claim.tags == ()
    assert (claim.quick.seeds, claim.quick.setup) == (2, {})


def test_a_number_in_exponent_form_is_a_number(write_claim: Write) -> None:
    assert load_claim(write_claim(("value: 1\n", "value: 1e-3\n"))).setup["value"] == 1e-3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("schema: 1", "schema: true", "1:1: schema: expected 1, the version of the schema, found true"),
        ("schema: 1", "schema: 1.0", "1:1: schema: expected 1, the version of the schema, found 1.0"),
        ("seeds: 4\nsetup", "seeds: true\nsetup", "12:1: seeds: expected a whole number, found true"),
        ("statement: A toy that measures one.\n", "", "1:1: statement: expected this key, found nothing"),
        (
            "title: The",
            "titel: x\ntitle: The",
            "2:1: titel: expected one of 22 names, such as title, criteria, statement, found 'titel'; "
            "did you mean 'title'?",
        ),
        ("title: The toy is near one", "title: 3", "2:1: title: expected text, found 3"),
        ("seeds: 4\nsetup", "seeds: four\nsetup", "12:1: seeds: expected a whole number, found 'four'"),
        ("seeds: 4\nsetup", "seeds: 0\nsetup", "12:1: seeds: expected a number of at least 1, found 0"),
        ("value: 1\n", "value: .nan\n", "14:10: setup.value: expected a finite number, found .nan"),
        ("value: 1\n", "value: 1e7\n", "14:3: setup.value: expected a number of at most 1e6, found 1e7"),
        ("value: 1\n", "value: one\n", "14:3: setup.value: expected a number, found 'one'"),
        ("  bytes: 1000\n", "", "13:1: setup.bytes: expected this key, found nothing"),
        (
            "bytes: 1000",
            "bites: 1000",
            "16:3: setup.bites: expected one of value, behaviour, bytes, found 'bites'; did you mean 'bytes'?",
        ),
        (
            "far: {value: 5.0}",
            "far: {valu: 5.0}",
            "19:9: arms.far.valu: expected one of value, behaviour, bytes, found 'valu'; did you mean 'value'?",
        ),
        (
            "behaviour: steady",
            "behaviour: stedy",
            "15:3: setup.behaviour: expected one of steady, raises, disagrees, diverges, first-diverges, slow, "
            "first-late, single, silent, found 'stedy'; did you mean 'steady'?",
        ),
        (
            "fails_in: [far]",
            "fails_in: [farr]",
            "29:5: criteria[0].fails_in: expected one of near, far, found 'farr'; did you mean 'far'?",
        ),
        (
            "fails_in: [far]",
            "fails_in: []",
            "29:5: criteria[0].fails_in: expected a control, or a 'because' that says why there is none, found neither",
        ),
        (
            "    fails_in: [far]\n",
            "",
            "23:5: criteria[0].fails_in: expected this key (the controls, that is, "
            "the arms in which the criterion must fail), found nothing",
        ),
        (
            "fails_in: [far]",
            "fails_in: [near, far]",
            "29:5: criteria[0].fails_in: expected each arm in one of both lists, found 'near' in holds_in and fails_in",
        ),
        (
            "measure: value",
            "measure: valu",
            "25:5: criteria[0].measure: expected one of value, noise, found 'valu'; did you mean 'value'?",
        ),
        ("within: 0.1", "within: -1", "27:5: criteria[0].within: expected a number of at least 0, found -1"),
        (
            "within: 0.1",
            "within: 0.1\n    above: 3",
            "27:5: criteria[0].within: expected 'equals' together with 'within' and no other bound, "
            "found equals, within, above",
        ),
        (
            "    equals: 1.0\n    within: 0.1\n",
            "",
            "23:5: criteria[0]: expected one or two of above, below, at_least, at_most, or equals with "
            "within, found none",
        ),
        (
            "below: 1e-2",
            "below: 1, above: 2",
            "21:48: assumptions[0].below: expected an interval with numbers in it, found the empty one > 2 and < 1",
        ),
        (
            "y: height",
            "y: hight",
            "32:21: figures[0].y: expected one of step, height, lone, found 'hight'; did you mean 'height'?",
        ),
        ("y: height", "y: lone", "32:21: figures[0].y: expected a series of the axis 'step' of step, found 'lone'"),
        (
            "far: {value: 5.0}",
            "far: {value: 5.0}\n  idle: {}",
            "20:3: arms.idle: expected an arm that a criterion names, found 'idle' unused",
        ),
        (
            "basis: derived",
            "basis: guess",
            "9:3: source.basis: expected one of theorem, reported, abstract, derived, found 'guess'",
        ),
        (
            "quick: {seeds: 2, setup: {}}",
            "quick: {seeds: 2, setup: {bites: 1}}",
            "33:27: quick.setup.bites: expected one of value, behaviour, bytes, found 'bites'; did you mean 'bytes'?",
        ),
        ("schema: 1", "id: x\nschema: 1", "1:1: id: expected no such key, since the file's name is the id, found 'id'"),
        (
            "why: the",
            "misses: 4\n    why: the",
            "30:5: criteria[0].misses: expected 'runs: almost all' (the default) if some runs may lie outside, "
            "or 'runs: every' if none may, found 'misses', which is no longer a key",
        ),
        (
            "holds_in: [near]\n",
            "holds_in: [near, near]\n",
            "28:5: criteria[0].holds_in: expected each arm once, found 'near' again",
        ),
        (
            "fails_in: [far]",
            "fails_in: [far, far]",
            "29:5: criteria[0].fails_in: expected each arm once, found 'far' again",
        ),
        (
            "arms: [near, far]",
            "arms: [near, far, near]",
            "32:41: figures[0].arms: expected each arm once, found 'near' again",
        ),
        ("y: height", "y: [height, height]", "32:21: figures[0].y: expected each series once, found 'height' again"),
        ("[toy, small]", "[toy, toy]", "10:1: tags: expected each tag once, found 'toy' again"),
        ("[A. Author]", "[A, B, A]", "6:3: source.authors: expected each author once, found 'A' again"),
        ("title: The toy is near one", "title: ' '", "2:1: title: expected text that is not blank, found ' '"),
        ("title: The toy is near one", "title: ''", "2:1: title: expected text of at least 1 character, found ''"),
        (
            "why: the noise is at most 1e-3",
            "why: '  '",
            "30:5: criteria[0].why: expected text that is not blank, found '  '",
        ),
        (
            "assumptions:",
            "controls: {fat: The value is not one.}\nassumptions:",
            "20:12: controls.fat: expected one of far, found 'fat'; did you mean 'far'?",
        ),
        (
            "assumptions:",
            "controls: {near: The value is not one.}\nassumptions:",
            "20:12: controls.near: expected one of far, found 'near'",
        ),
        (
            "title: The toy",
            "covers: {what: special, says: x}\ntitle: The toy",
            "2:10: covers.what: expected one of whole, part, special case, found 'special'; did you mean "
            "'special case'?",
        ),
        (
            "quick:",
            "expect: not reproduced\nquick:",
            "33:1: expect: expected a 'because' that says why the claim is not reproduced, found none",
        ),
    ],
)
def test_each_fault_says_where_what_was_expected_and_what_was_found(
    write_claim: Write, old: str, new: str, expected: str
) -> None:
    found = faults(write_claim((old, new)))
    assert expected in found
    assert all("\n" not in line for line in found)


def test_a_runner_that_is_not_known_is_answered_with_the_nearest_one(write_claim: Write) -> None:
    expected = f"expected the runner of an installed package, one of {len(runner_names())} names"
    line = f"11:1: runner: {expected} (`dlnrepro list --runners` lists them), found 'toi'; did you mean 'toy'?"
    assert faults(write_claim(("runner: toy", "runner: toi"))) == [line]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("below: 1e-2, holds_in: near", "below: 1e-2, holds_in: neer",
         "21:61: assumptions[0].holds_in: expected one of near, far, found 'neer'; did you mean 'near'?"),
        ("holds_in: [near]", "holds_in: [near, neer]",
         "28:5: criteria[0].holds_in: expected one of near, far, found 'neer'; did you mean 'near'?"),
        ("arms: [near, far]}", "arms: [near, farr]}", "figures[0].arms: expected one of near, far, found 'farr'; "
         "did you mean 'far'?"),
        ("arms: [near, far]}", "arms: [near, far], reference: hight}", "figures[0].reference: expected one of "
         "step, height, lone, found 'hight'; did you mean 'height'?"),
        ("arms: [near, far]}", "arms: [near, far], reference: lone}",
         "figures[0].reference: expected a series of the axis 'step' of step, found 'lone'"),
        ("figures:", "  - {id: near-one, says: again, measure: noise, below: 1, holds_in: near, fails_in: [], "
         "because: it is}\nfigures:", "31:6: criteria[1].id: expected each id once, found 'near-one' again"),
    ],
)  # fmt: skip
def test_a_name_is_looked_for_wherever_it_stands(write_claim: Write, old: str, new: str, fault: str) -> None:
    (found,) = faults(write_claim((old, new)))
    assert fault in found


def test_all_faults_are_reported_at_once_in_the_order_of_the_file(write_claim: Write) -> None:
    found = faults(write_claim(("title: The", "titel: The"), ("seeds: 4\ns", "seeds: 0\ns"), ("measure: noise, ", "")))
    assert [line.split(": ")[1] for line in found] == ["title", "titel", "seeds", "assumptions[0].measure"]


def test_a_file_that_is_not_a_mapping_or_is_missing_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("[1, 2]")
    assert faults(path) == ["1:1: expected a mapping of keys, found [1, 2]"]
    assert faults(tmp_path / "none.yaml") == ["1:1: expected a readable file, found: no such file or directory"]
    assert faults(tmp_path) == ["1:1: expected a readable file, found: is a directory"]


def test_a_file_name_that_is_not_an_id_is_refused(write_claim: Write) -> None:
    assert faults(write_claim(name="Toy_Claim")) == [
        "1:1: expected a file name of small letters, digits and hyphens, found 'Toy_Claim'; did you mean "
        "'toy-claim.yaml'?"
    ]
    with pytest.raises(ClaimError, match=r"did you mean 'toy-claim\.yaml'"):
        read_claim(write_claim(name="Toy_Claim"))


@pytest.mark.parametrize(
    ("change", "key"), [(("title: The", "titel: The"), "titel"), (("value: 1\n", "value: one\n"), "setup.value")]
)
def test_a_file_name_that_is_not_an_id_hides_no_other_fault(
    write_claim: Write, change: tuple[str, str], key: str
) -> None:
    found = faults(write_claim(change, name="Toy_Claim"))
    assert "did you mean 'toy-claim.yaml'?" in found[0]
    assert key in [line.split(": ")[1] for line in found[1:]]


def test_a_file_name_without_a_letter_or_a_digit_has_no_suggestion(write_claim: Write) -> None:
    assert faults(write_claim(name="___")) == [
        "1:1: expected a file name of small letters, digits and hyphens, found '___'"
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ((", holds_in: near", ""), "assumptions[0].holds_in: expected this key (the arms in which the assumption must"),
        (
            ("    holds_in: [near]\n", ""),
            "criteria[0].holds_in: expected this key (the arms in which the criterion must",
        ),
    ],
)
def test_a_missing_list_of_arms_says_what_it_means(write_claim: Write, change: tuple[str, str], line: str) -> None:
    assert f": {line} hold), found nothing" in faults(write_claim(change))[0]


def test_reading_alone_does_not_need_the_runner_to_agree(write_claim: Write) -> None:
    assert read_claim(write_claim(("value: 1\n", "value: one\n"))).setup["value"] == "one"


@pytest.mark.parametrize("number", [".nan", "1e400", "*x", "!!float '1'"])
def test_a_value_that_is_refused_gives_one_fault_and_no_second_one(write_claim: Write, number: str) -> None:
    (line,) = faults(write_claim(("equals: 1.0", f"equals: {number}")))
    assert line.startswith("26:13: criteria[0].equals: expected a ")
    (line,) = faults(write_claim(("seeds: 4\nsetup", f"seeds: {number}\nsetup")))
    assert line.startswith("12:8: seeds: expected a ")


@pytest.mark.slow
def test_of_very_many_faults_the_first_are_shown_and_the_rest_is_counted(write_claim: Write) -> None:
    path = write_claim()
    start = time.perf_counter()
    for text in (
        TOY_CLAIM + "".join(f"a{number}: 1\n" for number in range(20_000)),
        TOY_CLAIM.replace("arms:\n", "arms:\n" + "".join(f"  a{number}: {{}}\n" for number in range(15_000))),
        TOY_CLAIM.replace("tags: [", "tags: [" + "".join(f"t{number % 9000}, " for number in range(18_000))),
    ):
        path.write_text(text)
        found = faults(path)
        assert len(found) <= MOST_FAULTS + 1
        assert found[-1].endswith(" more errors")
    # Each takes some tenths of a second; a search that grows with the square of their number takes minutes.
    assert time.perf_counter() - start < 20


def test_a_key_that_holds_an_end_of_a_line_stays_on_one_line(write_claim: Write) -> None:
    found = faults(write_claim(("title: The", '"a\\nb: c\\e[2J": 1\ntitle: The')))
    assert found[0].startswith("2:1: a\\nb: c\\x1b[2J: expected one of 22 names, such as ")


PIECES = st.sampled_from(
    [b"", b"\n", b": ", b"- ", b"[", b"]", b"{}", b"#", b'"', b"'", b"|", b">", b"&a ", b"*a", b"!!int ", b"? ", b"\t",
     b"\0", b"\xff", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80", b"9" * 400, b"1e400", b".nan", b"null", b"<<: ", b"  ", b"-",
     b"arms:", b"seeds: ", b"holds_in: ", b"\x1b[2J", b"::error::", b"%0A", b"---\n", b"'a\nb': "]
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(TOY_CLAIM)), st.integers(0, 40), PIECES), min_size=1, max_size=4))
def test_whatever_is_done_to_a_claim_file_gives_a_claim_or_faults_that_print_in_every_format(
    write_claim: Write, changes: list[tuple[int, int, bytes]]
) -> None:
    path = write_claim()
    content = path.read_bytes()
    for place, length, piece in changes:
        content = content[:place] + piece + content[place + length :]
    path.write_bytes(content)
    try:
        load_claim(path)
    except ClaimError as error:
        for fault in error.faults:
            assert "\n" not in str(fault)
            assert str(fault).startswith(f"{path}:{fault.line}:{fault.column}: ")
            assert "\n" not in annotation("error", fault.message, file=fault.path, line=fault.line, column=fault.column)
            assert json.loads(json.dumps(_fields(fault)))["message"] == fault.message


NAMED = (
    ("runner: toy", "runner: named"),
    ("  value: 1\n  behaviour: steady\n  bytes: 1000\n", "  values: {value: 1.0, noise: 0.0}\n  declares: true\n"),
    ("{value: 5.0}", "{values: {value: 5.0, noise: 0.0}}"),
    ("figures:\n  - {title: Height, y: height, x: step, arms: [near, far]}\n", ""),
)
"""What makes the toy claim one whose setting defines the measures."""


def test_measures_that_the_setting_defines_are_the_measures_of_the_runner(write_claim: Write) -> None:
    assert load_claim(write_claim(*NAMED)).runner == "named"

    path = write_claim(*NAMED, ("measure: noise", "measure: nose"))

    expected = "expected one of value, noise, found 'nose'; did you mean 'noise'?"
    assert faults(path) == [f"20:32: assumptions[0].measure: {expected}"]


def test_measures_that_are_known_only_from_a_result_are_taken_from_the_claim(write_claim: Write) -> None:
    path = write_claim(*NAMED, ("declares: true", "declares: false"), ("equals: 1.0", "equals: drawn"))

    assert load_claim(path).criteria[0].equals == "drawn"


def test_a_source_of_each_kind_must_have_its_own_keys(write_claim: Write) -> None:
    whole = TOY_CLAIM[TOY_CLAIM.index("source:") : TOY_CLAIM.index("tags:")]
    missing = "expected this key, found nothing"

    assert load_claim(write_claim((whole, "source: {kind: own}\n"))).source.heading == "Statements of one's own"
    preprint = "source: {kind: preprint, paper: Toys, authors: A. B, where: all, basis: derived}\n"
    assert load_claim(write_claim((whole, preprint))).source.heading == "Toys (A. B, preprint)"
    assert faults(write_claim((whole, "source: {paper: Toys, where: all}\n"))) == [
        f"4:1: source.{key}: {missing}" for key in ("authors", "venue", "basis")
    ]
    assert faults(write_claim((whole, "source: {kind: preprint, paper: Toys, venue: 3}\n"))) == [
        "4:1: source.authors: expected this key, found nothing",
        "4:1: source.where: expected this key, found nothing",
        "4:1: source.basis: expected this key, found nothing",
        "4:39: source.venue: expected text, found 3",
    ]


def test_the_numbers_of_runs_have_usual_values(write_claim: Write) -> None:
    claim = load_claim(write_claim(("seeds: 4\n", ""), ("quick: {seeds: 2, setup: {}}\n", "")))

    assert (claim.seeds, claim.quick.seeds, claim.quick.setup) == (16, 4, {})
