"""What is recorded of the code: its own commit, and unknown where git does not answer, which is not clean."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import dlnrepro
from dlnrepro.archive import provenance
from dlnrepro.archive.provenance import code_state

PACKAGE = Path(dlnrepro.__file__).parent
Command = Callable[..., tuple[int, str, str]]
git_is_here = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


def git(folder: Path, *words: str) -> str:
    """What git says in a folder."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small checkout that takes the place of this program's."""
    folder = tmp_path / "checkout"
    for name in ("dlnrepro", "claims", "elsewhere"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text("1")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    monkeypatch.setattr(provenance, "_CHECKOUT", folder)
    code_state.cache_clear()
    yield folder
    monkeypatch.undo()
    code_state.cache_clear()


@git_is_here
def test_a_committed_checkout_is_clean(checkout: Path) -> None:
    assert code_state() == (git(checkout, "rev-parse", "HEAD"), False)


@git_is_here
@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("dlnrepro/file", True),
        ("dlnrepro/new/module.py", True),
        ("claims/file", True),
        ("claims/new.yaml", True),
        ("elsewhere/file", False),
        ("elsewhere/new", False),
    ],
)
def test_changes_and_new_files_of_code_and_claims_count(checkout: Path, name: str, dirty: bool) -> None:
    git(checkout, "config", "status.showUntrackedFiles", "no")
    path = checkout / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("2")
    assert code_state() == (git(checkout, "rev-parse", "HEAD"), dirty)


@git_is_here
@pytest.mark.parametrize("variables", [("GIT_DIR",), ("GIT_DIR", "GIT_WORK_TREE"), ("GIT_DIR", "GIT_INDEX_FILE")])
def test_variables_of_a_hook_lead_to_no_other_repository(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: tuple[str, ...]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "another")
    wanted = git(checkout, "rev-parse", "HEAD")
    places = {"GIT_DIR": other / ".git", "GIT_WORK_TREE": other, "GIT_INDEX_FILE": other / ".git" / "index"}
    for name in variables:
        monkeypatch.setenv(name, str(places[name]))
    assert code_state() == (wanted, False)


@git_is_here
def test_a_checkout_that_git_refuses_is_unknown(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkout
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert code_state() == (None, None)


@git_is_here
def test_without_git_a_checkout_is_unknown(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert checkout
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_state() == (None, None)


@git_is_here
def test_another_repository_around_the_checkout_is_not_ours(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / ".git")
    (checkout / ".git").mkdir()
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "around")
    assert code_state() == (None, None)


@git_is_here
def test_outside_a_checkout_nothing_is_asked(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    assert code_state() == (None, False)


@pytest.mark.slow
@pytest.mark.parametrize(("state", "stamps"), [((None, None), ["unknown code"]), (("0" * 40, True), ["dirty"])])
def test_an_unknown_state_is_labelled_like_a_changed_one(
    command: Command,
    write_claim: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    state: tuple[str | None, bool | None],
    stamps: list[str],
) -> None:
    monkeypatch.setattr("dlnrepro.session.execution.code_state", lambda: state)
    monkeypatch.setattr("dlnrepro.archive.provenance.code_state", lambda: state)
    _, out, _ = command("run", write_claim(), "--json")
    report = json.loads(out)
    assert report["claims"][0]["stamps"] == stamps
    assert (report["provenance"]["commit"], report["provenance"]["dirty"]) == state


@pytest.mark.slow
def test_every_module_is_imported_where_what_only_posix_has_is_missing() -> None:
    names = [".".join(("dlnrepro", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in PACKAGE.rglob("*.py")]
    code = (
        "import importlib, sys\n"
        "hidden = {'resource', 'fcntl', 'pwd', 'grp', 'termios', 'tty', 'pty', 'syslog', 'crypt', 'spwd'}\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in hidden: raise ModuleNotFoundError(f'no module {name}', name=name)\n"
        "for name in hidden: sys.modules.pop(name, None)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "from dlnrepro.archive.provenance import _used\n"
        "seconds, peak = _used()\n"
        "assert seconds > 0 and peak is None\n"
    )
    wanted = [name for name in names if not name.endswith("__main__")]
    done = subprocess.run([sys.executable, "-c", code, *wanted], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
