r"""Makes text from outside safe to show: claim files, records, runners and file names are data, never commands.

A terminal obeys escape sequences, characters that change the direction of text mislead a reader, and a CI system reads
commands at the start of a line of a log. Every text that this program did not write passes through this module before
it reaches a terminal, a log, a page or a file.

If a byte of a file name is not text, Python represents it as half a character (U+DC80 to U+DCFF). Such a byte is always
shown as `\xe9`, so that the name can be recognised. The joiners U+200C and U+200D stay, since some scripts need them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

import click

MARK = "\ufffd"
"""The replacement for an invisible character."""

# Control characters (C0 but the end of a line, DEL, C1); marks and overrides of direction; invisible separators,
# fillers and annotations; half characters; tags; and what is no character.
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
_HALF = re.compile("[\ud800-\udfff]")
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=[\[a-z])", re.IGNORECASE)
_SYSTEMS = ("GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")


def visible(text: str) -> str:
    """The text with a mark for every invisible character; line ends are kept, and a tab becomes a blank."""
    return _UNSEEN.sub(lambda found: _byte(found[0]) or MARK, _with_blanks(text))


def escaped(text: str) -> str:
    r"""The text with `\x1b` or `\u202e` in place of an invisible character, so that a reader can identify it."""
    return _UNSEEN.sub(lambda found: _code(found[0]), _with_blanks(text))


def in_a_line(text: str) -> str:
    """The visible text in one line: every sequence of blanks and line ends becomes one blank."""
    return " ".join(visible(text).split())


def storable(text: str) -> str:
    r"""The text with `\xe9` or `\ud800` in place of half a character, which UTF-8 files and JSON cannot contain.

    Python represents bytes of a file name, or of an error, that are not text as such halves.
    """
    return _HALF.sub(lambda found: _code(found[0]), text)


def seen_in_json(text: str) -> str:
    r"""A JSON text with the same meaning but without invisible characters: they are written as `\u202e`.

    Half characters, which many readers of JSON refuse, become text as in `storable`. Text that a CI system would read
    as a command in a log is broken by an escape sequence too.
    """
    return _OLD_COMMAND.sub(r"#\\u0023", _UNSEEN.sub(lambda found: _in_json(found[0]), text))


def to_json_text(value: Any) -> str:
    """A value as JSON, indented by one blank per level, without invisible characters."""
    return seen_in_json(json.dumps(value, indent=1, ensure_ascii=False))


def on_one_line(text: str) -> str:
    r"""The text as `escaped` shows it, on a single line: a line end is shown as `\n`."""
    return escaped(text).replace("\n", "\\n")


def harmless(text: str) -> str:
    """The text without lines that a CI system would read as commands; unchanged outside a CI system."""
    if not any(os.environ.get(name) for name in _SYSTEMS):
        return text
    return _OLD_COMMAND.sub("# #", _COMMAND.sub(r"\1: ", text))


def say(text: str) -> None:
    """Write a line for people to standard error."""
    click.echo(harmless(visible(text)), err=True)


def show(text: str) -> None:
    """Write a line for people to standard output, with a question mark for each character that its encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(harmless(visible(text).encode(encoding, "replace").decode(encoding)))


def show_json(value: Any) -> None:
    """Write a value as JSON to standard output, in UTF-8 whatever the encoding of the terminal is, as JSON requires."""
    click.echo(to_json_text(value).encode())


def _with_blanks(text: str) -> str:
    """The text with blanks for tabs, and with one kind of end of line."""
    return text.replace("\r\n", "\n").replace("\t", " ")


def _byte(character: str) -> str | None:
    r"""`\xe9` for a byte that is not text, None for any other character."""
    return f"\\x{ord(character) - 0xDC00:02x}" if "\udc80" <= character <= "\udcff" else None


def _code(character: str) -> str:
    """A character as Python writes it in an escape sequence."""
    return _byte(character) or character.encode("unicode_escape").decode()


def _in_json(character: str) -> str:
    """A character as an escape sequence of JSON; half a character as text; white space between the parts stays."""
    if _HALF.match(character):
        return "\\" + _code(character)
    if character in "\t\r":
        return character
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"
