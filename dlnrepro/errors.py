"""What a user can put right, drawn as a tree.

    ReproError
    ├── ClaimError        a claim file, or a setting of it, is not valid            exit code 2
    ├── UsageError        the command asks for what does not exist or cannot be     exit code 2
    └── Disagreement      two routes to one number differ: the run is in error      exit code 3

Everything else that escapes is a fault of this program, and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


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


class BudgetSpent(Exception):
    """Raised by a progress callback to stop a runner whose time is up; the engine turns it into undecided runs."""
