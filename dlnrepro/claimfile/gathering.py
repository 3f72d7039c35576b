"""The claims of a command, and the other selected files: invalid files are always named.

If the user names an invalid file itself, the whole command is refused. If an invalid file is only in a named folder,
the valid claims are still used; the errors of the file are shown, and they decide the exit code.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic

from dlnrepro.claimfile.catalogue import ClaimFile, Files, claim_files, command_name, other_file_here
from dlnrepro.claimfile.selection import Selectable, Selected, selected
from dlnrepro.errors import ClaimError, Fault, Unjudged
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.visible import on_one_line, say, storable

if TYPE_CHECKING:
    from dlnrepro.claimfile.schema import Claim

MOST_NAMED = 5
"""How many hidden files are named; further hidden files are counted."""


@dataclass(frozen=True)
class Selection(Generic[Selected]):
    """The selected claims, and the selected files that are not valid claims.

    Attributes:
        claims: each claim with its file.
        faults: the errors of files in named folders, in the order of the files.
        hidden: hidden claim files, which were skipped.
        closed: claims whose runner is a function in a file, which were skipped because their paths were not given.
        others: files of claims that the user named by an id, each with a file of the working folder that has this id
            too and was not read.
    """

    claims: tuple[tuple[Selected, Path], ...]
    faults: tuple[Fault, ...]
    hidden: tuple[Path, ...]
    closed: tuple[tuple[Selected, Path], ...] = ()
    others: tuple[tuple[Path, Path], ...] = ()

    @property
    def unjudged(self) -> list[Unjudged]:
        """One entry per file that is not a valid claim, for the report."""
        files: dict[str, list[Fault]] = defaultdict(list)
        for fault in self.faults:
            files[fault.path].append(fault)
        return [
            Unjudged(2, storable(path), _sum(faults), faults[0].line, faults[0].column)
            for path, faults in files.items()
        ]

    def say_rest(self) -> None:
        """Print the errors and the names of skipped files to standard error."""
        for line in [*passed_over(self.hidden), *not_run(self.closed), *used_instead(self.others)]:
            say(line)
        for fault in self.faults:
            say(str(fault))


def gathered(
    names: Sequence[str],
    words: str | None = None,
    tags: str | None = None,
    load: Callable[[Path], Claim] | None = None,
    only: Callable[[Sequence[Claim]], Container[str]] | None = None,
) -> Selection[Claim]:
    """The claims that names and expressions select.

    Args:
        names: files, folders, ids and patterns; without names all claims are meant.
        words: an expression of words, as `-k`.
        tags: an expression of tags, as `-m`.
        load: the function that reads a selected claim again, such as `load_claim`, which checks it against its runner;
            without it the claims are checked against the schema alone.
        only: a function from the selected claims to the ids of the claims to keep; None keeps all.

    Raises:
        UsageError: a name or an expression matches nothing.
        ClaimError: a file that was named itself is not valid; with every error of all such files.
    """
    return gathered_by(_read_claim, names, words, tags, load, only)


def gathered_by(
    reader: Callable[[Path], Selected],
    names: Sequence[str],
    words: str | None = None,
    tags: str | None = None,
    load: Callable[[Path], Selected] | None = None,
    only: Callable[[Sequence[Selected]], Container[str]] | None = None,
) -> Selection[Selected]:
    """As `gathered`, with another function that reads what is needed of each file, and refuses an invalid one."""
    files = claim_files(names)
    faults = _of_closed_folders(files)
    single, doubled = _told_apart(files.claims)
    faults += doubled
    read, wrong = _read(single, reader)
    faults += wrong
    chosen = {claim.id for claim in selected([claim for claim, _ in read], words, tags)}
    claims = [(claim, file) for claim, file in read if claim.id in chosen]
    if only is not None:
        kept = only([claim for claim, _ in claims])
        claims = [(claim, file) for claim, file in claims if claim.id in kept]
    closed: list[tuple[Selected, ClaimFile]] = []
    if load is not None:
        closed = [(claim, file) for claim, file in claims if is_function(claim.runner) and not file.by_path]
        claims = [item for item in claims if item not in closed]
        claims, wrong = _read([file for _, file in claims], load)
        faults += wrong
    named = {str(file.path) for file in files.claims if file.named}
    if any(fault.path in named for fault in faults):
        raise ClaimError(faults)
    found, skipped = (tuple((claim, file.path) for claim, file in items) for items in (claims, closed))
    others = tuple((file.path, other) for _, file in claims if (other := other_file_here(file)) is not None)
    return Selection(found, tuple(faults), files.hidden, skipped, others)


def passed_over(hidden: Sequence[Path]) -> list[str]:
    """The lines that name the hidden files."""
    lines = [on_one_line(f"skipped: {path} (hidden)") for path in hidden[:MOST_NAMED]]
    more = len(hidden) - MOST_NAMED
    return lines + ([f"skipped: {more:,} more hidden file{'s' * (more > 1)}"] if more > 0 else [])


def used_instead(others: Sequence[tuple[Path, Path]]) -> list[str]:
    """The lines that say which file an id stands for, where a file of the working folder has the same id."""
    return [
        on_one_line(f"{path.stem}: the file {path} is used, not {other} in this folder; name '{other}' to use that")
        for path, other in others
    ]


def not_run(closed: Sequence[tuple[Selectable, Path]], command: str = "run") -> list[str]:
    """The lines that name the claims whose function is not run, and how to run it."""
    lines = []
    for claim, path in closed[:MOST_NAMED]:
        how = f"`dlnrepro {command} {shlex.quote(command_name(path, by_path=True))}`"
        why = f"its function {claim.runner} is only imported if the claim is named by its path: {how}"
        left = "skipped" if command == "run" else "checked without its function"
        lines.append(on_one_line(f"{left}: {claim.id} ({why})"))
    more = len(closed) - MOST_NAMED
    return lines + ([f"skipped: {more:,} more claim{'s' * (more > 1)} with a function as runner"] if more > 0 else [])


def all_faults(files: Files, load: Callable[[Path], Claim]) -> list[Fault]:
    """Every error of some files; two files with one id are an error too.

    The claims of `without_their_function` are checked against the schema alone.
    """
    single, doubled = _told_apart(files.claims)
    alone = {path for _, path in without_their_function(files)}
    faults = [*_of_closed_folders(files), *doubled]
    for file in single:
        faults += _read([file], _read_claim if file.path in alone else load)[1]
    return faults


def without_their_function(files: Files) -> list[tuple[Claim, Path]]:
    """The claims whose runner is a function in a file that is not imported, because their paths were not given."""
    read, _ = _read([file for file in _told_apart(files.claims)[0] if not file.by_path], _read_claim)
    return [(claim, file.path) for claim, file in read if is_function(claim.runner)]


def _of_closed_folders(files: Files) -> list[Fault]:
    """A fault for each folder that cannot be read."""
    return [
        Fault(path=str(path), expected="a readable folder", found=reason, cited=True) for path, reason in files.closed
    ]


def _told_apart(files: Iterable[ClaimFile]) -> tuple[list[ClaimFile], list[Fault]]:
    """The files whose id no other file has, and a fault for each other file."""
    by_id: dict[str, list[ClaimFile]] = defaultdict(list)
    for file in files:
        by_id[file.id].append(file)
    faults = []
    for id, members in by_id.items():
        for file in members if len(members) > 1 else ():
            others = [str(other.path) for other in members if other is not file]
            also = ", ".join(others[:MOST_NAMED]) + (
                f" and {len(others) - MOST_NAMED} more" if others[MOST_NAMED:] else ""
            )
            faults.append(Fault(path=str(file.path), expected="each id once", found=f"'{id}' also in {also}"))
    return [members[0] for members in by_id.values() if len(members) == 1], faults


def _read(
    files: Iterable[ClaimFile], load: Callable[[Path], Selected]
) -> tuple[list[tuple[Selected, ClaimFile]], list[Fault]]:
    """The claims of files, and the faults of those that are not valid."""
    claims: list[tuple[Selected, ClaimFile]] = []
    faults: list[Fault] = []
    for file in files:
        try:
            claims.append((load(file.path), file))
        except ClaimError as error:
            faults.extend(error.faults)
    return claims, faults


def _read_claim(path: Path) -> Claim:
    """The claim in a file, checked against the schema alone."""
    # A list reads claims only where nothing is kept of them; this import takes half of its time.
    from dlnrepro.claimfile.loader import read_claim

    return read_claim(path)


def _sum(faults: Sequence[Fault]) -> str:
    """The faults of one file in a line: the first fault without its place, and the number of further faults."""
    first, more = faults[0], len(faults) - 1
    return first.message + (f" ({more} more error{'s' * (more > 1)})" if more else "")
