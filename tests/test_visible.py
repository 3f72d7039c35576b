"""Text as it may be shown: nothing unseen is left, nothing seen is changed, and no log reads a command."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dlnrepro.visible import (
    escaped,
    harmless,
    in_a_line,
    say,
    seen_in_json,
    show,
    show_json,
    storable,
    to_json_text,
    visible,
)

EVERY = [chr(number) for number in range(0x110000)]
KEPT = {"\n", "\u200c", "\u200d"}
"""The end of a line, and the joiners that scripts need."""


def unseen(character: str) -> bool:
    """Whether the Unicode database knows a character as one that controls, formats, or is half of one."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_every_character_that_controls_or_formats_is_marked() -> None:
    # Signs that stand before Arabic and Syriac numbers are of this category too, but they are seen.
    seen = {"\u0600", "\u0601", "\u0602", "\u0603", "\u0604", "\u0605", "\u06dd", "\u070f", "\u0890", "\u0891",
            "\u08e2", "\U000110bd", "\U000110cd", *map(chr, range(0x13430, 0x13440))}  # fmt: skip
    left = [character for character in EVERY if unseen(character) and visible(character) == character]
    assert set(left) <= KEPT | seen


def test_letters_digits_signs_and_marks_are_left_as_they_are() -> None:
    seen = [item for item in EVERY if unicodedata.category(item)[0] in "LNPS" and visible(item) != item]
    # Fillers of Hangul letters are letters that are not seen.
    assert seen == ["\u115f", "\u1160", "\u3164", "\uffa0"]


@pytest.mark.parametrize(
    ("text", "marked", "code"),
    [
        ("a\x1b[2Kb", "a\ufffd[2Kb", r"a\x1b[2Kb"),
        ("\x9b2K", "\ufffd2K", r"\x9b2K"),
        ("a\u202eb", "a\ufffdb", r"a\u202eb"),
        ("\ud800", "\ufffd", r"\ud800"),
        ("caf\udce9", r"caf\xe9", r"caf\xe9"),
        ("\U000e0041", "\ufffd", r"\U000e0041"),
        ("a\tb\r\nc\rd", "a b\nc\ufffdd", r"a b\nc\rd".replace(r"\n", "\n")),
        ("η ≤ 1, 数, é, 👩\u200d🔬", "η ≤ 1, 数, é, 👩\u200d🔬", "η ≤ 1, 数, é, 👩\u200d🔬"),
    ],
)
def test_what_cannot_be_seen_is_a_mark_or_an_escape_sequence(text: str, marked: str, code: str) -> None:
    assert (visible(text), escaped(text)) == (marked, code)


def test_a_text_in_a_line_has_no_other_line() -> None:
    assert in_a_line(" a\n\n b\u2028c\x85d\t") == "a b\ufffdc\ufffdd"


@given(st.text(st.characters(exclude_categories=())))
@example("##[group]##vso[x]")
def test_json_keeps_the_data_and_shows_no_unseen_character(text: str) -> None:
    for written in (to_json_text({text: text}), seen_in_json(json.dumps({text: text}, ensure_ascii=False))):
        assert json.loads(written) == {storable(text): storable(text)}
        assert visible(written) == written
        assert "##[" not in written
        assert written.encode()


COMMANDS = [
    "::error::x",
    " \t::error::x",
    "\u3000\xa0::error::x",
    "a\n::warning::x",
    "##[group]x",
    "a ##vso[x]",
    "##Teamcity[x]",
]


@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("system", ["GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"])
def test_a_log_reads_no_command(text: str, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert harmless(text) == text
    monkeypatch.setenv(system, "true")
    for line in harmless(text).splitlines():
        assert not line.lstrip().startswith("::")
    assert "##[" not in harmless(text)
    assert "##" not in harmless(text)
    assert harmless(text).replace(" ", "") == text.replace(" ", "")


def test_what_is_said_is_one_visible_line(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    say("::a\x1b\udce9")
    show("::b\x1b\udce9")
    show_json(["::c\x1b\udce9"])
    out, err = capfd.readouterr()
    assert err == ": :a\ufffd\\xe9\n"
    assert out == ': :b\ufffd\\xe9\n[\n "::c\\u001b\\\\xe9"\n]\n'
