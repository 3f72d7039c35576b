"""What a user can put right, drawn as a tree.

    ReproError
    ├── ClaimError        a claim file, or a setting of it, is not valid            exit code 2
    ├── UsageError        the command asks for what does not exist or cannot be     exit code 2
    └── Disagreement      two routes to one number differ: the run is in error      exit code 3

Everything else that escapes is a fault of this program (`dlnrepro.faults`): exit code 3, one line, and a file with its
traceback.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlnrepro.visible import storable


class ReproError(Exception):
    """The root of every error that a user sees as a line of text."""


class ClaimError(ReproError):
    """A claim file is not valid; carries every fault found, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class UsageError(ReproError):
    """The command line asks for something that does not exist or cannot be done."""


class Disagreement(ReproError):
    """Two independent routes to one number differ by more than their errors allow."""


class BudgetSpent(BaseException):
    """Raised by a progress callback to stop a runner whose time is up; the engine turns it into undecided runs.

    It is no `Exception`, so that a runner that catches its own errors does not catch this.
    """


LONGEST_TEXT = 2000
"""Letters of an error's text that are kept; a runner may put a whole array into it."""


def one_line(error: BaseException) -> str:
    """An error in one line: its kind, and its text as far as it is of use."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "its text cannot be read"
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]} ... ({len(text):,} letters)"
    return storable(f"{type(error).__name__}{': ' * bool(text)}{text}")
