"""What a list shows of each claim; it is kept for valid files, so that a list need not read and check them again.

To read and check all claim files takes longer than everything else that a list does. What is kept of a file is found by
the digest of the file's content and name, and counts only as long as the code that reads claims does not change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlnrepro.claimfile.gathering import Selection, gathered, gathered_by
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.registry.kept import READERS, code_digest, keep, library_digest, read_kept

if TYPE_CHECKING:
    from dlnrepro.claimfile.schema import Claim

FEWEST = 8
"""The number of newly read files from which on something is kept; fewer files are read as fast."""

_NAME = "listed-claims.json"


@dataclass(frozen=True)
class ListedSource:
    """Where the statement of a listed claim comes from.

    Attributes:
        heading: the paper with its authors, as a heading over its claims.
    """

    heading: str
    authors: tuple[str, ...]
    paper: str | None
    arxiv: str | None


@dataclass(frozen=True)
class Listed:
    """One claim of a list.

    Attributes:
        covers: how much of the source's statement the claim tests, or None if its file does not say.
    """

    id: str
    title: str
    tags: tuple[str, ...]
    runner: str
    covers: str | None
    source: ListedSource


def as_listed(claim: Claim) -> Listed:
    """What a list shows of a claim."""
    source = claim.source
    origin = ListedSource(source.heading, source.authors, source.paper, source.arxiv)
    return Listed(claim.id, claim.title, claim.tags, claim.runner, claim.covers.what if claim.covers else None, origin)


def listed(words: str | None, tags: str | None) -> Selection[Listed]:
    """The claims that two expressions select, as `gathered` selects them.

    Raises:
        UsageError: an expression cannot be read, or matches nothing.
    """
    if words is not None:
        # Words are searched in the whole text of each claim.
        found = gathered((), words, tags)
        claims, closed = (
            tuple((as_listed(claim), path) for claim, path in part) for part in (found.claims, found.closed)
        )
        return Selection(claims, found.faults, found.hidden, closed, found.others)
    reader = _Reader()
    try:
        return gathered_by(reader, (), None, tags)
    finally:
        reader.keep()


class _Reader:
    """Reads what a list shows of a file, if it is not kept from an earlier list."""

    def __init__(self) -> None:
        self._code = _code_now()
        self._kept = read_kept(_NAME, self._code)
        self._fresh: dict[str, dict[str, Any]] = {}

    def __call__(self, path: Path) -> Listed:
        """What a list shows of the claim in a file.

        Raises:
            ClaimError: with a line for every fault.
        """
        key = _key(path)
        if key is not None and (kept := _from_kept(self._kept.get(key))) is not None:
            return kept
        # Only a file that is not kept needs these modules, which take longer to import than all others.
        from dlnrepro.claimfile.loader import read_claim
        from dlnrepro.registry.names import comes_with_the_program

        found = as_listed(read_claim(path))
        # Whether a runner of another package is installed must be asked each time.
        if key is not None and (is_function(found.runner) or comes_with_the_program(found.runner)):
            self._fresh[key] = asdict(found)
        return found

    def keep(self) -> None:
        """Keep what was read now."""
        if len(self._fresh) >= FEWEST:
            keep(_NAME, self._code, {**self._kept, **self._fresh})


def _code_now() -> str:
    """A digest that changes with the code that reads claims, its libraries, and the names of the runners."""
    parts = code_digest(*READERS, "runners"), library_digest("yaml", "pydantic", "pydantic_core")
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _key(path: Path) -> str | None:
    """The digest of a file's name and content; None for what is not a file that can be read."""
    with suppress(OSError, ValueError):
        if path.is_file():
            name = path.name.encode("utf-8", "surrogateescape")
            return hashlib.sha256(name + b"\n" + path.read_bytes()).hexdigest()
    return None


def _from_kept(row: object) -> Listed | None:
    """What was kept of a file, or None if nothing was, or nothing that could be a claim of a list."""
    if not isinstance(row, Mapping):
        return None
    with suppress(TypeError, KeyError):
        source = ListedSource(**{**row["source"], "authors": tuple(row["source"]["authors"])})
        return Listed(**{**row, "tags": tuple(row["tags"]), "source": source})
    return None
