"""Where claims are found: at a path, in the folder ./claims, or among the claims that come with the program.

A folder stands for all claim files in it and in its subfolders. A hidden file is skipped, and its name is printed. Only
places without claims, such as .git, are not searched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from dlnrepro.errors import Fault, UsageError, nearest, shortened
from dlnrepro.visible import on_one_line

SUFFIXES = (".yaml", ".yml")

_PACKAGE = Path(__file__).resolve().parent.parent
_OWN = Path("claims")
_NO_CLAIMS = {".git", "__pycache__", "node_modules"}


@dataclass(frozen=True)
class ClaimFile:
    """A file that will be read as a claim.

    Attributes:
        named: whether the user named the file itself rather than a folder.
        by_path: whether the user gave the path of the file, or of a folder above it, rather than an id or nothing. Only
            then a function in a file next to the claim is imported and run.
    """

    path: Path
    named: bool
    by_path: bool = False

    @property
    def id(self) -> str:
        """The id of the claim in the file."""
        return self.path.stem


@dataclass(frozen=True)
class Files:
    """The files that some names stand for.

    Attributes:
        claims: the files to read, each once, in the order of the names.
        hidden: the hidden claim files in folders, which are skipped.
        closed: the folders that cannot be read, with the reason.
    """

    claims: tuple[ClaimFile, ...] = ()
    hidden: tuple[Path, ...] = ()
    closed: tuple[tuple[Path, str], ...] = ()


def packaged_folder() -> Path:
    """The folder of claims that comes with the program: inside a wheel, or next to the package in a checkout."""
    inside = _PACKAGE / "claims"
    return inside if inside.is_dir() else _PACKAGE.parent / "claims"


def command_name(path: Path, by_path: bool = False) -> str:
    """The name of a claim file on the command line: its id if that id means this file, otherwise its path.

    Args:
        path: the file.
        by_path: whether the file must be named by its path, because its runner is a function of the user.
    """
    if not by_path and path.parent in (_OWN, packaged_folder()):
        with suppress(UsageError):
            found = _named(path.stem).claims
            if len(found) == 1 and _place(found[0].path) == _place(path):
                return path.stem
    # A name that begins with a hyphen would be taken for an option.
    return f"./{path}" if str(path).startswith("-") else str(path)


def claim_paths(names: Sequence[str]) -> list[Path]:
    """The paths of the files that `claim_files` finds.

    Raises:
        UsageError: a name stands for nothing.
    """
    return [file.path for file in claim_files(names).claims]


def claim_files(names: Sequence[str]) -> Files:
    """The claim files that names stand for, each once, in the order given.

    A name is a path to a file or to a folder of claims, or the id of a claim in ./claims or, after that, among the
    packaged ones, or a pattern of such ids. Without names, all claims of ./claims are meant, or all
    packaged claims if there is no ./claims.

    Raises:
        UsageError: a name stands for nothing; with one line per such name.
    """
    return _joined(_of_names(names) if names else _of_no_name())


def claims_in(folder: Path) -> Files:
    """The claim files of a folder and its subfolders, in the order of their ids."""
    found: list[Path] = []
    hidden: list[Path] = []
    closed: list[tuple[Path, str]] = []
    for path, files in _walk(folder, closed) if _is(folder, Path.is_dir) else ():
        for name in files:
            if name.lower().endswith(SUFFIXES):
                (hidden if _is_hidden(path / name, folder) else found).append(path / name)
    found.sort(key=lambda path: (path.stem, str(path)))
    # A hidden file that is also found through a link without a dot is not skipped.
    reached = {_place(path) for path in found} if hidden else set()
    hidden = [path for path in hidden if _place(path) not in reached]
    return Files(tuple(ClaimFile(path, named=False) for path in found), tuple(sorted(hidden)), tuple(closed))


def other_file_here(file: ClaimFile) -> Path | None:
    """The file of the working folder that has the id by which the user named another file; None if there is none."""
    if file.by_path or not file.named:
        return None
    here = (Path(file.id + suffix) for suffix in SUFFIXES)
    return next((path for path in here if _is(path, Path.is_file) and _place(path) != _place(file.path)), None)


def known_ids() -> list[str]:
    """The ids of ./claims and of the packaged claims, sorted."""
    return sorted({file.id for folder in (_OWN, packaged_folder()) for file in claims_in(folder).claims})


def _walk(folder: Path, closed: list[tuple[Path, str]]) -> Iterator[tuple[Path, list[str]]]:
    """The folders below one, links followed and each entered once, with the names of their files."""

    def refused(error: OSError) -> None:
        """Keep a folder that cannot be read, with the reason."""
        closed.append((Path(error.filename), (error.strerror or str(error)).lower()))

    entered: set[tuple[str, bool]] = set()
    for name, folders, files in os.walk(folder, onerror=refused, followlinks=True):
        path = Path(name)
        if (place := (_place(path), _is_hidden(path, folder))) in entered:
            folders.clear()
            continue
        entered.add(place)
        folders[:] = sorted(inner for inner in folders if _may_hold_claims(path / inner))
        yield path, files


def _is_hidden(path: Path, folder: Path) -> bool:
    """Whether a path below a folder, or a folder on the way to it, has a name that begins with a dot."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _may_hold_claims(folder: Path) -> bool:
    """Whether a folder may have claims: it is not a virtual environment, outputs, or another folder for programs."""
    outputs = (folder / "cells").is_dir() and (folder / "reports").is_dir()
    return folder.name not in _NO_CLAIMS and not (folder / "pyvenv.cfg").is_file() and not outputs


