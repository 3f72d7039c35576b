"""What the measures and the settings of a runner mean.

The definitions of measures are read from the source, because importing a runner imports PyTorch, which takes seconds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from dlnrepro.registry.functions.docstring import Described, described_in
from dlnrepro.registry.functions.reference import is_function, split
from dlnrepro.registry.names import load_runner, own_module, runner_folders


def measure_meanings(runner: str) -> dict[str, str]:
    """Each measure of a runner that comes with the program, or of a function in a file, with its definition.

    A definition that is computed is left out, and so is every measure of a runner from another package.
    """
    if is_function(runner):
        return _described(runner).numbers
    if (module := own_module(runner)) is None:
        return {}
    inside = Path(*module.split(".")[2:]).with_suffix(".py")
    paths = [path for folder in runner_folders() if (path := Path(folder) / inside).is_file()]
    return dict(_entries(ast.parse(paths[0].read_text(encoding="utf-8")))) if paths else {}


def setting_meanings(runner: str) -> dict[str, str]:
    """Each setting of a runner with its description, where it has one; a function is not imported for this.

    Raises:
        RunnerError: the runner cannot be imported.
    """
    if is_function(runner):
        return _described(runner).parameters
    fields = load_runner(runner).Params.model_fields
    return {name: field.description for name, field in fields.items() if field.description}


def _described(runner: str) -> Described:
    """The docstring of a function, from the text of its file; the file is not imported."""
    path, function = split(runner)
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return described_in(text, function)


def _entries(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The entries of MEASURES whose text is a constant, or is joined from constants."""
    known: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = node.value
    found = known.get("MEASURES")
    for key, value in zip(found.keys, found.values, strict=True) if isinstance(found, ast.Dict) else ():
        text = _text(value, known)
        if isinstance(key, ast.Constant) and text is not None:
            yield str(key.value), text


def _text(node: ast.expr, known: Mapping[str, ast.expr]) -> str | None:
    """The text of an expression; None for an expression that would have to be run."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name) and isinstance(known.get(node.id), ast.Constant):
        return _text(known[node.id], known)
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return _text(node.value, known)
    parts = [_text(part, known) for part in node.values] if isinstance(node, ast.JoinedStr) else [None]
    return None if None in parts else "".join(filter(None, parts))
