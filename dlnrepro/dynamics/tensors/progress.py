"""How a computation reports the share of its work that is done, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""A function of the fraction done, in [0, 1], and a note such as `step 4000 of 60000`; it may raise BudgetSpent."""


def part_of(progress: Progress, before: float, share: float, name: str = "") -> Progress:
    """The progress of one part of the work, which reports to the progress of the whole.

    Args:
        progress: the progress of the whole.
        before: the share of the work that is done before this part, in [0, 1].
        share: the share of the work in this part, in [0, 1].
        name: text that is written before every note.
    """
    start = f"{name}, " if name else ""
    return lambda fraction, note: progress(before + share * fraction, start + note)
