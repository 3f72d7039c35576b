"""YAML as plain values, with positions; everything odd is a fault, and nothing is constructed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.claimfile.document import LARGEST_FILE, parse, read_text
from dlnrepro.errors import MOST_CHOICES, Fault, one_of

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"\A[a-z]{1,8}\Z"), inner, max_size=3),
    max_leaves=12,
)


@given(value=PLAIN)
@pytest.mark.slow
def test_what_json_spells_is_read_back_as_it_is(value: object) -> None:
    import json

    document = parse(json.dumps({"key": value}))
    assert document.faults == ()
    assert document.value == {"key": value}


@given(text=st.text(max_size=200))
def test_any_text_gives_a_document_and_never_an_exception(text: str) -> None:
    document = parse(text)
    assert document.faults or isinstance(document.value, object)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("-2E6", -2e6), ("1.", 1.0), (".5", 0.5), ("+7", 7), ("no", "no"), ("'1'", "1"), ("1e", "1e"),
     ("true", True), ("~", None), ("0x10", "0x10"), ("1_000", "1_000"), ("2026-01-01", "2026-01-01")],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = parse(f"key: {text}").value["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\na: 2", "f:2:1: a: expected each key once, found 'a' again"),
        ("a: {b: 1, b: 2}", "f:1:11: a.b: expected each key once, found 'b' again"),
        ("a: .nan", "f:1:4: a: expected a finite number, found .nan"),
        ("a: -.inf", "f:1:4: a: expected a finite number, found -.inf"),
        ("a: NaN", "f:1:4: a: expected a finite number, found NaN"),
        ("a: 1e999", "f:1:4: a: expected a finite number, found 1e999"),
        ("", "f:1:1: expected a claim, found an empty file"),
        ("a: 1\n---\nb: 2", "f:2:1: expected one document, found another one after it"),
        ("a: b: c", "f:1:5: expected YAML, found: mapping values are not allowed in this context"),
        ("x: &a [1]\ny: *a", "f:1:4: x: expected a value without an anchor, found the anchor '&a'"),
        ("x: &a [1]\ny: *a", "f:2:4: y: expected a value that is written out, found the alias '*a'"),
        ("[" * 50_000, "f:1:14: expected at most 12 levels of nesting, found more of them"),
        ("? [1]\n: 2", "f:1:3: expected a word as a key, found something else"),
        ("a: !!python/object/apply:os.system [echo]",
         "f:1:4: a: expected a plain value without a tag, found the tag "
         "'tag:yaml.org,2002:python/object/apply:os.system'"),
    ],
)  # fmt: skip
def test_every_fault_is_one_line_with_its_place(text: str, line: str) -> None:
    assert line in [str(fault.at("f")) for fault in parse(text).faults]


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    layers = [f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]" for n in range(1, 40)]
    document = parse("\n".join(["k0: &k0 [x]", *layers]))
    assert any("alias" in str(fault.found) for fault in document.faults)
    assert len(yaml.dump(document.value)) < 10_000


def test_a_file_of_a_hundred_megabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    assert read_text(path) == Fault(expected=f"a claim of at most {LARGEST_FILE:,} bytes", found="100,000,000 bytes")


def test_a_byte_that_is_not_utf_8_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    assert read_text(path) == Fault(line=2, column=7, expected="UTF-8 text", found="the byte 0xe9")


def test_of_too_many_known_words_the_number_is_given_and_how_to_list_them_or_the_nearest_ones() -> None:
    few, many = [f"arm-{letter}" for letter in "abcdefghijkl"], [f"arm-{letter}" for letter in "abcdefghijklm"]
    assert len(few) == MOST_CHOICES
    assert one_of(few, "arm-x") == f"one of {', '.join(few)}"
    assert one_of(many, "arm-m", "dlnrepro list") == "one of 13 names (`dlnrepro list` lists them)"
    assert one_of([*many, "near-one"], "near-two").startswith("one of 14 names, such as near-one")
    assert one_of(many, "?") == "one of 13 names, such as arm-a, arm-b, arm-c"


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_only_an_end_of_line_that_an_editor_shows_counts_as_a_line(sign: str) -> None:
    assert parse(f"a: x {sign} y\nb: !t 1\n").faults[0].line == 2


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("#c", (1, 3)),
        ("---", (1, 4)),
        ("a: [", (1, 5)),
        ("a: 1\rb: !t x\r", (2, 4)),
        ("a: 1\r\nb: !t x", (2, 4)),
        ("", (1, 1)),
    ],
)
def test_no_fault_has_a_place_after_the_end_of_its_text(text: str, position: tuple[int, int]) -> None:
    document = parse(text)
    fault = document.faults[0] if document.faults else document.placed((), Fault(expected="a claim"))
    assert (fault.line, fault.column) == position
