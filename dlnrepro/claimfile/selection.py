"""Which claims match an expression of words (`-k`) or of tags (`-m`), and which belong to one paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from dlnrepro.claimfile.expression import Matches, expression
from dlnrepro.claimfile.schema import Claim
from dlnrepro.settings.numerals import setting


def selected(claims: Sequence[Claim], words: str | None, tags: str | None) -> list[Claim]:
    """The claims that match both expressions; None matches every claim.

    Args:
        claims: to choose from.
        words: an expression such as `align and not margin` over the claim's text: everything that `dlnrepro list` and
            `dlnrepro show` print of its file. Several words in double quotes are searched as one text; a word
            with `*`, `?` or `[` is also a pattern of ids.
        tags: an expression over whole tags.

    Raises:
        UsageError: an expression cannot be read.
    """
    chosen = list(claims)
    if words is not None:
        wanted = expression("-k", words, commas=False)
        chosen = [claim for claim in chosen if wanted(_holds_word(claim))]
    if tags is not None:
        wanted = expression("-m", tags, commas=True)
        chosen = [claim for claim in chosen if wanted(claim.tags.__contains__)]
    return chosen


def by_paper(claims: Sequence[Claim]) -> list[list[Claim]]:
    """The claims of each paper, in the order of the last names of the papers' first authors.

    Papers whose first authors share a last name, and the claims of one paper, keep their order.
    """
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.source.heading, []).append(claim)
    return sorted(groups.values(), key=lambda members: _last_name(members[0]))


def _last_name(claim: Claim) -> str:
    """The last name of the first author of a claim's paper, in small letters."""
    names = " ".join(claim.source.authors[:1]).split()
    return names[-1].casefold() if names else ""


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
