"""Which claims a command is about: expressions of words or tags with `and`, `or`, `not` and brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dlnrepro.claim import Claim
from dlnrepro.errors import UsageError

_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")


def selected(claims: Sequence[Claim], words: str | None, tags: str | None) -> list[Claim]:
    """The claims that match both expressions; None matches every claim.

    Args:
        claims: to choose from.
        words: an expression such as `align and not margin` over parts of the id and title.
        tags: an expression over whole tags.

    Raises:
        UsageError: an expression cannot be read.
    """
    chosen = list(claims)
    if words is not None:
        inside = _expression("-k", words)
        chosen = [claim for claim in chosen if inside(_holds_word(claim))]
    if tags is not None:
        inside = _expression("-m", tags.replace(",", " or "))
        chosen = [claim for claim in chosen if inside(claim.tags.__contains__)]
    return chosen


Matches = Callable[[str], bool]


def _holds_word(claim: Claim) -> Matches:
    """Whether a word is part of a claim's id or title, in any case."""
    text = f"{claim.id} {claim.title}".lower()
    return lambda word: word.lower() in text


def _expression(option: str, text: str) -> Callable[[Matches], bool]:
    """An expression of words, `and`, `or`, `not` and brackets, as a function of what a word means."""
    tokens = _TOKEN.findall(text)
    if not tokens:
        raise UsageError(f"{option}: expected words, 'and', 'or', 'not' and brackets, found nothing")
    position = 0

    def peek() -> str | None:
        return tokens[position] if position < len(tokens) else None

    def take() -> str:
        nonlocal position
        if (token := peek()) is None:
            raise UsageError(f"{option}: expected a word at the end of {text!r}, found nothing")
        position += 1
        return token

    def either() -> Callable[[Matches], bool]:
        parts = [both()]
        while peek() == "or":
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
        token = take()
        if token == "not":
            inner = single()
            return lambda matches: not inner(matches)
        if token == "(":
            inner = either()
            if take() != ")":
                raise UsageError(f"{option}: expected ')' in {text!r}")
            return inner
        if token in {")", "and", "or"}:
            raise UsageError(f"{option}: expected a word, found '{token}' in {text!r}")
        return lambda matches: matches(token)

    whole = either()
    if (left := peek()) is not None:
        raise UsageError(f"{option}: expected 'and' or 'or' before '{left}' in {text!r}")
    return whole
