"""The entries of a file of weights: their names, shapes and numbers, and the refusal of a file that cannot be read.

An entry has its numbers only if it may belong to a linear layer, that is, if it is a matrix or a vector of floating
point numbers. All numbers become float64.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlnrepro.dynamics.tensors.arrays import Array
from dlnrepro.errors import UsageError

MOST_NUMBERS = 2**28
"""The most numbers of a file that are read: 2 GiB in double precision."""

LONGEST_MESSAGE = 300
"""The most characters of a reader's message that are shown."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One entry of a file.

    Attributes:
        name: such as `layers.0.weight`.
        shape: the lengths of its axes.
        kind: what its numbers are in the file, such as `float32`; for an entry without numbers, what it is.
        values: the numbers of a matrix or a vector, as float64; None for every other entry.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    values: Array | None = None


def refusal(path: str, expected: str, found: str) -> UsageError:
    """The error that names a file, what was expected in it, and what was found."""
    return UsageError(f"{path}: expected {expected}, found {found}")


def unreadable(path: str, expected: str, message: str) -> UsageError:
    """The error that names a file, what was expected in it, and the message of the reader that gave up."""
    return UsageError(f"{path}: expected {expected}, found: {' '.join(message.split())[:LONGEST_MESSAGE]}")


def check_size(path: str, numbers: int) -> None:
    """Refuse a file with more numbers than are read.

    Raises:
        UsageError: there are more than 2^28 numbers.
    """
    if numbers > MOST_NUMBERS:
        raise refusal(path, f"at most {MOST_NUMBERS:,} numbers in matrices and vectors", f"{numbers:,}")
