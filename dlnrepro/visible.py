"""Text from elsewhere as it may be shown: claim files, records, runners and file names are data, never commands.

A terminal obeys escape sequences, a reader is misled by characters that change the direction of text, and the log of a
CI system reads commands at the start of a line. Every text that this program did not write passes through here before
it reaches a terminal, a log, a page or a file.
"""

from __future__ import annotations

import os
import re

import click

MARK = "\ufffd"
"""What stands in the place of a character that cannot be seen."""

# Control characters (C0 but the end of a line, DEL, C1), marks and overrides of direction, invisible separators and
# annotations, half characters (bytes of a name that are no text), tags, and what is no character.
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=[\[a-z])")


def visible(text: str) -> str:
    """The text with a mark for every character that cannot be seen; ends of lines are kept, a tab is a blank."""
    return _UNSEEN.sub(MARK, text.replace("\t", " "))


def escaped(text: str) -> str:
    r"""The text with `\x1b` or `\u202e` in the place of a character that cannot be seen, so that it can be told."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape", "backslashreplace").decode(), text)


def on_one_line(text: str) -> str:
    r"""The text as `escaped` shows it, on a single line: an end of a line is shown as `\n`."""
    return escaped(text).replace("\n", "\\n")


def harmless(text: str) -> str:
    """The text with no line in it that a CI system would take for a command; unchanged outside of one."""
    if not any(os.environ.get(name) for name in ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")):
        return text
    return _OLD_COMMAND.sub("# #", _COMMAND.sub(r"\1: ", text))


def say(text: str) -> None:
    """A line for people, on standard error."""
    click.echo(harmless(visible(text)), err=True)
