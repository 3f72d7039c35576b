"""The manifest of a folder: the SHA-256 of every file in it, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from dlnrepro.errors import UsageError
from dlnrepro.files import reason, write_whole

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\]+)")


def write_manifest(folder: Path) -> None:
    """Write the manifest of the files in a folder.

    Raises:
        UsageError: it cannot be written.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != NAME)
    lines = [f"{_sum(folder / name)}  {name}\n" for name in names]
    write_whole(folder / NAME, "".join(lines).encode())


def check_manifest(folder: Path) -> frozenset[str] | None:
    """The names in the manifest of a folder, none of whose files has changed; None if there is no manifest.

    Raises:
        UsageError: a file differs from the manifest or is missing, or the manifest cannot be read; the file is named.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    names = set()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        found = reason(error) if isinstance(error, OSError) else "other bytes"
        raise UsageError(f"{path}: expected a manifest, found: {found}") from None
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise UsageError(f"{path}:{number}: expected a SHA-256 and the name of a file, found {line[:80]!r}")
        wanted, name = match.groups()
        try:
            found = _sum(folder / name)
        except OSError as error:
            raise UsageError(f"{folder / name}: expected the file that {NAME} lists, found: {reason(error)}") from None
        if found != wanted:
            raise UsageError(
                f"{folder / name}: expected the contents that {NAME} lists, found other contents: "
                "the file was changed after it was written"
            )
        names.add(name)
    return frozenset(names)


def _sum(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
