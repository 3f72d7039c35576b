"""The imports and names of one Python source, read from its text without running it.

`own_imports` reads the sources of this program line by line, since they have a plain form. This is ten times as fast as
a parser, and a test compares the two. `read_source` reads the sources of other packages.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TYPE_CHECKING = re.compile(r"^if (?:typing\.)?TYPE_CHECKING:\n(?:(?:[ \t].*)?\n)*", re.MULTILINE)
_FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n;]+)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n;]+)", re.MULTILINE)
_NAMED = re.compile(r"""["'](dlnrepro(?:\.\w+)+)["']""")
_COMMENT = re.compile(r"#.*")
_NAME = re.compile(r"\w+(?:\.\w+)*")

_FINDING = {"import_module", "__import__", "find_spec", "run_module", "files", "get_data", "resources"}
"""Functions and modules with which a source finds modules, or files in them, by name."""

_LONGEST = 255
"""The most characters of a text that may be the name of a file or of a variable."""


@dataclass(frozen=True)
class Source:
    """What a source depends on.

    Attributes:
        modules: every absolute name that an import can refer to; `from a import b` gives `a` and `a.b`.
        texts: its short string constants, any of which may name a file, a module or an environment variable.
        reads_environment: whether it reads environment variables.
        finds_by_name: whether it asks for modules, or for files in them, by names that it may compute.
        knows_its_place: whether it reads the path of its own file.
        sets: environment variables that it sets itself -> the default, if it sets only a default.
    """

    modules: frozenset[str]
    texts: frozenset[str] = frozenset()
    reads_environment: bool = False
    finds_by_name: bool = False
    knows_its_place: bool = False
    sets: dict[str, str | None] = field(default_factory=dict)


def own_imports(text: str) -> frozenset[str]:
    """Every name that an import in a source of this program can refer to, constant names of modules included."""
    text = _TYPE_CHECKING.sub("\n", text)
    found = set(_NAMED.findall(text))
    for module, names in _FROM.findall(text):
        found |= {module, *(f"{module}.{name}" for name in _names(names))}
    for names in _IMPORT.findall(text):
        found |= set(_names(names))
    return frozenset(found)


def _names(text: str) -> list[str]:
    """The names in the list of an import statement, without the names after `as`."""
    parts = (part.split(" as ")[0].strip() for part in _COMMENT.sub("", text).strip("() \t\n").split(","))
    return [part for part in parts if _NAME.fullmatch(part)]


def read_source(content: bytes, package: str) -> Source:
    """The things a source depends on; nothing if it is not Python.

    Args:
        content: the content of the file.
        package: the package that the module is in, from which relative names count; empty for a flat module.
    """
    try:
        nodes = list(_running(ast.parse(content)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Source(frozenset())
    modules: set[str] = set()
    texts: set[str] = set()
    sets: dict[str, str | None] = {}
    for node in nodes:
        modules |= set(_imported(node, package))
        sets |= dict(_set_variables(node))
        if (text := _constant(node)) is not None and 0 < len(text) <= _LONGEST:
            texts.add(text)
    words = {_word(node) for node in nodes}
    return Source(
        frozenset(modules),
        frozenset(texts),
        reads_environment=bool(words & {"environ", "environb", "getenv", "getenvb"}),
        finds_by_name=bool(words & _FINDING),
        knows_its_place="__file__" in words,
        sets=sets,
    )


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, except in branches that only a type checker follows."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _word(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _word(node: ast.AST) -> str | None:
    """The last name of an expression such as `environ` or `os.environ`, or the name that an import brings in."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.alias):
        return node.name
    return node.id if isinstance(node, ast.Name) else None


def _imported(node: ast.AST, package: str) -> list[str]:
    """The names that an import statement, or a call of an import function with constant names, may mean."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = _above("." * node.level, package)
        module = ".".join(part for part in (above, node.module) if part)
        return [module, *(f"{module}.{alias.name}" for alias in node.names)]
    if not isinstance(node, ast.Call) or _word(node.func) not in {
        "import_module",
        "__import__",
        "find_spec",
        "run_module",
    }:
        return []
    name = _text(node.args[0]) if node.args else None
    if name is None:
        return []
    dots = name[: len(name) - len(name.lstrip("."))]
    return [".".join(part for part in (_above(dots, package), name[len(dots) :]) if part)]


def _above(dots: str, package: str) -> str:
    """The package that these dots mean in a module of `package`; empty without dots."""
    parts = package.split(".")
    return ".".join(parts[: len(parts) - len(dots) + 1]) if dots else ""


def _set_variables(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """The environment variables that a node sets -> the value if it is only a default, else None."""
    if isinstance(node, ast.Subscript) and _word(node.value) == "environ" and not isinstance(node.ctx, ast.Load):
        if (name := _text(node.slice)) is not None:
            yield name, None
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "setdefault"
        and _word(node.func.value) == "environ"
        and len(node.args) == 2
        and (name := _text(node.args[0])) is not None
    ):
        yield name, _text(node.args[1])


def _constant(node: ast.AST) -> str | None:
    """The text of a constant; bytes, which may name a file or a variable, are read as the system reads them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        return os.fsdecode(node.value)
    return _text(node)


def _text(node: ast.AST) -> str | None:
    """The text of a node that is a constant text, or None."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
