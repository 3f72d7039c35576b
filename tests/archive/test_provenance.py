"""What produced a result: whether its code was that of a commit, and the versions of what computed it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

SAYS = """
import json
from datetime import UTC, datetime
from dlnrepro.archive.provenance import provenance
from dlnrepro.compute.arithmetic import environment
found = provenance(["dlnrepro"], datetime.now(UTC), environment("cpu"))
print(json.dumps({key: found[key] for key in ("commit", "dirty")}))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A committed copy of the program and its claims, without its tests."""
    folder = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("dlnrepro", "claims"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "All"]):
        git(folder, *words)
    return folder


def git(folder: Path, *words: str) -> str:
    """What git prints, as an author whom no configuration has to name."""
    author = ["-c", "user.name=A. Author", "-c", "user.email=author@example.org"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(folder), *author, *words], check=True, capture_output=True, text=True, env=clean
    )
    return done.stdout.strip()


def said(folder: Path) -> dict[str, object]:
    """The commit, and whether there were changes, as the program in a folder has it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); sys.dont_write_bytecode = True" + SAYS
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=clean)
    return dict(json.loads(done.stdout))


def edit(path: Path) -> None:
    """Add a line that changes nothing but the file."""
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "dirty"),
    [
        (lambda _: None, False),
        (lambda folder: edit(folder / "dlnrepro" / "verdict" / "judge.py"), True),
        (lambda folder: edit(folder / "claims" / "winner-takes-all.yaml"), True),
        (lambda folder: (folder / "claims" / "new.yaml").write_text("schema: 1\n"), True),
        (lambda folder: (folder / "claims" / "winner-takes-all.yaml").unlink(), True),
        (lambda folder: (folder / "notes.txt").write_text("elsewhere"), False),
    ],
    ids=["nothing", "a module", "a claim", "a new claim", "a claim that is gone", "a file elsewhere"],
)
def test_code_is_dirty_if_a_module_or_a_claim_differs_from_the_commit(
    checkout: Path, change: Callable[[Path], object], dirty: bool
) -> None:
    change(checkout)
    found = said(checkout)
    assert (found["commit"], found["dirty"]) == (git(checkout, "rev-parse", "HEAD"), dirty)


def test_the_version_of_everything_that_computes_is_recorded(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path]
) -> None:
    from importlib.metadata import version

    versions = json.loads(command("run", write_claim(), "--json")[1])["provenance"]["versions"]
    assert {"dlnrepro", "python"} <= versions.keys()
    for name in ("torch", "numpy", "scipy"):
        assert versions[name] == version(name)
