"""What determines the numbers of a runner of another package, or of a function in a file: modules, data, versions.

The imports of its module, or of its file, are followed into every module that belongs to the runner: flat modules,
modules of its package, modules of its distribution, and modules without a distribution. The search ends at the standard
library and at other distributions, whose versions count. Nothing is imported for this.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint

from dlnrepro.registry.digests import Remembered, file_digest, files_below
from dlnrepro.registry.functions.home import searched_first
from dlnrepro.registry.imports import Source, read_source

OWN = "dlnrepro"

_VARIABLE = re.compile(r"[A-Za-z_]\w+")
_NAME = re.compile(r"\w+(\.\w+)*")
_END = re.compile(r"[^/\\\n]*\.\w+")
_ABSENT = "absent"


@dataclass
class Footing:
    """The things a plug-in depends on, which are collected while its imports are followed.

    Attributes:
        facts: the label of each thing that counts -> its digest, version or value.
        own: the modules of this program that it imports.
    """

    facts: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)


def footing(entry: EntryPoint) -> Footing:
    """The things that the runner of an entry point depends on."""
    found = Footing()
    mine = None
    if entry.dist is not None:
        mine = _plain(entry.dist.name)
        found.facts[f"distribution {mine}"] = entry.dist.version
    return _completed(found, _follow([(entry.module, ())], mine, found, {}))


def file_footing(path: str) -> Footing:
    """The things that a function in a file depends on; the folder of the file is searched first, as for a script."""
    found = Footing()
    folder, name = os.path.split(path)
    found.facts[f"file {name}"] = file_digest(path)
    source = _source(path, "")
    with searched_first(folder):
        needed = source.modules | (source.texts if source.finds_by_name else frozenset())
        waiting = [(module, _folders(folder, source)) for module in sorted(needed)]
        return _completed(found, _follow(waiting, None, found, {path: source}))


def _completed(found: Footing, sources: Mapping[str, Source]) -> Footing:
    """The things that some sources need, with the files and variables that they name."""
    for path, source in sources.items():
        named = _named_files(os.path.dirname(path), source.texts)
        if source.knows_its_place:
            named |= _files_above(os.path.dirname(path), source.texts)
        for label, digest in named.items():
            # Sources in several folders may use the same file name for different files.
            found.facts[label] = f"{found.facts[label]} {digest}" if label in found.facts else digest
    found.facts.update(_environment(list(sources.values())))
    return found


def _follow(
    modules: Iterable[tuple[str, tuple[str, ...]]], mine: str | None, found: Footing, sources: dict[str, Source]
) -> dict[str, Source]:
    """Every source that some modules need, by path; facts and modules of this program go into `found`.

    Args:
        modules: the names of the modules, each with the folders in which it may lie.
        mine: the distribution whose modules count one by one.
        found: what was found.
        sources: the sources that are known already.
    """
    known: set[str] = set()
    waiting = list(modules)
    while waiting:
        name, beside = waiting.pop()
        if name in known or not _NAME.fullmatch(name):
            continue
        known.add(name)
        if name.split(".")[0] == OWN:
            found.own.add(name)
            continue
        files = _files_of(name, beside, mine, found)
        for label, path, package in files:
            found.facts[f"file {label}"] = file_digest(path)
            if path not in sources and path.endswith(".py"):
                source = _source(path, package)
                sources[path] = source
                folders = _folders(os.path.dirname(path), source)
                needed = source.modules | (source.texts if source.finds_by_name else frozenset())
                waiting += [(name, folders) for name in sorted(needed)]
    return sources


def _files_of(name: str, beside: Sequence[str], mine: str | None, found: Footing) -> list[tuple[str, str, str]]:
    """The files of a module, with label and package: all of its package or only its own, none outside of a runner."""
    chain = _chain(name, beside)
    if not chain:
        found.facts.setdefault(f"import {name.split('.')[0]}", _ABSENT)
        return []
    top = chain[0]
    if _standard(top):
        return []
    owner = _owner(top.name, _folder(top))
    if owner is not None and owner[0] != mine:
        found.facts[f"distribution {owner[0]}"] = owner[1]
        return []
    regular = next((spec for spec in chain if spec.submodule_search_locations is not None and spec.origin), None)
    if regular is not None and regular.origin is not None:
        root = os.path.dirname(regular.origin)
        return list(_package_files(regular.name, root))
    last = chain[-1]
    if last.name != name and last.submodule_search_locations is not None:
        return []
    return [
        (f"{spec.name.replace('.', '/')}.py", _real(spec.origin), spec.name.rpartition(".")[0])
        for spec in chain
        if spec.origin is not None and spec.has_location
    ]


def _package_files(name: str, root: str) -> Iterator[tuple[str, str, str]]:
    """Every file of a package: imports by computed names and data files must not escape."""
    for path in files_below(root):
        inside = os.path.relpath(path, root).replace(os.sep, "/")
        below = os.path.dirname(inside).replace("/", ".")
        yield f"{name.replace('.', '/')}/{inside}", path, f"{name}.{below}" if below else name


def _chain(name: str, beside: Sequence[str]) -> list[ModuleSpec]:
    """The specifications of a dotted name from its top down, as far as they exist.

    A name that is not on the search path is looked for in the folders `beside`, because a source may have added them to
    the path itself.
    """
    chain: list[ModuleSpec] = []
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        path = None if depth == 1 else list(chain[-1].submodule_search_locations or ())
        if path is not None and not path:
            break
        part = ".".join(parts[:depth])
        spec = _spec(part, path)
        if spec is None:
            spec = PathFinder.find_spec(part, list(beside)) if path is None else _bare_folder(part, path)
        if spec is None:
            break
        chain.append(spec)
    return chain


def _spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """The specification of the module that the import system would load; no module is loaded for this."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        try:
            spec = find(name, path, None) if find is not None else None
        except (ImportError, AttributeError, ValueError, KeyError):
            continue
        if isinstance(spec, ModuleSpec):
            return spec
    return None


