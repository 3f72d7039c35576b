"""Telling how far a run is when its work has several parts."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]


def part_of(progress: Progress, before: float, share: float, name: str = "") -> Progress:
    """The progress of one part of the work, told as a progress of the whole.

    Args:
        progress: of the whole; told a fraction in [0, 1] and a note.
        before: the share of the work that lies before this part.
        share: the share of this part.
        name: put before every note.
    """
    start = f"{name}, " if name else ""
    return lambda fraction, note: progress(before + share * fraction, start + note)
