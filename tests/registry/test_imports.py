"""What a source imports is found from its text: the fast reading of our own sources agrees with the parser's."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlnrepro.registry.imports import own_imports, read_source

PACKAGE = Path(__file__).parent.parent.parent / "dlnrepro"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_fast_reading_finds_every_import_that_the_parser_finds(path: Path) -> None:
    package = ".".join(("dlnrepro", *path.relative_to(PACKAGE).parent.parts))
    parsed = {name for name in read_source(path.read_bytes(), package).modules if name.startswith("dlnrepro")}
    assert parsed <= own_imports(path.read_text(encoding="utf-8"))


def test_what_only_a_type_checker_imports_is_not_a_dependency() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import dlnrepro.a\n\n    import dlnrepro.b\n"
    text += "else:\n    import dlnrepro.c\n"
    ours = {name for name in own_imports(text) if name.startswith("dlnrepro")}
    assert ours == {"dlnrepro.c"}
    assert read_source(text.encode(), "").modules == {"typing", "typing.TYPE_CHECKING", "dlnrepro.c"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import a.b as c", "a.b"),
        ("from a import b", "a.b"),
        ("from a import *", "a"),
        ("def f():\n    import a", "a"),
        ("try:\n    import a\nexcept ImportError: import b", "b"),
        ("x = 1; import a", "a"),
        ("from . import b", "top.inner.b"),
        ("from .b import c", "top.inner.b"),
        ("from .. import b", "top.b"),
        ("from ..b.c import d", "top.b.c"),
        ("import importlib\nimportlib.import_module('a.b')", "a.b"),
        ("from importlib import import_module\nimport_module('.b', __package__)", "top.inner.b"),
        ("__import__('a')", "a"),
    ],
)
def test_imports_of_every_kind_are_found(text: str, name: str) -> None:
    assert name in read_source(text.encode(), "top.inner").modules


def test_a_text_that_is_not_python_depends_on_nothing() -> None:
    assert not read_source(b"def (", "").modules
    assert not read_source(b"\0", "").modules


def test_texts_and_the_variables_that_a_source_sets_are_found() -> None:
    found = read_source(
        b"import os\nNAME = 'LAB_SHIFT'\nos.environ.get(NAME)\nos.environ['A'] = '1'\nos.environ.setdefault('B', '2')",
        "",
    )
    assert found.reads_environment
    assert found.texts >= {"LAB_SHIFT", "A", "B"}
    assert found.sets == {"A": None, "B": "2"}
    assert not read_source(b"NAME = 'LAB_SHIFT'", "").reads_environment
