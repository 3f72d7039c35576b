"""The hash of a runner's sources changes with what the runner and the engine import, and with nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from dlnrepro.registry import sources
from dlnrepro.registry.names import runner_names
from dlnrepro.registry.sources import ENGINE, own_digests, runner_facts, source_hash

PACKAGE = Path(sources.__file__).parent.parent


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this package, whose sources may be edited."""
    folder = tmp_path / "dlnrepro"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sources, "_PACKAGE", str(folder))
    monkeypatch.setattr("dlnrepro.registry.sources.runner_folders", lambda: [str(folder / "runners")])
    return folder


def touched(copy: Path, name: str) -> set[str]:
    """The runners whose hash changes with an edit of a source."""
    before = {runner: source_hash(runner) for runner in runner_names()}
    path = copy / name
    path.write_text(path.read_text(encoding="utf-8") + "\nEDITED = 1\n", encoding="utf-8")
    return {runner for runner in before if source_hash(runner) != before[runner]}


def importers(name: str) -> set[str]:
    """The runners that reach a module of `dynamics`, found from the imported modules themselves."""
    from dlnrepro.registry.names import load_runner

    module = f"dlnrepro.dynamics.{name.replace('/', '.')}"
    reached = set()
    for runner in runner_names():
        waiting, known = [load_runner(runner).__name__], set()  # type: ignore[attr-defined]
        while waiting:
            current = waiting.pop()
            known.add(current)
            values = vars(sys.modules[current]).values()
            origins = {getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in values}
            waiting += [one for one in origins if str(one).startswith("dlnrepro.dynamics.") and one not in known]
        if module in known:
            reached.add(runner)
    return reached


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "training/momentum",
        "representation_cost/convex_penalty",
        "one_neuron/motion",
        "representation_cost/spiky_predictors",
    ],
)
def test_an_edit_of_a_leaf_changes_the_runners_that_import_it_and_no_other(copy: Path, name: str) -> None:
    changed = touched(copy, f"dynamics/{name}.py")
    assert changed >= importers(name)
    assert 1 <= len(changed) <= 6


@pytest.mark.slow
def test_an_edit_of_a_central_module_changes_many_runners(copy: Path) -> None:
    assert len(touched(copy, "dynamics/networks/chain.py")) > len(runner_names()) / 3
    assert touched(copy, "dynamics/__init__.py") == set(runner_names())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["compute/engine.py", "compute/parts.py", "archive/cell_store.py", "runner.py", "compute/device.py", "__init__.py"],
)
def test_an_edit_of_the_engine_changes_every_runner(copy: Path, name: str) -> None:
    assert touched(copy, name) == set(runner_names())


def test_an_edit_of_what_a_package_says_changes_no_runner(copy: Path) -> None:
    before = {runner: source_hash(runner) for runner in runner_names()}
    for name in ("dynamics", "dynamics/networks", "runners", "compute"):
        package = copy / name / "__init__.py"
        package.write_text('"""Says something else, with a "quoted" word."""\n', encoding="utf-8")
    assert {runner for runner in before if source_hash(runner) != before[runner]} == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["report/page/html.py", "cli.py", "archive/report_store.py", "verdict/judge.py", "commands/run.py"]
)
def test_an_edit_of_what_only_judges_or_shows_changes_no_runner(copy: Path, name: str) -> None:
    assert touched(copy, name) == set()


def test_an_edit_of_a_runner_changes_that_runner_alone(copy: Path) -> None:
    assert touched(copy, "runners/modes/mode_flow.py") == {"mode_flow"}


def test_an_edit_that_keeps_size_and_time_is_seen(copy: Path) -> None:
    path = copy / "dynamics" / "networks" / "chain.py"
    before = source_hash("mode_flow"), path.stat()
    text = path.read_bytes()
    path.write_bytes(text[:-2] + b"#\n" if text[-2:-1] != b"#" else text[:-2] + b"-\n")
    os.utime(path, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))
    assert source_hash("mode_flow") != before[0]


def test_files_are_known_by_their_place_in_the_package(copy: Path) -> None:
    labels = runner_facts("mode_flow").keys()
    assert {
        "dlnrepro/runners/modes/mode_flow.py",
        "dlnrepro/dynamics/networks/chain.py",
        "dlnrepro/compute/engine.py",
    } <= labels
    before = source_hash("mode_flow")
    (copy / "report" / "chain.py").write_bytes((copy / "dynamics" / "networks" / "chain.py").read_bytes())
    assert source_hash("mode_flow") == before


def test_the_engine_is_small_and_has_what_makes_numbers() -> None:
    labels = own_digests(ENGINE)
    needed = {
        "compute/executor",
        "compute/parts",
        "compute/engine",
        "compute/cell",
        "archive/cell_store",
        "compute/device",
        "runner",
        "compute/arithmetic",
        "registry/sources",
    }
    assert {f"dlnrepro/{name}.py" for name in needed} <= labels.keys()
    assert len([label for label in labels if label.endswith(".py")]) < 40
    assert not [label for label in labels if "/report/" in label or "/commands/" in label]
