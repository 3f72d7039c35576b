"""`dlnrepro run` refuses what it cannot do: one whole line for each fault, exit code 2, and nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
Cases = dict[str, tuple[list[str], str]]


def usage(option: str, expected: str, found: str) -> str:
    """The line about an option whose value is refused."""
    return f"dlnrepro run: Invalid value for {option}: expected {expected}, found {found} (see dlnrepro run --help)"


NEITHER = "expected a claim file or the id of a claim, found neither"
TIME = "a time above 0, such as 90, 90s, 5m or 1h"
WORKERS = "'-j' / '--workers' / '--jobs'"
SETTING = "expected KEY=VALUE, such as -s depth=4, or ARM.KEY=VALUE"

CLAIMS: Cases = {
    "a file that is not there": (
        ["nothing.yaml"],
        "nothing.yaml:1:1: expected a readable file, found: no such file or directory",
    ),
    "a claim that is not there": (["nothing"], f"nothing: {NEITHER}"),
    "no name": ([""], "'': expected a claim file, a folder or the id of a claim, found no name"),
    "a file of a long name": (
        ["y" * 5000 + ".yaml"],
        "y" * 997 + "...:1:1: expected a readable file, found: file name too long",
    ),
    "a claim of a long name": (["x" * 300], "x" * 57 + f"...: {NEITHER}"),
    "an open bracket": (["CLAIM", "-k", "("], "-k: expected a word at the end of '(', found nothing"),
    "an open bracket before a word": (["CLAIM", "-k", "(toy"], "-k: expected ')' in '(toy', found nothing"),
    "a word of no letters": (["CLAIM", "-k", '""'], "-k: expected a word, found '\"\"' in '\"\"'"),
    "a comma with nothing behind it": (
        ["CLAIM", "-m", "toy,"],
        "-m: expected a word at the end of 'toy,', found nothing",
    ),
    "brackets too deep": (
        ["CLAIM", "-k", "(" * 200 + "toy" + ")" * 200],
        "-k: expected at most 50 brackets and 'not' inside one another, found more in '" + "(" * 57 + "...'",
    ),
}

SETTINGS: Cases = {
    "no such parameter": (
        ["CLAIM", "-s", "valu=1"],
        "-s valu: toy-claim: expected one of value, behaviour, bytes, found 'valu'; did you mean 'value'?",
    ),
    "a value of another type": (["CLAIM", "-s", "value=one"], "-s value: toy-claim: expected a number, found 'one'"),
    "an infinite value": (["CLAIM", "-s", "value=.inf"], "-s value=.inf: expected a finite number, found .inf"),
    "a parameter without a value": (["CLAIM", "-s", "value"], f"-s value: {SETTING}"),
    "a value without a parameter": (["CLAIM", "-s", "=3"], f"-s =3: {SETTING}"),
    "an arm of no name": (["CLAIM", "-s", ".value=3"], f"-s .value=3: {SETTING}"),
    "no value after the =": (
        ["CLAIM", "-s", "value="],
        "-s value=: expected a value after the =, such as -s value=4, found none",
    ),
    "a comment after the =": (
        ["CLAIM", "-s", "value=#"],
        "-s value=#: expected a value after the =, such as -s value=4, found none",
    ),
    "a parameter twice": (
        ["CLAIM", "-s", "value=1", "-s", "value=2"],
        "-s value=2: expected each parameter once, found 'value' again",
    ),
    "a value that is no YAML": (
        ["CLAIM", "-s", "value=[1\n"],
        "-s value=[1\\n: expected YAML, found: did not find expected ',' or ']'",
    ),
    "half a character": (["CLAIM", "-s", "value=\udcff"], "-s value=\\xff: expected text, found half a character"),
    "no seeds": (["CLAIM", "--seeds", "0"], usage("'--seeds'", "a whole number from 1 to 100000", "'0'")),
    "digits of Python's own": (
        ["CLAIM", "--seeds", "1_0"],
        usage("'--seeds'", "a whole number from 1 to 100000", "'1_0'"),
    ),
    "a negative seed": (
        ["CLAIM", "--seed-base", "-1"],
        usage("'--seed-base'", "a whole number from 0 to 9223372036854775807", "'-1'"),
    ),
    "seeds beyond the largest": (
        ["CLAIM", "--seed-base", str(2**63 - 2)],
        "--seed-base: expected at most 9223372036854775804, found 9223372036854775806",
    ),
}

COMPUTING: Cases = {
    **{
        f"a budget of {text}": (["CLAIM", "--budget", text], usage("'--budget'", TIME, f"'{text}'"))
        for text in ("0", "nan", "1e999", "inf", "5 m")
    },
    "no workers": (["CLAIM", "-j", "0"], usage(WORKERS, "a number from 1 to 1024, or auto", "'0'")),
    "workers by a wrong word": (["CLAIM", "-j", "all"], usage(WORKERS, "a number from 1 to 1024, or auto", "'all'")),
    "an unknown option": (["CLAIM", "--zzz"], "dlnrepro run: No such option '--zzz'. (see dlnrepro run --help)"),
}

FILES: Cases = {
    "a file of no format": (
        ["CLAIM", "-o", "out.pdf"],
        "-o out.pdf: expected a file ending in .html, .json, .md, .xml, found '.pdf'",
    ),
    "a file in no folder": (
        ["CLAIM", "-o", "no/such/out.json"],
        "-o no/such/out.json: expected a file in a folder that can be written",
    ),
    "a folder for a file": (
        ["CLAIM", "-o", "/tmp"],
        "-o /tmp: expected a file ending in .html, .json, .md, .xml, found a folder; "
        "--outputs /tmp names the folder where everything is stored",
    ),
    "a file for a folder": (
        ["CLAIM", "--outputs", "report.json"],
        "--outputs report.json: expected a folder, found the name of a report; -o report.json writes a report",
    ),
    "a folder of no name": (["CLAIM", "--outputs", ""], usage("'--outputs'", "the name of a folder", "no name")),
    "a folder below a file": (
        ["CLAIM", "--outputs", "/dev/null/x"],
        "--outputs /dev/null/x: expected a folder that can be written, found: not a directory",
    ),
}


def case(cases: Cases) -> pytest.MarkDecorator:
    """One test for each case, under its name."""
    return pytest.mark.parametrize(("words", "line"), cases.values(), ids=cases)


@case(CLAIMS | SETTINGS | COMPUTING | FILES)
def test_a_wrong_word_is_one_line_and_nothing_is_written(
    command: Command, write_claim: Write, tmp_path: Path, words: list[str], line: str
) -> None:
    path = write_claim()
    before = sorted(tmp_path.rglob("*"))
    assert command("run", *[path if word == "CLAIM" else word for word in words]) == (2, "", f"{line}\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_setting_that_does_not_fit_in_memory_is_refused_before_anything_is_trained(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    path = write_claim()
    code, out, err = command("run", path, "-s", "bytes=10000000000000")
    assert (code, out) == (2, "")
    expected = "toy-claim: arm near: expected a setting that fits in memory; it needs 160,000.0 GB for 16 runs, found"
    assert re.fullmatch(rf"{expected} [0-9,.]+ [GM]B free\n", err)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["nothing", "CLAIM", "nowhere"], [f"nothing: {NEITHER}", f"nowhere: {NEITHER}"]),
        (
            ["CLAIM", "-s", "value", "-s", "bytes=", "-s", "value=.nan"],
            [
                f"-s value: {SETTING}",
                "-s bytes=: expected a value after the =, such as -s bytes=4, found none",
                "-s value=.nan: expected a finite number, found .nan",
            ],
        ),
        (
            ["CLAIM", "-s", "valu=1", "-s", "nar.value=1", "-s", "near.bytes=x"],
            [
                "-s valu: toy-claim: expected one of value, behaviour, bytes, found 'valu'; did you mean 'value'?",
                "-s nar.value: toy-claim: expected one of near, far before the dot, found 'nar'; did you mean 'near'?",
                "-s near.bytes: toy-claim: expected a whole number, found 'x'",
            ],
        ),
    ],
    ids=["claims", "settings that cannot be read", "settings that do not fit the claim"],
)
def test_of_several_wrong_words_each_has_its_line(
    command: Command, write_claim: Write, words: list[str], lines: list[str]
) -> None:
    path = write_claim()
    code, out, err = command("run", *[path if word == "CLAIM" else word for word in words])
    assert (code, out, err.splitlines()) == (2, "", lines)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "1:1: expected a claim, found an empty file"),
        (b"title: [", "1:9: expected YAML, found: did not find expected node content"),
        (b"title: a\nseeds: \x07", "2:8: expected text, found the control character U+0007"),
        (b"title: \xc3\xa9\n\xc3\xa9 \xff", "2:3: expected UTF-8 text, found the byte 0xff"),
        (b"title: a \xe2\x80\xa8 b\nseeds: [", "2:9: expected YAML, found: did not find expected node content"),
        (b"title: caf\xe9", "1:11: expected UTF-8 text, found the byte 0xe9"),
        (b"\x89PNG\r\n\x1a\n", "1:1: expected UTF-8 text, found the byte 0x89"),
        (b"- a\n- b\n", "1:1: expected a mapping of keys, found ['a', 'b']"),
        (b" " * 100_000_000, "1:1: expected a claim of at most 1,000,000 bytes, found 100,000,000 bytes"),
        (b"[" * 100_000, "1:14: expected at most 12 levels of nesting, found more of them"),
    ],
    ids=[
        "empty",
        "no YAML",
        "control",
        "not UTF-8 below",
        "separator",
        "not UTF-8",
        "binary",
        "no mapping",
        "100 MB",
        "deep",
    ],
)
def test_a_file_that_is_not_a_claim_is_one_line_and_nothing_is_written(
    command: Command, tmp_path: Path, content: bytes, line: str
) -> None:
    path = tmp_path / "claim.yaml"
    path.write_bytes(content)
    assert command("run", path) == (2, "", f"{path}:{line}\n")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "value: 1\n",
            "value: !!python/object/apply:os.system ['touch pwned']\n",
            "14:10: setup.value: expected a plain value without a tag, found the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        (
            "value: 1\n",
            "value: &a 1\n",
            "14:10: setup.value: expected a value without an anchor, found the anchor '&a'",
        ),
        (
            "fails_in: [far]",
            "fails_in: []",
            "29:5: criteria[0].fails_in: expected a control, or a 'because' that says why there is none, found neither",
        ),
        (
            "within: 0.1",
            "within: 0.1\n    above: 3",
            "27:5: criteria[0].within: expected 'equals' together with 'within' and no other bound, "
            "found equals, within, above",
        ),
    ],
    ids=["a tag that runs code", "an anchor", "no control", "two kinds of bounds"],
)
def test_a_claim_that_tricks_or_proves_nothing_is_refused(
    command: Command, write_claim: Write, tmp_path: Path, old: str, new: str, line: str
) -> None:
    path = write_claim((old, new))
    assert command("run", path) == (2, "", f"{path}:{line}\n")
    assert list(tmp_path.iterdir()) == [path]


def test_every_fault_of_a_claim_file_is_a_line_and_nothing_is_run(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    path = write_claim(("measure: value", "measure: valu"), ("value: 1\n", "value: one\n"))
    code, out, err = command("run", path)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"{path}:14:3: setup.value: expected a number, found 'one'",
        f"{path}:25:5: criteria[0].measure: expected one of value, noise, found 'valu'; did you mean 'value'?",
    ]
    assert not (tmp_path / "outputs").exists()
