"""What a reader of measured weights must know of the biases that the measures ignore."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 4
"""How many biases are named; further biases are counted."""


def ignored_words(names: Sequence[str]) -> str:
    """That some biases are ignored although they are not zero, and what follows; empty without a bias."""
    if not names:
        return ""
    more = len(names) - MOST_NAMED
    listed = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    what = "a bias that is not zero and that is" if len(names) == 1 else "biases that are not zero and that are"
    return f"{listed}: {what} ignored, so product, loss, margin and sharpness are not those of the network"
