"""The errors that a user can correct, as a tree.

    ReproError
    ├── ClaimError        a claim file, or one of its settings, is not valid        exit code 2
    ├── UsageError        the command names something missing or impossible         exit code 2
    │   └── RunnerError   a runner cannot be imported, or lacks a part              exit code 2
    ├── NoSuchDraw        no draw gave data or an initialization that fits          exit code 3
    ├── BadResult         a function of the user returns something unfit            exit code 3
    └── Disagreement      two computations of one number disagree                   exit code 3

`BudgetSpent` is a signal inside the program and is never shown. Every other exception that is not handled is an error
of this program (`dlnrepro.session.faults`): exit code 3, one line, and a file with the traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal


class ReproError(Exception):
    """The root of every error that a user sees as a line of text."""


LONGEST_PATH = 1000
"""The most characters of a path that a message shows."""

LONGEST_WORD = 60
"""The most characters of a word that a message shows; a longer word is cut."""

MOST_CHOICES = 12
"""The most expected words that a message lists; of more words it gives the number and the nearest words."""

MOST_NEAREST = 3
"""How many known words a message names if there are too many to list."""

MOST_COMPARED = 1000
"""The most known words among which the nearest word is searched; a longer search would take too much time."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One error in a file: its place, what was expected there, and what was found.

    The parts are kept separate until the error is printed; only `wording` makes a sentence of them.

    Attributes:
        path: the file; empty if it is not known, or if there is no file.
        line: the line of the file, from 1.
        column: the column, from 1.
        key: the key of the file, such as `criteria[0].at_most`; empty for the file as a whole.
        expected: what was expected; None only if `text` is the whole sentence.
        found: what was found; None if nothing can be said about it.
        suggestion: the known word that is most similar to the word that was found, if there is one.
        text: the whole sentence, for an error that does not compare something expected with something found.
        rule: the rule of policy that is broken; None if the file is not valid.
        cited: `found` is a message of the system or of a library, which is cited after a colon.
    """

    path: str = ""
    line: int = 1
    column: int = 1
    key: str = ""
    expected: str | None = None
    found: str | None = None
    suggestion: str | None = None
    text: str | None = None
    rule: str | None = None
    cited: bool = False

    def at(self, path: str | Path) -> Fault:
        """The error with the path of its file."""
        return replace(self, path=str(path))

    @property
    def wording(self) -> str:
        """What was expected and found, as a sentence without the key."""
        if self.text is not None:
            return _on_one_line(self.text)
        words = f"expected {self.expected}"
        words += f", found{':' * self.cited} {self.found}" if self.found is not None else ""
        words += f"; did you mean '{self.suggestion}'?" if self.suggestion is not None else ""
        words += f" (rule {self.rule})" if self.rule is not None else ""
        return _on_one_line(words)

    @property
    def message(self) -> str:
        """The key, and what was expected and found there."""
        return _on_one_line(f"{self.key}: " * bool(self.key)) + self.wording

    def __str__(self) -> str:
        """The error as one line, as a user sees it."""
        # No file has a name of this length; what a user gave instead need not be shown in full.
        path = self.path if len(self.path) <= LONGEST_PATH else f"{self.path[: LONGEST_PATH - 3]}..."
        return f"{_on_one_line(path)}:{self.line}:{self.column}: {self.message}"


class ClaimError(ReproError):
    """A claim file is not valid; the exception has all its errors, each with file, place and key."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(tuple(faults))
        self.faults = tuple(faults)

    def __str__(self) -> str:
        """One line per error."""
        return "\n".join(map(str, self.faults))


class UsageError(ReproError):
    """The command line asks for something that does not exist or cannot be done; each argument is one line."""

    def __str__(self) -> str:
        """What was expected and found, one line for each argument."""
        return "\n".join(map(str, self.args))


class RunnerError(UsageError):
    """A runner cannot be imported, or lacks a part of a runner."""

    def __init__(self, runner: str, fault: Fault) -> None:
        super().__init__(runner, fault)
        self.runner = runner
        self.fault = fault

    def __str__(self) -> str:
        """The runner's name, and what was expected and found."""
        return f"runner {self.runner}: {self.fault.wording}"


