"""What this program keeps in the user's cache folder, so that it need not be computed at every start.

A kept file is JSON, with a digest of the code that has written it. A file that other code has written, or that cannot
be read, counts as empty. What is kept can be computed again at any time, so the files may be removed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlnrepro import __version__
from dlnrepro.errors import UsageError
from dlnrepro.files import write_whole

MOST_KEPT = 1000
"""The most entries of one file; the oldest entries are left out."""

READERS = (
    *("claimfile", "settings", "registry", "__init__.py", "runner.py", "errors.py", "files.py", "signals.py"),
    *("visible.py", "dynamics/observed", "dynamics/checkpoints/file_order.py", "dynamics/tensors/progress.py"),
)
"""The parts of this program that decide how a claim file is read, and whether it is valid without its runner."""

_PACKAGE = Path(__file__).resolve().parent.parent


def cache_folder() -> Path | None:
    """The folder of this program in the user's cache folder; None if the user has no home folder."""
    above = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(above) if os.path.isabs(above) else Path.home() / ".cache") / "dlnrepro"
    except RuntimeError:
        return None


def code_digest(*parts: str) -> str:
    """A digest that changes with each module of some parts of this program, by its size and its last change.

    Python decides by the same two numbers whether its byte code can be used again.
    """
    digest = hashlib.sha256(f"{__version__}\n".encode())
    for part in parts:
        for name, found in sorted(_modules(_PACKAGE / part)):
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def library_digest(*names: str) -> str:
    """A digest that changes with some libraries: packages, or files in them such as `torch/lib/libtorch_cpu.so`.

    Nothing is imported for it.
    """
    digest = hashlib.sha256()
    for name in names:
        package, _, inside = name.partition("/")
        place = importlib.util.find_spec(package)
        path = place.origin if place is not None else None
        path = os.path.join(os.path.dirname(path), inside) if path and inside else path
        found = os.stat(path) if path and os.path.exists(path) else None
        digest.update(f"{name} {path} {found and (found.st_size, found.st_mtime_ns)}\n".encode())
    return digest.hexdigest()


def _modules(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The modules of a folder and its subfolders, or the module itself, each with its size and times."""
    if path.is_file():
        yield str(path), path.stat()
        return
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir() and entry.name != "__pycache__":
                yield from _modules(path / entry.name)
            elif entry.name.endswith(".py"):
                yield entry.path, entry.stat()


def read_kept(name: str, code: str) -> dict[str, Any]:
    """The entries of a kept file; none if other code has written it, or if it cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        if (folder := cache_folder()) is not None and (path := folder / name).is_file():
            kept = json.loads(path.read_bytes())
            if isinstance(kept, dict) and kept.get("code") == code and isinstance(kept.get("entries"), dict):
                return dict(kept["entries"])
    return {}


def keep(name: str, code: str, entries: Mapping[str, Any]) -> None:
    """Write a kept file, if the cache folder can be written."""
    if (folder := cache_folder()) is None:
        return
    newest = dict(_last(entries.items(), MOST_KEPT))
    with suppress(OSError, UsageError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(folder / name, json.dumps({"code": code, "entries": newest}).encode())


def _last(items: Iterable[tuple[str, Any]], count: int) -> list[tuple[str, Any]]:
    return list(items)[-count:]