def _bare_folder(name: str, path: Sequence[str]) -> ModuleSpec | None:
    """A folder without `__init__.py` in another such folder; Python finds it only after it has loaded the outer one."""
    folders = [folder for above in path if os.path.isdir(folder := os.path.join(above, name.rpartition(".")[2]))]
    if not folders:
        return None
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = folders
    return spec


def _standard(spec: ModuleSpec) -> bool:
    """Whether a module comes with Python."""
    if spec.origin in {"built-in", "frozen"}:
        return True
    folder = os.path.realpath(_folder(spec))
    return any(folder == place or folder == os.path.join(place, "lib-dynload") for place in _standard_folders())


@cache
def _standard_folders() -> tuple[str, ...]:
    """The folders of the modules that come with Python."""
    return tuple(os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))


def _folder(spec: ModuleSpec) -> str:
    """The folder that a top module or package lies in."""
    if spec.submodule_search_locations:
        return os.path.dirname(next(iter(spec.submodule_search_locations)))
    return os.path.dirname(spec.origin or "")


def _owner(top: str, folder: str) -> tuple[str, str] | None:
    """The name and version of the distribution that has put a top module into a folder, or None."""
    try:
        changed = os.stat(folder or os.curdir).st_mtime_ns
    except OSError:
        changed = 0
    return _owner_then(top, folder, changed)


@cache
def _owner_then(top: str, folder: str, changed: int) -> tuple[str, str] | None:  # noqa: ARG001  when the folder changed
    """The owner of a top module in a folder that was last changed at a time."""
    listed = re.compile(rf"^{re.escape(top)}(/|\.py,|\.[^/\n]*\.(so|pyd),)", re.MULTILINE)
    # Most distributions have the name of their module, so the lists of all other distributions need not be read.
    for name in (top, None):
        for distribution in importlib.metadata.distributions(path=[folder], name=name):
            record = distribution.read_text("RECORD")
            names = (distribution.read_text("top_level.txt") or "").split() if record is None else []
            if top in names or (record is not None and listed.search(record)):
                return _plain(distribution.name), distribution.version
    return None


