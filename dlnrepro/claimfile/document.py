"""A strict reader of YAML: plain values, with the line and column of every key and value.

Conventions: numbers, booleans and null follow YAML 1.2, so that `1e-3` is a number and `no` is a word. Refused are
repeated keys, tags, anchors and aliases, more than one document, non-finite numbers, keys that are not words, and
anything too long or too deeply nested to be a claim. The events of the parser are read one by one, so nothing is
constructed that is not written in the text.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from dlnrepro.errors import Fault, shortened

LARGEST_FILE = 1_000_000
DEEPEST_NESTING = 12

Place = tuple[str | int, ...]
"""The way to a value: keys and list indices from the top."""

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_NON_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)
_BREAK = re.compile(r"\r\n?|\n")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """The values of a file, their places (line and column, from 1), and the errors in its form.

    Attributes:
        refused: the places whose values could not be read; each of them already has an error.
        numerals: the places of all numbers, each with its text as it is written, such as `0.640`.
    """

    value: Any
    places: dict[Place, tuple[int, int]]
    faults: tuple[Fault, ...]
    refused: frozenset[Place] = frozenset()
    numerals: dict[Place, str] = field(default_factory=dict)

    def position(self, place: Place) -> tuple[int, int]:
        """The line and column of a place, or of its nearest ancestor that is written in the file."""
        place = self._written(place)
        while place and place not in self.places:
            place = place[:-1]
        return self.places.get(place, (1, 1))

    def placed(self, place: Place, fault: Fault) -> Fault:
        """An error at a place of this file, or at its nearest ancestor that is written in the file."""
        line, column = self.position(place)
        return replace(fault, line=line, column=column, key=dotted(self._written(place)))

    def _written(self, place: Place) -> Place:
        """A place as it is in this file, where a single value may stand in place of a list with this value."""
        found: Place = ()
        for part in place:
            alone = part == 0 and found in self.places and (*found, 0) not in self.places
            found = found if alone else (*found, part)
        return found


@dataclass
class _Builder:
    """The state of reading events: the open collections and what was found wrong."""

    places: dict[Place, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    refused: set[Place] = field(default_factory=set)
    numerals: dict[Place, str] = field(default_factory=dict)

    def note(self, event: Any, place: Place, expected: str, found: str) -> None:
        """Keep a fault at an event of the parser."""
        line, column = _position(event)
        self.faults.append(Fault(line=line, column=column, key=dotted(place), expected=expected, found=found))

    def refuse(self, event: Any, place: Place, expected: str, found: str) -> None:
        """Keep a fault of a value that cannot be used as it is written."""
        self.note(event, place, expected, found)
        self.refused.add(place)


def _position(event: Any) -> tuple[int, int]:
    """The line and column of an event of the parser, from 1."""
    return event.start_mark.line + 1, event.start_mark.column + 1


def dotted(place: Place) -> str:
    """A place as a user writes it, such as `criteria[0].at_most`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' * bool(text)}{shortened(part)}"
    return text


def read_text(path: Path) -> str | Fault:
    """The text of a file, or the error that prevents reading it."""
    try:
        # Reading a pipe or a device could go on forever.
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            return Fault(expected="a readable file", found="not a regular file", cited=True)
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except ValueError:
        return Fault(expected="a readable file", found="a name that no file can have", cited=True)
    except OSError as error:
        return Fault(expected="a readable file", found=(error.strerror or str(error)).lower(), cited=True)
    if len(raw) > LARGEST_FILE:
        found = f"{path.stat().st_size:,} bytes"
        return Fault(expected=f"a claim of at most {LARGEST_FILE:,} bytes", found=found)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _end_of(raw[: error.start].decode("utf-8"))
        byte = f"the byte 0x{raw[error.start]:02x}"
        return Fault(line=line, column=column, expected="UTF-8 text", found=byte)


def parse(text: str) -> Document:
    """The document of a text; if the text is not YAML, the document has errors and no value."""
    # YAML 1.1 counts these as ends of lines; editors and YAML 1.2 do not.
    text = text.translate(dict.fromkeys((0x85, 0x2028, 0x2029), " "))
    document, end = _parsed(text), _end_of(text)
    # The parser puts the end of a text into a line of its own, although the text may not have this line.
    faults = tuple(_until(end, fault) for fault in document.faults)
    places = {place: min(position, end) for place, position in document.places.items()}
    return replace(document, places=places, faults=faults)


def _until(end: tuple[int, int], fault: Fault) -> Fault:
    """The fault, with a place that is not after the end of its text."""
    line, column = min((fault.line, fault.column), end)
    return replace(fault, line=line, column=column)