def _of_names(names: Sequence[str]) -> list[Files]:
    """What each name stands for.

    Raises:
        UsageError: with a line for every name that stands for nothing.
    """
    found, wrong = [], []
    for name in dict.fromkeys(names):
        try:
            found.append(_named(name))
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError(*wrong)
    return found


def _of_no_name() -> list[Files]:
    """The claims of ./claims, or the packaged claims if it has none."""
    own = claims_in(_OWN)
    return [own] if own.claims or own.closed else [own, claims_in(packaged_folder())]


def _joined(parts: Iterable[Files]) -> Files:
    """Several selections as one, in which each file occurs only once."""
    parts = list(parts)
    claims: dict[str, ClaimFile] = {}
    for file in (file for part in parts for file in part.claims):
        known = claims.setdefault(_place(file.path), file)
        # The id is the id of the file itself, not of a link to it.
        path = file.path if os.path.islink(known.path) and not os.path.islink(file.path) else known.path
        claims[_place(file.path)] = ClaimFile(path, known.named or file.named, known.by_path or file.by_path)
    hidden = dict.fromkeys(path for part in parts for path in part.hidden)
    return Files(
        tuple(claims.values()), tuple(hidden), tuple(dict.fromkeys(item for part in parts for item in part.closed))
    )


def _named(name: str) -> Files:
    """The files that one name stands for."""
    path = Path(name)
    if not name.strip():
        # Python takes an empty name for this folder; it is a variable of a script that was never set.
        raise UsageError(f"'{_shown(name)}': expected a claim file, a folder or the id of a claim, found no name")
    if _is(path, Path.is_dir):
        inside = claims_in(path)
        if inside.claims or inside.closed:
            return replace(inside, claims=tuple(replace(file, by_path=True) for file in inside.claims))
        only = "only hidden ones" if inside.hidden else "none"
        raise UsageError(f"{_shown(name)}: expected a folder with claim files (*.yaml, *.yml), found {only} in it")
    if path.suffix.lower() in SUFFIXES or len(path.parts) > 1 or _is(path, Path.is_file):
        return Files((ClaimFile(path, named=True, by_path=True),))
    pattern = any(sign in name for sign in "*?[")
    found: dict[str, list[Path]] = {}
    for folder in (_OWN, packaged_folder()):
        in_folder: dict[str, list[Path]] = {}
        for file in claims_in(folder).claims:
            if fnmatchcase(file.id, name) if pattern else file.id == name:
                in_folder.setdefault(file.id, []).append(file.path)
        # A claim of ./claims replaces the packaged claim of the same name.
        found = {**in_folder, **found}
    if found:
        paths = [path for id in sorted(found) for path in found[id]]
        return Files(tuple(ClaimFile(path, named=not pattern) for path in paths))
    fault = (
        Fault(expected="a pattern that fits the id of a claim", found="none")
        if pattern
        else Fault(expected="a claim file or the id of a claim", found="neither", suggestion=_meant(name))
    )
    raise UsageError(f"{_shown(name)}: {fault.wording}")


def _meant(name: str) -> str | None:
    """The claim file of the working folder whose stem is a name that stands for nothing, or the nearest id."""
    here = next((name + suffix for suffix in SUFFIXES if _is(Path(name + suffix), Path.is_file)), None)
    return here or nearest(name, known_ids())


def _place(path: Path) -> str:
    """The path with all links followed; a name that no file can have stays as it is."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def _is(path: Path, kind: object) -> bool:
    """Whether a path is of a kind; False for a name that no file can have."""
    try:
        return bool(kind(path))  # type: ignore[operator]
    except (OSError, ValueError):
        return False


def _shown(name: str) -> str:
    """A name as text for a message."""
    return on_one_line(shortened(name))
