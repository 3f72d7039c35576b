"""Which claims match an expression of words (`-k`) or of tags (`-m`), and which belong to one paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from dlnrepro.claimfile.expression import Matches, expression
from dlnrepro.settings.numerals import setting

if TYPE_CHECKING:
    from dlnrepro.claimfile.schema import Claim

Item = TypeVar("Item")


class Sourced(Protocol):
    """Where a statement comes from, as lists of claims are ordered by it."""

    @property
    def heading(self) -> str:
        """The paper with its authors."""

    @property
    def authors(self) -> tuple[str, ...]:
        """The names of the authors."""


class Selectable(Protocol):
    """A claim, or what a list shows of it."""

    @property
    def id(self) -> str:
        """The name of its file."""

    @property
    def runner(self) -> str:
        """The name of its runner."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""

    @property
    def source(self) -> Sourced:
        """Where its statement comes from."""


Selected = TypeVar("Selected", bound=Selectable)


def selected(claims: Sequence[Selected], words: str | None, tags: str | None) -> list[Selected]:
    """The claims that match both expressions; None matches every claim.

    Args:
        claims: the claims to choose from; words are searched only in whole claims.
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
        chosen = [claim for claim in chosen if wanted(_holds_word(cast("Claim", claim)))]
    if tags is not None:
        wanted = expression("-m", tags, commas=True)
        chosen = [claim for claim in chosen if wanted(claim.tags.__contains__)]
    return chosen


def by_paper(claims: Iterable[Selected]) -> list[list[Selected]]:
    """The claims of each paper, in the order of `paper_groups`."""
    return paper_groups(claims, lambda claim: claim)


def paper_groups(items: Iterable[Item], claim_of: Callable[[Item], Selectable]) -> list[list[Item]]:
    """Items that belong to claims, such as results, in one group per paper.

    This is the order of claims wherever they are listed: papers by the last name of their first author, then by their
    heading; in a paper by the ids of the claims. Items of one id keep their order.
    """
    groups: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: claim_of(item).id):
        groups.setdefault(claim_of(item).source.heading, []).append(item)
    return sorted(groups.values(), key=lambda members: _place(claim_of(members[0])))


def _place(claim: Selectable) -> tuple[str, str]:
    """The last name of the first author of a claim's paper, in small letters, and the paper's heading."""
    names = " ".join(claim.source.authors[:1]).split()
    return names[-1].casefold() if names else "", claim.source.heading


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
    parts += [f"{item.quantity} {item.interval_text}" for item in (*claim.assumptions, *claim.criteria)]
    return " ".join("\n".join(parts).lower().split())


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """All words and numbers inside a value; a value with a key is also given as `key=value` and `key = value`."""
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
