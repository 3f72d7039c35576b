"""What a function says of its parameters and numbers: the sections `Args:` and `Returns:` of its docstring.

The form is that of Google's style guide: one entry per name, `name: description`, and further lines are indented more.
The function is not run for this.
"""

from __future__ import annotations

import ast
import re
from inspect import cleandoc
from typing import NamedTuple

_HEADING = re.compile(r"(\w[\w ]*):\s*")
_ENTRY = re.compile(r"(\w[\w.-]*)(?:\s*\([^)]*\))?:\s+(.+)")


class Described(NamedTuple):
    """The descriptions in a docstring: name -> description, for parameters and for returned numbers."""

    parameters: dict[str, str]
    numbers: dict[str, str]


def described(docstring: str | None) -> Described:
    """The descriptions of parameters and of returned numbers in a docstring; none if there is no docstring."""
    sections = _sections(cleandoc(docstring or ""))
    parameters = sections.get("args") or sections.get("arguments") or sections.get("parameters") or []
    return Described(_entries(parameters), _entries(sections.get("returns", [])))


def described_in(source: str, function: str) -> Described:
    """The descriptions in the docstring of a function, from the text of its file; none if it cannot be read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return described(None)
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    return described(ast.get_docstring(found[-1]) if found else None)


def in_words(name: str) -> str:
    """The name of a number that has no description, with blanks in place of underscores."""
    return name.replace("_", " ")


def _sections(text: str) -> dict[str, list[str]]:
    """The lines of each section, by its heading in small letters."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            lines = found.setdefault(heading[1].lower(), [])
        elif line.strip() and not line.startswith(" "):
            lines = []
        else:
            lines.append(line)
    return found


def _entries(lines: list[str]) -> dict[str, str]:
    """The entries of a section: a line that is indented more than the first one continues the entry above it."""
    filled = [line for line in lines if line.strip()]
    indent = _indent(filled[0]) if filled else 0
    found: dict[str, str] = {}
    name = None
    for line in filled:
        entry = _ENTRY.fullmatch(line.strip()) if _indent(line) <= indent else None
        if entry is not None:
            name = entry[1]
            found[name] = entry[2].strip()
        elif name is not None and _indent(line) > indent:
            found[name] += f" {line.strip()}"
        else:
            name = None
    return {name: text.rstrip(".") for name, text in found.items()}


def _indent(line: str) -> int:
    """The number of blanks at the beginning of a line."""
    return len(line) - len(line.lstrip())
