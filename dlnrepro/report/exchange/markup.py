"""Words of a claim made safe inside GitHub-flavoured Markdown: whatever they hold, they stay words.

`prose` also writes the notation of claims with the signs that a terminal shows, such as `σ₁` and `‖W‖²`.

In addition to Markdown and HTML, GitHub finds mentions, references, addresses, emoji and formulas in plain text. An
empty comment between two characters prevents this, and a reader does not see it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from dlnrepro.report.words.typeset import in_terminal
from dlnrepro.visible import in_a_line

LONGEST_WORDS = 400

_SPECIAL = re.compile(r"[\\`*_\[\]~]")
_READ_BY_GITHUB = re.compile(
    r"(?<=[@#])(?=\w)|(?<=\$)(?=\S)|(?<=:)(?<!\d:)(?=[\w+-]+:)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=GH)(?=-\d)",
    re.IGNORECASE,
)
_ENTITIES = str.maketrans({"|": "&#124;", "$": "&#36;"})
_PLAIN_CODE = re.compile(r"[\w./=,'\"+:@%<>≤≥± -]+")


def text(words: str) -> str:
    """Words in a line of Markdown or in a cell of a table, but not at the start of a line."""
    return _apart(words, lambda part: _SPECIAL.sub(r"\\\g<0>", html.escape(part, quote=False)).translate(_ENTITIES))


def prose(words: str) -> str:
    """The sentences of a claim as `text`, with Greek letters, exponents and subscripts."""
    return text(in_terminal(words))


def in_html(words: str) -> str:
    """The words inside an HTML element, where no Markdown is read."""
    return _apart(words, lambda part: html.escape(part, quote=False))


def code(words: str) -> str:
    """Words as code, inside a table or outside."""
    line = _in_a_line(words)
    return f"`{line}`" if _PLAIN_CODE.fullmatch(line) else f"<code>{text(line)}</code>"


def _apart(words: str, escape: Callable[[str], str]) -> str:
    """Words in one line, escaped, with a comment wherever GitHub would read more than words."""
    return "<!-- -->".join(map(escape, _READ_BY_GITHUB.split(_in_a_line(words))))


def _in_a_line(words: str) -> str:
    """Words in one line that is not too long, with a mark for every character that cannot be seen."""
    line = in_a_line(words)
    return line if len(line) <= LONGEST_WORDS else line[: LONGEST_WORDS - 1] + "…"
