"""The files that determine the numbers of a runner, and their hash: all imports of the engine and of the runner.

Nothing is imported to find them. An edit of a module changes the hash of only those runners that need it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from dlnrepro.registry.digests import Remembered, file_digest
from dlnrepro.registry.functions.reference import is_function, split
from dlnrepro.registry.imports import own_imports
from dlnrepro.registry.names import own_module, registered, runner_folders
from dlnrepro.registry.plugin import OWN, file_footing, footing

ENGINE = ("dlnrepro.compute.executor", "dlnrepro.archive.cell_store")
"""The modules that compute and store numbers; all their imports count for every runner."""

_PACKAGE = str(Path(__file__).resolve().parent.parent)
_RUNNERS = "dlnrepro.runners"
_DOCSTRING_ALONE = re.compile(r'\s*(?:"""(?:[^"\\]|"(?!""))*"""\s*)?')


def source_hash(runner: str) -> str:
    """The SHA-256 of all code and data that determine the numbers of a runner."""
    digest = hashlib.sha256()
    for label, value in sorted(runner_facts(runner).items()):
        digest.update(f"{len(label)} {label} {len(value)} {value}\n".encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def runner_facts(runner: str) -> dict[str, str]:
    """The facts that determine the numbers of a runner: label of a file, version or variable -> digest or value."""
    if is_function(runner):
        found = file_footing(split(runner)[0])
        return {**found.facts, **own_digests([*ENGINE, *found.own])}
    entry = registered(runner)
    if entry is None:
        return own_digests([*ENGINE, own_module(runner) or runner])
    found = footing(entry)
    return {**found.facts, **own_digests([*ENGINE, *found.own])}


def own_digests(roots: Iterable[str]) -> dict[str, str]:
    """The digests of some modules of this program and of all modules that they need, by relative path."""
    found: dict[str, str] = {}
    known: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known.add(name)
        if name.startswith(f"{OWN}."):
            waiting.append(name.rpartition(".")[0])
        place = _place(name)
        if place is not None:
            label, path = place
            digest, (needed, says_only) = _imports(path)
            if not says_only:
                found[label] = digest
                found |= _kernels(os.path.dirname(label), os.path.dirname(path))
            waiting += needed
    return found


def _kernels(label: str, folder: str) -> dict[str, str]:
    """The digests of the sources in C next to a module, which are compiled on the user's machine."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".c"))
    return {f"{label}/{name}": file_digest(os.path.join(folder, name)) for name in names}


def _place(name: str) -> tuple[str, str] | None:
    """The label and the path of a module of this program, or None if the name is not a module."""
    parts = name.split(".")[1:]
    if not parts:
        return f"{OWN}/__init__.py", os.path.join(_PACKAGE, "__init__.py")
    # Tests add folders of runners; a runner's module may lie in one of them or in a package of a topic.
    inside = name.startswith(f"{_RUNNERS}.")
    *above, last = parts[1:] if inside else parts
    for folder in runner_folders() if inside else [_PACKAGE]:
        for end in (f"{last}.py", f"{last}/__init__.py"):
            if os.path.isfile(path := os.path.join(folder, *above, end)):
                return "/".join([OWN, *parts[:-1], end]), path
    return None


def _parsed(content: bytes, path: str) -> tuple[list[str], bool]:
    """The modules of this program that one of them imports, and whether it has only a docstring.

    Names that are not modules are skipped. A package with only a docstring does not determine numbers.
    """
    del path
    text = content.decode("utf-8", "replace")
    names = [name for name in own_imports(text) if name.split(".")[0] == OWN and _place(name) is not None]
    return names, _DOCSTRING_ALONE.fullmatch(text) is not None


_imports = Remembered(_parsed)
