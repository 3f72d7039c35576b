"""What a runner says of its measures, read from its source: the runner itself imports PyTorch, which takes seconds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from dlnrepro.registry.names import own_module, runner_folders


def measure_meanings(runner: str) -> dict[str, str]:
    """Each measure of a runner that comes with the program, with its definition.

    A definition that is computed is left out, and so is every measure of a runner from another package.
    """
    if (module := own_module(runner)) is None:
        return {}
    inside = Path(*module.split(".")[2:]).with_suffix(".py")
    paths = [path for folder in runner_folders() if (path := Path(folder) / inside).is_file()]
    return dict(_entries(ast.parse(paths[0].read_text(encoding="utf-8")))) if paths else {}


def _entries(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The entries of MEASURES that are plain text."""
    for node in tree.body:
        named = isinstance(node, ast.Assign) and any(getattr(name, "id", None) == "MEASURES" for name in node.targets)
        if named and isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                    yield str(key.value), str(value.value)
