"""A file is imported such that the process stays as it was, and its function finds what the file has set."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dlnrepro.registry.functions.home import Home


def home(folder: Path, text: str) -> Home:
    """The home of a file with a text."""
    (folder / "file.py").write_text(text, encoding="utf-8")
    return Home(str(folder / "file.py"))


def test_an_import_leaves_no_module_no_path_and_no_compiled_file_behind(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("LEVEL = 2\n", encoding="utf-8")
    path, modules = list(sys.path), set(sys.modules)

    found = home(tmp_path, "import beside\nLEVEL = beside.LEVEL\n")

    assert found.module.LEVEL == 2
    assert (list(sys.path), set(sys.modules)) == (path, modules)
    assert sorted(os.listdir(tmp_path)) == ["beside.py", "file.py"]


def test_a_function_finds_the_modules_of_its_folder_also_when_it_imports_them_later(tmp_path: Path) -> None:
    (tmp_path / "later.py").write_text("CALLS = []\n", encoding="utf-8")
    found = home(tmp_path, "def f():\n    import later\n    later.CALLS.append(1)\n    return len(later.CALLS)\n")

    with found.entered():
        assert found.module.f() == 1
    with found.entered():
        assert found.module.f() == 2  # the same module, not a new one
    assert importlib.util.find_spec("later") is None


def test_a_module_of_the_program_with_the_name_of_one_in_the_folder_comes_back(tmp_path: Path) -> None:
    (tmp_path / "colorsys.py").write_text("LEVEL = 2\n", encoding="utf-8")
    import colorsys

    before = sys.modules["colorsys"]
    home(tmp_path, "import colorsys\n")  # imported already, and thus that of the program

    assert sys.modules["colorsys"] is before is colorsys


def test_what_an_import_sets_is_undone_and_made_again_while_the_function_runs(tmp_path: Path) -> None:
    text = (
        "import os, numpy as np, torch\n"
        "os.environ['DLN_HEIGHT'] = 'high'; os.chdir('/')\n"
        "np.seterr(all='raise'); np.random.seed(1); torch.manual_seed(1); torch.set_default_dtype(torch.float64)\n"
    )
    before = os.getcwd(), np.geterr(), torch.get_default_dtype(), torch.get_rng_state().tolist()

    found = home(tmp_path, text)

    assert (os.getcwd(), np.geterr(), torch.get_default_dtype(), torch.get_rng_state().tolist()) == before
    assert "DLN_HEIGHT" not in os.environ
    with found.entered():
        assert (os.environ["DLN_HEIGHT"], np.geterr()["over"]) == ("high", "raise")
        assert torch.get_default_dtype() == torch.float64
        assert os.getcwd() == before[0]
    assert (np.geterr(), torch.get_default_dtype(), "DLN_HEIGHT" in os.environ) == (before[1], before[2], False)


@pytest.mark.parametrize("text", ["1 / 0", "raise SystemExit(3)", "import os; os.chdir('/'); raise KeyError"])
def test_an_import_that_fails_undoes_its_changes_too(tmp_path: Path, text: str) -> None:
    before = os.getcwd(), list(sys.path), set(sys.modules)
    with pytest.raises((ArithmeticError, SystemExit, KeyError)):
        home(tmp_path, text)
    assert (os.getcwd(), list(sys.path), set(sys.modules)) == before


def test_the_annotations_of_a_file_are_those_that_it_writes(tmp_path: Path) -> None:
    assert home(tmp_path, "def f(depth: int): ...\n").module.f.__annotations__ == {"depth": int}


def test_a_file_with_the_name_of_a_module_of_python_does_not_replace_it(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text(
        "import random, tempfile\nLEVEL = random.Random(1).random()\n", encoding="utf-8"
    )

    assert 0 < Home(str(tmp_path / "random.py")).module.LEVEL < 1