def _plain(name: str) -> str:
    """The normal form of the name of a distribution, which is the same for all its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _real(origin: str) -> str:
    """The file of a module: its own file, or the archive that contains it."""
    path = origin
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _read(content: bytes, path: str) -> dict[str, Source]:
    """An empty store for what a source depends on, by its package; the content is parsed when it is needed."""
    del content, path
    return {}


_sources = Remembered(_read)


def _source(path: str, package: str) -> Source:
    """What a source depends on; it is parsed again only if the file has changed."""
    try:
        _, parsed = _sources(path)
        if package not in parsed:
            with open(path, "rb") as file:
                parsed[package] = read_source(file.read(), package)
        return parsed[package]
    except OSError:
        return Source(frozenset())


def _folders(folder: str, source: Source) -> tuple[str, ...]:
    """The folder of a source, the folders below that its texts name, and the folders above if it reads its own path."""
    starts = [folder, *(_above(folder) if source.knows_its_place else ())]
    below = [
        os.path.join(start, text) for start in starts for text in _downward(source.texts) if _is_folder(start, text)
    ]
    return (*starts, *below)


def _above(folder: str) -> Iterator[str]:
    """The two folders above a folder, but never the root folder of a disk."""
    for _ in range(2):
        folder = os.path.dirname(folder)
        if os.path.dirname(folder) == folder:
            return
        yield folder


def _downward(texts: Iterable[str]) -> list[str]:
    """Texts without the steps upwards that they begin with, sorted."""
    return sorted({re.sub(r"^(\.\./)+", "", text) for text in texts} - {""})


def _is_folder(folder: str, text: str) -> bool:
    """Whether a text names a folder below another."""
    parts = text.replace("\\", "/").split("/")
    if os.path.isabs(text) or "\0" in text or not parts[0] or {".", ".."} & set(parts):
        return False
    return os.path.isdir(os.path.join(folder, text))


def _named_files(folder: str, texts: frozenset[str]) -> dict[str, str]:
    """The digests of the files that the texts of a source name: next to it, below it, or in the working folder."""
    facts = _files_with_ends(folder, texts)
    for text in sorted(texts):
        if "\0" in text or "\n" in text:
            continue
        for place, start in (("next to the source", folder), ("in the working folder", os.curdir)):
            if os.path.isfile(path := os.path.join(start, text)):
                facts[f"{text} {place}"] = file_digest(path)
        if _is_folder(folder, text):
            below = os.path.join(folder, text)
            facts |= {f"below {text}: {os.path.relpath(path, below)}": file_digest(path) for path in files_below(below)}
    return facts


def _files_above(folder: str, texts: frozenset[str]) -> dict[str, str]:
    """The digests of the files that the texts of a source name in the two folders above it.

    A text may name a file there, or two texts a folder and a file in it.
    """
    facts = {}
    names = [text for text in _downward(texts) if "\0" not in text and "\n" not in text]
    for level, start in enumerate(_above(folder), 1):
        for below in ("", *(text for text in names if _is_folder(start, text))):
            for text in names:
                if not os.path.isabs(text) and os.path.isfile(path := os.path.join(start, below, text)):
                    facts[f"{os.path.join(below, text)} {level} above the source"] = file_digest(path)
    return facts


def _files_with_ends(folder: str, texts: Iterable[str]) -> dict[str, str]:
    """The digests of the files next to a source whose names may be made with its texts, such as `.csv` and `*.csv`."""
    ends = {f"*{text}" for text in texts if _END.fullmatch(text)}
    if not ends:
        return {}
    try:
        names = sorted(os.listdir(folder or os.curdir))
    except OSError:
        return {}
    paths = {name: os.path.join(folder, name) for name in names if any(fnmatchcase(name, end) for end in ends)}
    return {f"{name} next to the source": file_digest(path) for name, path in paths.items() if os.path.isfile(path)}


def _environment(sources: Sequence[Source]) -> Mapping[str, str]:
    """The environment variables that some sources may read, with their values, and the files that these values name.

    A variable that a source sets itself does not count. If the source sets a default, the default counts as the value.
    """
    if not any(source.reads_environment for source in sources):
        return {}
    sets: dict[str, str | None] = {}
    for source in sources:
        sets |= source.sets
    facts = {}
    texts = {text for source in sources for text in source.texts if _VARIABLE.fullmatch(text)}
    # A source may build a name from a constant beginning and something else.
    starts = tuple(text for text in texts if text.endswith("_") and len(text) > 2)
    for name in sorted(texts | {name for name in os.environ if name.startswith(starts)}):
        value = os.environ.get(name, sets.get(name))
        if value is None or (name in sets and sets[name] is None):
            continue
        facts[f"environment {name}"] = value
        if "\0" not in value and os.path.isfile(value):
            facts[f"the file of {name}"] = file_digest(value)
    return facts
