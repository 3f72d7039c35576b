"""The structure: imports point down only, runners keep their form, and what must start fast imports no torch."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from dlnrepro.registry.names import load_runner, own_module, runner_names

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dlnrepro"

LAYERS = {
    "dlnrepro": (
        "errors, files, signals, visible < dynamics < runner < settings < registry < runners < claimfile < verdict"
        " < compute < archive < session < report < interface < commands < cli < __main__"
    ),
    "dlnrepro.dynamics": (
        "compiled, tensors < fits, networks, starts < training < risks < stiff_flow < activations < *"
        " < general, solutions"
    ),
    "dlnrepro.report": "words < drawing, exchange, terminal < page < audit, sweep < delivery",
}
"""The layers of three packages, lowest first: a module imports from its own part of the package and from the layers
before it, and from no other part of its own layer; `*` stands for all parts that are not named.
"""


def layers(package: str) -> list[list[str]]:
    """The parts of each layer of a package, lowest first."""
    return [layer.split(", ") for layer in LAYERS[package].split(" < ")]


def layer_of(part: str, package: str) -> int:
    """The index of the layer that a part of a package belongs to."""
    found = [index for index, parts in enumerate(layers(package)) if part in parts]
    return found[0] if found else next(index for index, parts in enumerate(layers(package)) if "*" in parts)


def imported(path: Path) -> set[str]:
    """The modules of the program that one of its modules imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.startswith("dlnrepro.") and _is_module(name)}


def _is_module(name: str) -> bool:
    place = PACKAGE.parent.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__main__.py")
PACKAGES = sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)


