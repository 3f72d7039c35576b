"""The kernels are compiled once, kept in the cache folder, and left out where they cannot be compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlnrepro.dynamics.compiled.library import COMPILER, kernels

SAY = """
from dlnrepro.dynamics.compiled.library import kernels, ready, route
print(ready(), kernels() is not None, route())
"""

needs_compiler = pytest.mark.skipif(not kernels(), reason="there is no C compiler")


def said(cache: Path, **variables: str) -> list[str]:
    """Whether the kernels were ready in a new process, whether there are any, and the route."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), **variables}
    found = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, env=environment, check=True)
    return found.stdout.strip().split(" ", 2)


@needs_compiler
def test_the_first_process_compiles_the_kernels_and_the_next_one_finds_them(tmp_path: Path) -> None:
    first, second = said(tmp_path), said(tmp_path)

    assert first[:2] == ["False", "True"]
    assert second[:2] == ["True", "True"]
    assert first[2] == second[2] != "Python"
    assert [path.suffix for path in (tmp_path / "dlnrepro").iterdir()] == [".so"]


@pytest.mark.parametrize("compiler", ["none", "", "no-such-compiler", "false"])
def test_without_a_compiler_that_works_python_computes(compiler: str, tmp_path: Path) -> None:
    assert said(tmp_path, **{COMPILER: compiler})[1:] == ["False", "Python"]
    assert not [*tmp_path.rglob("*.so")]


@needs_compiler
def test_without_a_cache_folder_the_kernels_are_compiled_for_one_process(tmp_path: Path) -> None:
    (tmp_path / "dlnrepro").write_text("a file in place of the folder")

    assert said(tmp_path)[:2] == ["False", "True"]
    assert [path.name for path in tmp_path.iterdir()] == ["dlnrepro"]


@needs_compiler
def test_a_user_without_a_home_folder_gets_the_kernels_too(tmp_path: Path) -> None:
    lost = "from pathlib import Path\ndef home(): raise RuntimeError\nPath.home = home\n"
    environment = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    command = [sys.executable, "-c", lost + SAY]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=True)
    assert found.stdout.startswith("False True ")


@needs_compiler
def test_a_damaged_file_in_the_cache_folder_is_not_loaded(tmp_path: Path) -> None:
    said(tmp_path)
    (kept,) = (tmp_path / "dlnrepro").iterdir()
    kept.write_bytes(b"not a library")

    assert said(tmp_path)[1] == "True"


@needs_compiler
def test_other_options_of_the_compiler_make_other_kernels(tmp_path: Path) -> None:
    said(tmp_path)
    said(tmp_path, **{COMPILER: "cc -O1"})

    assert len([*(tmp_path / "dlnrepro").iterdir()]) == 2


@needs_compiler
@pytest.mark.slow
def test_a_command_says_once_that_the_kernels_are_being_prepared(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "dlnrepro", "run", "one-neuron-not-lazy", "--quick", "-j", "1"]
    line = "the compiled kernels are being prepared, once on this machine; this takes a few seconds"
    said = [
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False).stderr
        for _ in range(2)
    ]
    assert said[0].splitlines().count(line) == 1
    assert line not in said[1]
