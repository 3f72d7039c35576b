"""A line about work that takes longer than a moment and shows nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from dlnrepro.visible import say

PATIENCE = 1.0
"""Seconds after which a line says what is being done."""


@contextmanager
def waiting(text: str, quiet: bool = False) -> Iterator[None]:
    """Say on standard error what is being done, if it takes more than a second."""
    timer = Timer(PATIENCE, say, [text])
    timer.daemon = True
    if not quiet:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if not quiet:
            # No thread may be left when worker processes are made of this one.
            timer.join()