@pytest.mark.slow
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_points_up_or_to_another_part_of_the_same_layer(path: Path) -> None:
    module = ".".join(("dlnrepro", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for name in imported(path):
        for package in LAYERS:
            if not (module.startswith(f"{package}.") and name.startswith(f"{package}.")):
                continue
            mine, other = (text.removeprefix(f"{package}.").split(".")[0] for text in (module, name))
            if mine != other and package != "dlnrepro":
                assert layer_of(other, package) < layer_of(mine, package), f"{module} imports {name}"
            elif mine != other:
                assert layer_of(other, package) <= layer_of(mine, package), f"{module} imports {name}"
        if module.startswith("dlnrepro.runners."):
            assert not name.startswith("dlnrepro.runners"), f"{module} imports another runner"


def test_the_layers_of_the_guide_are_those_of_this_file() -> None:
    guide = " ".join((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    for text in LAYERS.values():
        assert " ".join(text.split()) in guide


def test_folders_are_small_enough_to_be_seen_at_a_glance() -> None:
    assert len([path for path in PACKAGE.iterdir() if path.name != "__pycache__"]) <= 20
    for folder in [path for top in (PACKAGE, ROOT / "tests") for path in [top, *top.rglob("*")] if path.is_dir()]:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= 16, f"{folder} holds {len(modules)} modules"


def test_a_topic_has_one_name_everywhere_and_a_runner_a_name_of_its_own() -> None:
    topics = {path.name for path in (PACKAGE / "runners").iterdir() if (path / "__init__.py").is_file()}
    assert topics <= {path.name for path in (PACKAGE / "dynamics").iterdir()}
    assert topics == {path.name for path in (ROOT / "tests" / "runners").iterdir() if path.is_dir()} - {"__pycache__"}
    stems = [path.stem for path in (PACKAGE / "runners").rglob("*.py") if path.name != "__init__.py"]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize("folder", [PACKAGE, *PACKAGES], ids=lambda folder: folder.name)
def test_a_package_says_what_each_of_its_modules_holds(folder: Path) -> None:
    says = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert len(says.splitlines()) >= 3
    for module in folder.glob("*.py"):
        assert module.stem.startswith("__") or f"`{module.stem}`" in says, f"{folder} says nothing of {module.stem}"


@pytest.mark.parametrize("folder", [PACKAGE, *PACKAGES], ids=lambda folder: folder.name)
def test_a_package_says_which_packages_it_holds(folder: Path) -> None:
    says = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    for part in folder.glob("*/__init__.py"):
        assert f"`{part.parent.name}`" in says, f"{folder} says nothing of {part.parent.name}"


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: str(folder.relative_to(PACKAGE)))
def test_a_package_names_nothing_in_its_list_that_it_does_not_hold(folder: Path) -> None:
    says = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    lines = re.findall(r"^\* (`\w+`(?:(?:,| and) `\w+`)*)", says, re.M)
    assert set(re.findall(r"\w+", " ".join(lines))) - {"and"} <= {path.stem for path in folder.iterdir()}


TEXTS = sorted(
    path
    for pattern in ("*.md", "outputs/README.md", "claims/*.yaml", "dlnrepro/**/*.py")
    for path in ROOT.glob(pattern)
)

IN_BACKTICKS = re.compile(rf"`((?:{'|'.join(folder.name for folder in PACKAGES)})(?:\.\w+)+)")


@pytest.mark.slow
def test_every_name_of_the_program_that_a_text_mentions_is_there() -> None:
    mentioned = {(path.name, line, name) for path in TEXTS for line, text in prose(path) for name in dotted_names(text)}
    assert [where for where in sorted(mentioned) if not resolves(where[-1])] == []


def test_the_guides_mention_only_files_that_are_there() -> None:
    for guide in ROOT.glob("*.md"):
        for name in re.findall(r"`([\w/]+\.(?:py|md|yaml|toml))`", guide.read_text(encoding="utf-8")):
            assert any((folder / name).is_file() for folder in (ROOT, PACKAGE)), f"{guide.name}: {name}"


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """The comments and docstrings of a module, or the lines of another file, each with the number of its line."""
    if path.suffix != ".py":
        yield from enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        return
    with tokenize.open(path) as source:
        for token in tokenize.generate_tokens(source.readline):
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
                yield token.start[0], token.string


def dotted_names(text: str) -> list[str]:
    """The names that begin with the program's own, and those in backticks that begin with one of its packages."""
    names = re.findall(r"(?<![/.\w])dlnrepro(?:\.\w+)+", text) + IN_BACKTICKS.findall(text)
    return [name for name in names if not name.endswith((".json", ".html", ".css"))]


def resolves(name: str) -> bool:
    """Whether a dotted name, which may begin at any package of the program, is a module or a name in one."""
    first, *rest = name.split(".")
    places = [path.relative_to(PACKAGE).parts for path in PACKAGES if path.name == first]
    whole = [(PACKAGE.name, *place, *rest) for place in places] or [(first, *rest)]
    return any(_leads_to_something(".".join(parts)) for parts in whole)


def _leads_to_something(name: str) -> bool:
    """Whether a whole dotted name is a module, or a name in the last module on its way."""
    parts = name.split(".")
    length = max(length for length in range(1, len(parts) + 1) if length == 1 or _is_module(".".join(parts[:length])))
    found: object = importlib.import_module(".".join(parts[:length]))
    for part in parts[length:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def test_a_dotted_name_resolves_from_the_program_or_from_one_of_its_packages() -> None:
    assert dotted_names("`starts.draws` and dlnrepro.judge, not x.y, `torch.nn` or f/dlnrepro.fish") == [
        "dlnrepro.judge",
        "starts.draws",
    ]
    assert all(map(resolves, ["dlnrepro.judge", "dlnrepro.dynamics.starts", "starts.draws.normal"]))
    assert not any(map(resolves, ["dlnrepro.data", "dlnrepro.dynamics.starts.normal", "starts.draws.abnormal"]))


@pytest.mark.parametrize("name", runner_names())
def test_a_runner_has_parameters_without_hidden_defaults_and_documented_measures(name: str) -> None:
    runner = load_runner(name)
    general = str(own_module(name)).startswith("dlnrepro.runners.general.")
    assert runner.__doc__
    for key, field in runner.Params.model_fields.items():
        assert field.is_required() or general, f"{key} has a default"
        assert field.description, f"{key} is not described"
    assert all(len(says) > 10 for says in runner.MEASURES.values())
    assert not set(runner.MEASURES) & set(runner.SERIES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["list"], ["show", "rank-one-alignment"], ["schema"], ["run", "--help"], ["report"]],
    ids=" ".join,
)
def test_what_must_answer_at_once_never_imports_torch(words: list[str], tmp_path: Path) -> None:
    assert not {"torch", "scipy"} & imported_by(words, tmp_path)


@pytest.mark.slow
def test_a_list_that_is_shown_again_imports_no_library_that_reads_claims(tmp_path: Path) -> None:
    imported_by(["list"], tmp_path)
    assert not {"torch", "numpy", "pydantic", "yaml"} & imported_by(["list"], tmp_path)


@pytest.mark.slow
def test_a_claim_that_is_shown_needs_no_numpy(tmp_path: Path) -> None:
    assert "numpy" not in imported_by(["show", "rank-one-alignment"], tmp_path)


@pytest.mark.slow
def test_a_run_whose_arms_are_all_stored_does_not_import_torch(tmp_path: Path) -> None:
    words = ["run", "winner-takes-all", "--quick", "-q", "-j", "1"]
    assert "torch" in imported_by(words, tmp_path)
    assert not {"torch", "scipy"} & imported_by(words, tmp_path)
    assert not {"torch", "scipy"} & imported_by([*words, "-n"], tmp_path)
    assert not {"torch", "scipy"} & imported_by(["report"], tmp_path)


@pytest.mark.slow
def test_valid_claim_files_are_checked_again_without_torch(tmp_path: Path) -> None:
    assert "torch" in imported_by(["check", "winner-takes-all"], tmp_path)
    assert not {"torch", "scipy"} & imported_by(["check", "winner-takes-all"], tmp_path)


def imported_by(words: list[str], folder: Path) -> set[str]:
    """The libraries that a command imports in a process of its own, whose outputs and kept files are in a folder.

    The command finds the kernels that are compiled already, since to compile them takes seconds.
    """
    code = (
        "import sys; sys.argv = ['dlnrepro', *sys.argv[1:]]\n"
        "import dlnrepro.registry.kept as kept\n"
        "from pathlib import Path\n"
        "kept.cache_folder = lambda: Path('cache').absolute()\n"
        "from dlnrepro.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, check=False, text=True)
    assert done.returncode in {0, 2 if words == ["report"] else 4}, done.stderr
    return set(done.stderr.splitlines()[-1].split())


LONGEST_BODY = 50
"""Lines of a function without its signature and its docstring."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_function_is_longer_than_one_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = body_lines(node)
            assert lines <= LONGEST_BODY, f"{path}:{node.lineno}: {node.name} has {lines} lines"


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines the body of a function has, from the end of its signature or docstring."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def test_the_lines_of_a_body_are_counted_without_signature_and_docstring() -> None:
    text = """
        def area(
            width: float,
        ) -> float:
            'The area of a square.'
            size = (
                width
            )
            return size**2
        """
    (function,) = ast.parse(dedent(text)).body
    assert isinstance(function, ast.FunctionDef)
    assert body_lines(function) == 4


def test_the_independent_tests_import_nothing_of_the_package() -> None:
    for path in (ROOT / "tests" / "independent").rglob("*.py"):
        words = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) dlnrepro", words, re.MULTILINE), path