class NoSuchDraw(ReproError):
    """No draw gave random data, or a random initialization, that fits the setting; the arm has an error.

    Args:
        wanted: what should have been drawn.
        draws: how many draws were tried.
    """

    def __init__(self, wanted: str, draws: int) -> None:
        super().__init__(wanted, draws)
        self.wanted = wanted
        self.draws = draws

    def __str__(self) -> str:
        """What was expected, and in how many draws it was not found."""
        return f"expected {self.wanted}, found none in {self.draws:,} draws"


class BadResult(ReproError):
    """A function of the user returns something that is not numbers by their names; the text names its file and line."""


class Disagreement(ReproError):
    """Two independent computations of one number differ by more than their errors allow."""


class BudgetSpent(BaseException):
    """A progress callback raises this to stop a runner whose budget is used up; the runs are then undecided.

    It is not an `Exception`, so that a runner that catches its own errors does not catch it.
    """


LONGEST_TEXT = 2000
"""The most letters of an error's text that are kept, since a runner may put a whole array into it."""


def text_of(error: BaseException) -> str:
    """The text of an error in one line, cut if it is very long."""
    try:
        text = " ".join(str(error).split())
    except BaseException:
        # The error may come from a runner, and to make its text may raise any exception, also SystemExit.
        text = "its text cannot be read"
    return _storable(f"{text[:LONGEST_TEXT]} ... ({len(text):,} letters)" if len(text) > LONGEST_TEXT else text)


def one_line(error: BaseException) -> str:
    """An error in one line: its kind, and its text, cut if it is very long."""
    text = text_of(error)
    return _storable(f"{type(error).__name__}{': ' * bool(text)}") + text


def _storable(text: str) -> str:
    r"""The text with `\xe9` in place of a byte of a file name, or of an error, that is not text in UTF-8.

    Python represents such bytes as half characters, which UTF-8 files and JSON cannot contain.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def shortened(word: str) -> str:
    """A word for a message, which is cut if it is too long to read."""
    return word if len(word) <= LONGEST_WORD else f"{word[: LONGEST_WORD - 3]}..."


def one_of(known: Sequence[str], word: str, listing: str = "") -> str:
    """`one of a, b, c`; for too many words, their number with the command that lists them or the nearest words.

    Args:
        known: the known words.
        word: the word that was found.
        listing: the command that lists the known words, if there is one.
    """
    if not known:
        return "nothing of this kind"
    if len(known) <= MOST_CHOICES:
        return f"one of {', '.join(map(shortened, known))}"
    if listing:
        return f"one of {len(known):,} names (`{listing}` lists them)"
    near = _nearest(word, known, MOST_NEAREST, 0.3) or known[:MOST_NEAREST]
    return f"one of {len(known):,} names, such as {', '.join(map(shortened, near))}"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that is most similar to a word; None if no word is similar."""
    near = _nearest(word, known, 1, 0.6)
    return near[0] if near else None


def unknown(word: str, known: Sequence[str], listing: str = "") -> Fault:
    """The error for an unknown word; the arguments are those of `one_of`."""
    return Fault(expected=one_of(known, word, listing), found=f"'{shortened(word)}'", suggestion=nearest(word, known))


def _nearest(word: str, known: Sequence[str], count: int, share: float) -> list[str]:
    """The known words that are most like a word, the nearest first; none if a search would take too long."""
    if len(word) > LONGEST_WORD or len(known) > MOST_COMPARED:
        return []
    return get_close_matches(word, known, n=count, cutoff=share)


def _on_one_line(text: str) -> str:
    r"""The text with `\x1b` or `\n` in the place of a character that cannot be seen.

    It is kept apart from `dlnrepro.visible`, on which no stored number rests.
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in _storable(text))


@dataclass(frozen=True)
class Unjudged:
    """Something that was selected but could not be judged, or an error of the program outside any claim.

    Attributes:
        code: its exit code: 2 for a file that is not a valid claim, 3 for an error of the program.
        path: the file, if it is a file.
        text: what is wrong, in one line.
        line: the line of the file, from 1, if the place is known.
        column: the column, from 1, if the place is known.
    """

    code: Literal[2, 3]
    path: str | None
    text: str
    line: int | None = None
    column: int | None = None
