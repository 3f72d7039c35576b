"""Which claims a command is about: expressions of words or tags with `and`, `or`, `not` and brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from dlnrepro.claimfile.document import shortened
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import UsageError
from dlnrepro.settings.numerals import setting
from dlnrepro.visible import on_one_line

DEEPEST_EXPRESSION = 50
"""Brackets and `not` inside one another; what is deeper is no expression that a person writes."""

_TOKEN = re.compile(r'\s*(\(|\)|"[^"]*"|[^\s()"]+|")')
_TAG_TOKEN = re.compile(r'\s*(\(|\)|,|"[^"]*"|[^\s(),"]+|")')


def selected(claims: Sequence[Claim], words: str | None, tags: str | None) -> list[Claim]:
    """The claims that match both expressions; None matches every claim.

    Args:
        claims: to choose from.
        words: an expression such as `align and not margin` over the claim's text: everything that `dlnrepro list` and
            `dlnrepro show` print of its file. Several words in double quotes are looked for as they stand; a word
            with `*`, `?` or `[` is also a pattern of ids.
        tags: an expression over whole tags.

    Raises:
        UsageError: an expression cannot be read.
    """
    chosen = list(claims)
    if words is not None:
        inside = _expression("-k", words)
        chosen = [claim for claim in chosen if inside(_holds_word(claim))]
    if tags is not None:
        inside = _expression("-m", tags)
        chosen = [claim for claim in chosen if inside(claim.tags.__contains__)]
    return chosen


Matches = Callable[[str], bool]


def _holds_word(claim: Claim) -> Matches:
    """Whether a word is part of a claim's text, in any case, or a pattern of its id."""
    text: str | None = None

    def holds(word: str) -> bool:
        nonlocal text
        if any(sign in word for sign in "*?[") and fnmatchcase(claim.id, word):
            return True
        text = searched(claim) if text is None else text
        return " ".join(word.lower().split()) in text

    return holds


def searched(claim: Claim) -> str:
    """The text of a claim in which words are looked for: small letters, and one blank between words."""
    fields = claim.model_dump(mode="json", by_alias=True, exclude_none=True)
    parts = [*_texts(fields), claim.source.heading, claim.source.reference]
    changes = claim.arms.items()
    parts += [", ".join(f"{key} = {setting(value)}" for key, value in values.items()) for _, values in changes]
    parts += [f"{item.measure} {item.interval.text}" for item in (*claim.assumptions, *claim.criteria)]
    return " ".join("\n".join(parts).lower().split())


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """All words and numbers inside a value; those behind a key also as `key=value` and `key = value`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner, str(name))
        return
    if isinstance(value, list):
        yield setting(value)
        for inner in value:
            yield from _texts(inner)
        return
    yield setting(value)
    if key:
        yield f"{key}={setting(value)}"
        yield f"{key} = {setting(value)}"


def _expression(option: str, text: str) -> Callable[[Matches], bool]:
    """An expression of words, `and`, `or`, `not` and brackets, as a function of what a word means."""
    tokens = (_TAG_TOKEN if option == "-m" else _TOKEN).findall(text)
    shown = f"'{on_one_line(shortened(text))}'"
    if not tokens:
        raise UsageError(f"{option}: expected words, 'and', 'or', 'not' and brackets, found nothing")
    position = depth = 0
    alternatives = {"or", ","} if option == "-m" else {"or"}

    def peek() -> str | None:
        return tokens[position] if position < len(tokens) else None

    def take() -> str:
        nonlocal position
        if (token := peek()) is None:
            raise UsageError(f"{option}: expected a word at the end of {shown}, found nothing")
        position += 1
        return token

    def either() -> Callable[[Matches], bool]:
        parts = [both()]
        while peek() in alternatives:
            take()
            parts.append(both())
        return lambda matches: any(part(matches) for part in parts)

    def both() -> Callable[[Matches], bool]:
        parts = [single()]
        while peek() == "and":
            take()
            parts.append(single())
        return lambda matches: all(part(matches) for part in parts)

    def single() -> Callable[[Matches], bool]:
        nonlocal depth
        token = take()
        if token in {"not", "("}:
            depth += 1
            if depth > DEEPEST_EXPRESSION:
                limit = f"at most {DEEPEST_EXPRESSION} brackets and 'not' inside one another"
                raise UsageError(f"{option}: expected {limit}, found more in {shown}")
        if token == "not":
            inner = single()
            depth -= 1
            return lambda matches: not inner(matches)
        if token == "(":
            inner = either()
            depth -= 1
            if (after := peek()) != ")":
                found = "nothing" if after is None else f"'{on_one_line(shortened(after))}'"
                raise UsageError(f"{option}: expected ')' in {shown}, found {found}")
            take()
            return inner
        if token in {")", "and", *alternatives} or not token.strip('"').strip():
            raise UsageError(f"{option}: expected a word, found '{token}' in {shown}")
        word = token.strip('"')
        return lambda matches: matches(word)

    whole = either()
    if (left := peek()) is not None:
        raise UsageError(f"{option}: expected 'and' or 'or' before '{on_one_line(shortened(left))}' in {shown}")
    return whole
