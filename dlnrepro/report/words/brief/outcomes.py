"""A result in a few words: its verdict, how much of the source's statement it is about, its labels, and its time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dlnrepro.report.words.numbers import duration

if TYPE_CHECKING:
    from dlnrepro.archive.last_results import LastVerdict

COVERED = {"whole": "in full", "part": "in part", "special case": "in a special case"}
"""How a statement is reproduced, by how much of it the claim covers."""

COVERS = {
    "whole": "the whole statement of the source",
    "part": "a part of the source's statement",
    "special case": "a special case of the source's statement",
}
"""What is tested, by how much of the statement the claim covers."""

LABELS = {
    "toy": "reduced",
    "fixed-seeds": "fixed runs",
    "no-controls": "no controls",
    "cuda": "GPU",
    "dirty": "uncommitted code",
    "equal-runs": "equal runs",
    "earlier-file": "of an earlier version of the claim file",
}
"""The labels whose names for a reader differ from their names in the record."""


def outcome_words(verdict: str, covers: str | None) -> str:
    """A verdict with how much of the source's statement it is about, such as `reproduced in a special case`."""
    if covers is None:
        return verdict
    return f"reproduced {COVERED[covers]}" if verdict == "reproduced" else f"{verdict} (tested: {COVERS[covers]})"


def label_words(stamps: Iterable[str]) -> str:
    """Some labels as a reader sees them, in a row."""
    return ", ".join(LABELS.get(stamp, stamp) for stamp in stamps)


def last_words(last: LastVerdict | None, covers: str | None) -> str:
    """The last verdict, with its labels and how much of the source it is about, and the computing time of all arms."""
    if last is None:
        return "not run yet" if covers is None else f"not run yet; tests {COVERS[covers]}"
    labels = f" ({label_words(last.stamps)})" if last.stamps else ""
    return f"{outcome_words(last.verdict, covers)}{labels}, computing time {duration(last.seconds)}"
