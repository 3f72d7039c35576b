"""The files that the settings of an arm name: where they are, and the digests of their contents.

A runner gets the absolute paths in place of the names, in its own validated parameters. The parameters of a cell keep
the names as the claim writes them, so that a report and the key of stored numbers do not depend on the place of the
folder; the key contains the digest of each file instead.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from dlnrepro.dynamics.checkpoints.file_order import natural
from dlnrepro.errors import Fault
from dlnrepro.registry.digests import file_digest
from dlnrepro.settings.input_files import NO_FILE, NamesFiles

Place = tuple[str | int, ...]
Params = TypeVar("Params", bound=BaseModel)


class Input(NamedTuple):
    """A name in a setting, and the files that it stands for.

    Attributes:
        place: the key of the setting, and the index in its list if it is one.
        name: the name as it is written.
        paths: the absolute paths of the files, in the order of the numbers in their names.
    """

    place: Place
    name: str
    paths: tuple[str, ...]


def inputs(params: BaseModel, folder: str) -> list[Input]:
    """The files that validated parameters name, found from a folder; the current folder if it is an empty text."""
    return list(_inputs(params, os.path.abspath(folder or "."), ()))


def missing_files(params: BaseModel, folder: str) -> list[tuple[Place, Fault]]:
    """A fault for each name that stands for no file, at its place."""
    expected = "a file, or a pattern that fits a file, found from the folder of the claim"
    return [
        (item.place, Fault(expected=expected, found=f"'{item.name}'"))
        for item in inputs(params, folder)
        if not item.paths
    ]


def contents(params: BaseModel, folder: str) -> dict[str, str]:
    """The digest of each file that parameters name: path relative to the folder -> SHA-256."""
    start = os.path.abspath(folder or ".")
    paths = [path for item in inputs(params, folder) for path in item.paths]
    return {os.path.relpath(path, start).replace(os.sep, "/"): file_digest(path) for path in paths}


def changed_files(recorded: Mapping[str, str], folder: str) -> list[str]:
    """The files that exist and have another content than recorded."""
    start = os.path.abspath(folder or ".")
    paths = {name: os.path.join(start, name) for name in recorded}
    return [name for name, path in paths.items() if os.path.isfile(path) and file_digest(path) != recorded[name]]


def placed(params: Params, folder: str) -> Params:
    """The parameters with the absolute paths of files in place of their names."""
    return _placed(params, os.path.abspath(folder or "."))


def _fields(params: BaseModel) -> Iterator[tuple[str, object, NamesFiles | None]]:
    """Each field with its value, and how it names files if it does."""
    for key, field in type(params).model_fields.items():
        marks = [mark for mark in field.metadata if isinstance(mark, NamesFiles)]
        yield key, getattr(params, key), marks[0] if marks else None


def _inputs(params: BaseModel, folder: str, above: Place) -> Iterator[Input]:
    """The inputs of a model and of the models in it."""
    for key, value, mark in _fields(params):
        if isinstance(value, BaseModel):
            yield from _inputs(value, folder, (*above, key))
        elif mark is not None and isinstance(value, str) and value != NO_FILE:
            yield Input((*above, key), value, _found(value, folder, mark))
        elif mark is not None and isinstance(value, tuple):
            for index, name in enumerate(value):
                yield Input((*above, key, index), name, _found(name, folder, mark))


def _found(name: str, folder: str, mark: NamesFiles) -> tuple[str, ...]:
    """The files that a name stands for."""
    path = os.path.join(folder, name)
    try:
        if os.path.isfile(path):
            return (path,)
        names = glob.glob(name, root_dir=folder, recursive=True) if mark.patterns else []
    except ValueError:  # a name that no file can have
        return ()
    return tuple(sorted((full for one in names if os.path.isfile(full := os.path.join(folder, one))), key=natural))


def _placed(params: Params, folder: str) -> Params:
    """The parameters of a model, and of the models in it, with absolute paths."""
    changes: dict[str, object] = {}
    for key, value, mark in _fields(params):
        if isinstance(value, BaseModel):
            changes[key] = _placed(value, folder)
        elif mark is not None and isinstance(value, str) and value != NO_FILE:
            changes[key] = os.path.join(folder, value)
        elif mark is not None and isinstance(value, tuple):
            changes[key] = tuple(dict.fromkeys(path for name in value for path in _found(name, folder, mark)))
    return params.model_copy(update=changes) if changes else params