def _parsed(text: str) -> Document:
    """The document that a text spells, with positions as the parser counts them."""
    builder = _Builder()
    value: Any = None
    try:
        events = iter(yaml.parse(text, Loader=_Loader))
        next(events)
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            builder.note(start, (), "a claim", "an empty file")
            return Document(None, {}, tuple(builder.faults), frozenset({()}))
        value = _node(next(events), events, (), builder)
        next(events)
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            builder.note(after, (), "one document", "another one after it")
    except yaml.MarkedYAMLError as error:
        mark = error.context_mark if error.problem_mark is None else error.problem_mark
        line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        builder.faults.append(_not_yaml((line, column), str(error.problem or error.context)))
    except (yaml.YAMLError, UnicodeError) as error:
        # The parser refuses a character before it knows the line that the character stands in.
        found = _UNREADABLE.search(text)
        position = _end_of(text[: found.start()] if found else "")
        builder.faults.append(_unreadable(position, found[0]) if found else _not_yaml(position, str(error)))
    except _TooDeep as error:
        builder.faults.append(error.fault)
    return Document(value, builder.places, tuple(builder.faults), frozenset(builder.refused), builder.numerals)


def _not_yaml(position: tuple[int, int], reason: str) -> Fault:
    """The fault of a text that is not YAML, with the reason that the parser gives."""
    if reason.endswith("did not find expected ',' or '}'"):
        # This is what the parser says of `{step_size: 1 / strengths[1]}`, too.
        reason += " (inside { }, a text that has [ or { needs quotes)"
    return Fault(line=position[0], column=position[1], expected="YAML", found=reason, cited=True)


def _unreadable(position: tuple[int, int], character: str) -> Fault:
    """The fault of a character that no YAML file may contain."""
    half = "\ud800" <= character <= "\udfff"
    found = "half a character" if half else f"the control character U+{ord(character):04X}"
    return Fault(line=position[0], column=position[1], expected="text", found=found)


def _end_of(text: str) -> tuple[int, int]:
    """The line and the column, from 1, directly after a text."""
    line, start = 1, 0
    for line, found in enumerate(_BREAK.finditer(text), start=2):  # noqa: B007  the last ones count
        start = found.end()
    return line, len(text) - start + 1


class _TooDeep(Exception):
    """Ends the reading of a file that is nested more deeply than any claim."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.wording)
        self.fault = fault


def _node(event: Any, events: Iterator[Any], place: Place, builder: _Builder) -> Any:
    """The value that starts at an event, and all inside it."""
    builder.places.setdefault(place, _position(event))
    if len(place) > DEEPEST_NESTING:
        line, column = _position(event)
        most = f"at most {DEEPEST_NESTING} levels of nesting"
        raise _TooDeep(Fault(line=line, column=column, expected=most, found="more of them"))
    if isinstance(event, yaml.AliasEvent):
        builder.refuse(event, place, "a value that is written out", f"the alias '*{event.anchor}'")
        return None
    if event.anchor is not None:
        builder.note(event, place, "a value without an anchor", f"the anchor '&{event.anchor}'")
    if event.tag is not None and event.tag != "!":
        builder.refuse(event, place, "a plain value without a tag", f"the tag '{event.tag}'")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, place, builder)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Any] = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_node(inner, events, (*place, len(items)), builder))
        return items
    return _mapping(events, place, builder)


def _mapping(events: Iterator[Any], place: Place, builder: _Builder) -> dict[str, Any]:
    """The mapping whose first key is the next event."""
    values: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent) or event.value == "<<":
            builder.note(event, place, "a word as a key", "something else")
            _node(event, events, (*place, "?"), builder)
            _node(next(events), events, (*place, "?"), builder)
            continue
        key = event.value
        here = (*place, key)
        if key in values:
            builder.note(event, here, "each key once", f"'{shortened(key)}' again")
            _node(next(events), events, here, builder)
            continue
        builder.places[here] = _position(event)
        values[key] = _node(next(events), events, here, builder)
    return values


def _scalar(event: Any, place: Place, builder: _Builder) -> Any:
    """A word, number, boolean or null; quoted text is always text."""
    text = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NON_FINITE.fullmatch(text):
        builder.refuse(event, place, "a finite number", text)
        return None
    if _WHOLE.fullmatch(text) and len(text) < 40:
        builder.numerals[place] = text
        return int(text)
    if _NUMBER.fullmatch(text):
        if not math.isfinite(number := float(text)):
            builder.refuse(event, place, "a finite number", text[:40])
            return None
        builder.numerals[place] = text
        return number
    return text
