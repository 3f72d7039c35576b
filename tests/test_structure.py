"""The structure: imports point down only, runners keep their form, and what must start fast imports no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from dlnrepro.registry.names import load_runner, runner_names

PACKAGE = Path(__file__).parent.parent / "dlnrepro"

# Lowest first. A module may import from its own layer and from those before it.
LAYERS = [
    {"signals", "limits", "channel", "orphans"},
    {"errors", "visible", "atomic", "device", "surroundings", "arithmetic", "files", "imports"},
    {"dynamics"},
    {"runner"},
    {"runners", "plugin"},
    {"sources"},
    {"interval", "document"},
    {"check", "explanation"},
    {"cell", "claim"},
    {"engine", "faults"},
    {"loader"},
    {"catalogue", "selection", "verdict", "reach"},
    {"plan", "provenance", "thinning", "curves"},
    {"record", "manifest", "cells", "last"},
    {"first_runner", "placeholders", "gathering", "store", "storage", "scaffold", "parts", "staleness", "comparison"},
    {"child"},
    {"processes"},
    {"elsewhere"},
    {"pool"},
    {"execution"},
    {"replay", "session"},
    {"report"},
    {"interface"},
    {"commands"},
    {"cli"},
]


def layer_of(module: str) -> int:
    """The index of the layer that a module of the package belongs to."""
    part = module.split(".")[1]
    return next(index for index, names in enumerate(LAYERS) if part in names)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_points_up(path: Path) -> None:
    module = ".".join(("dlnrepro", *path.relative_to(PACKAGE).with_suffix("").parts))
    if path.name in {"__init__.py", "__main__.py"} and path.parent == PACKAGE:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if name.startswith("dlnrepro."):
                assert layer_of(name) <= layer_of(module), f"{module} imports {name}"
                if module.startswith("dlnrepro.runners."):
                    assert not name.startswith("dlnrepro.runners"), f"{module} imports another runner"


@pytest.mark.parametrize("name", runner_names())
def test_a_runner_has_parameters_without_defaults_and_documented_measures(name: str) -> None:
    runner = load_runner(name)
    assert runner.__doc__
    for key, field in runner.Params.model_fields.items():
        assert field.is_required(), f"{key} has a default"
        assert field.description, f"{key} is not described"
    assert all(len(says) > 10 for says in runner.MEASURES.values())
    assert not set(runner.MEASURES) & set(runner.SERIES)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["list"], ["show", "rank-one-alignment"], ["schema"], ["run", "--help"], ["report"]],
    ids=" ".join,
)
def test_what_must_answer_at_once_never_imports_torch(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['dlnrepro', *sys.argv[1:]]\n"
        "from dlnrepro.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
