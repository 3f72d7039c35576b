"""Everything in another package that makes its runner's numbers changes the hash of the runner; nothing else does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlnrepro.registry import names
from dlnrepro.registry.plugin import footing
from dlnrepro.registry.sources import runner_facts, source_hash

RUNNER = """\
import os
import numpy
from pydantic import BaseModel
from dlnrepro.dynamics.starts.draws import balanced
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Make the files of a plug-in with a runner `probe`, registered for a module, and give their folder."""
    folder = tmp_path / "lab"

    def made(module: str, files: dict[str, str]) -> Path:
        about = folder / "lab_runner-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-runner\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[dlnrepro.runners]\nprobe = {module}\n")
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.chdir(tmp_path)
        names._registered.cache_clear()
        return folder

    yield made
    monkeypatch.undo()
    names._registered.cache_clear()


def changed_by(path: Path, text: str) -> bool:
    """Whether the hash of the runner changes with what a file holds."""
    before = source_hash("probe")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return source_hash("probe") != before


def test_helpers_of_a_flat_module_count_and_its_neighbours_do_not(lab: Callable[..., Path]) -> None:
    folder = lab(
        "probe_one",
        {
            "probe_one.py": RUNNER + "def f():\n    import probe_two\n",
            "probe_two.py": "import importlib\nimportlib.import_module('probe_three')\n",
            "probe_three.py": "VALUE = 1\n",
            "probe_four.py": "VALUE = 1\n",
        },
    )
    assert changed_by(folder / "probe_one.py", RUNNER + "import probe_two\n")
    assert changed_by(folder / "probe_three.py", "VALUE = 2\n")
    assert not changed_by(folder / "probe_four.py", "VALUE = 2\n")
    facts = runner_facts("probe")
    assert {"file probe_one.py", "file probe_two.py", "file probe_three.py"} <= facts.keys()
    assert {"distribution numpy", "distribution pydantic"} <= facts.keys()
    assert {"dlnrepro/dynamics/starts/draws.py", "dlnrepro/compute/engine.py"} <= facts.keys()
    assert not [name for name in sys.modules if name.startswith("probe_")]


def test_a_package_counts_whole_with_its_data_files(lab: Callable[..., Path]) -> None:
    folder = lab("probe_lab.inner.coin", {"probe_lab/__init__.py": "", "probe_lab/inner/coin.py": RUNNER})
    package = folder / "probe_lab"
    assert changed_by(package / "inner" / "__init__.py", "")
    assert changed_by(package / "inner" / "computed_name.py", "VALUE = 1\n")
    assert changed_by(package / "table.csv", "1,2\n")
    assert changed_by(package / "table.csv", "1,3\n")
    assert changed_by(package / "__init__.py", "X = 1\n")
    assert not changed_by(package / "__pycache__" / "coin.cpython-311.pyc", "")
    assert not changed_by(package / ".hidden", "")
    (package / "outputs" / "cells").mkdir(parents=True)
    assert not changed_by(package / "outputs" / "reports" / "x" / "report.json", "{}")


def test_two_files_of_one_name_that_change_places_change_the_hash(lab: Callable[..., Path]) -> None:
    folder = lab(
        "probe_lab",
        {"probe_lab/__init__.py": RUNNER, "probe_lab/a/step.py": "A = 1\n", "probe_lab/b/step.py": "A = 2\n"},
    )
    first, second = folder / "probe_lab" / "a" / "step.py", folder / "probe_lab" / "b" / "step.py"
    before = source_hash("probe")
    first.write_text("A = 2\n")
    second.write_text("A = 1\n")
    assert source_hash("probe") != before


def test_a_file_that_a_flat_module_names_counts(lab: Callable[..., Path], tmp_path: Path) -> None:
    folder = lab("probe_one", {"probe_one.py": RUNNER + "X = 'table.csv'\nY = 'data'\nZ = '..'\n"})
    assert changed_by(folder / "table.csv", "1\n")
    assert changed_by(folder / "table.csv", "2\n")
    assert changed_by(tmp_path / "table.csv", "3\n")
    assert changed_by(folder / "data" / "deep" / "values.npz", "4\n")
    assert not changed_by(folder / "other.csv", "5\n")


def test_an_environment_variable_that_the_code_reads_counts(
    lab: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = "import os\nNAME = 'LAB_SHIFT'\nx = os.environ.get(NAME)\ny = os.getenv('LAB_FILE')\n"
    lab("probe_one", {"probe_one.py": reads})
    before = source_hash("probe")
    monkeypatch.setenv("LAB_OTHER", "1")
    assert source_hash("probe") == before
    monkeypatch.setenv("LAB_SHIFT", "1")
    with_shift = source_hash("probe")
    assert with_shift != before
    monkeypatch.setenv("LAB_SHIFT", "2")
    assert source_hash("probe") not in {before, with_shift}
    monkeypatch.setenv("LAB_FILE", str(tmp_path / "shift.txt"))
    assert changed_by(tmp_path / "shift.txt", "5")


def test_what_the_code_sets_itself_is_the_same_before_and_after_its_import(
    lab: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = "import os\nos.environ['LAB_A'] = '1'\nos.environ.setdefault('LAB_B', '2')\n"
    lab("probe_one", {"probe_one.py": sets})
    before = source_hash("probe")
    monkeypatch.setenv("LAB_A", "1")
    monkeypatch.setenv("LAB_B", "2")
    assert source_hash("probe") == before
    monkeypatch.setenv("LAB_B", "3")
    assert source_hash("probe") != before


def test_a_folder_that_the_code_puts_on_the_path_is_followed_before_and_after(
    lab: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\nimport probe_hidden\n"
    folder = lab("probe_one", {"probe_one.py": text, "lib/probe_hidden.py": "A = 1\n"})
    before = source_hash("probe")
    monkeypatch.syspath_prepend(str(folder / "lib"))
    assert source_hash("probe") == before
    assert changed_by(folder / "lib" / "probe_hidden.py", "A = 2\n")


def test_the_version_of_the_package_and_of_what_it_imports_count(lab: Callable[..., Path], tmp_path: Path) -> None:
    folder = lab(
        "probe_one",
        {"probe_one.py": RUNNER + "import probe_other\ntry: import probe_wanted\nexcept ImportError: pass\n"},
    )
    absent = source_hash("probe")
    assert runner_facts("probe")["import probe_wanted"] == "absent"
    site = tmp_path / "site"
    for name in ("probe_other", "probe_wanted"):
        about = site / f"{name}-2.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
        (about / "RECORD").write_text(f"{name}.py,,\n")
        (site / f"{name}.py").write_text("VALUE = 1\n")
    sys.path.insert(0, str(site))
    installed = source_hash("probe")
    assert installed != absent
    assert runner_facts("probe")["distribution probe-other"] == "2.0"
    assert not changed_by(site / "probe_other.py", "VALUE = 2\n")
    metadata = folder / "lab_runner-1.0.dist-info" / "METADATA"
    assert changed_by(metadata, "Metadata-Version: 2.1\nName: lab-runner\nVersion: 1.1\n")


def test_a_helper_that_has_the_name_of_a_standard_module_is_followed(lab: Callable[..., Path]) -> None:
    folder = lab("probe_one", {"probe_one.py": "import statistics\nimport json\n", "statistics.py": "VALUE = 1\n"})
    assert changed_by(folder / "statistics.py", "VALUE = 2\n")
    assert not [label for label in runner_facts("probe") if "json" in label]


def test_a_module_that_is_missing_or_is_not_python_also_has_a_hash(lab: Callable[..., Path]) -> None:
    folder = lab("probe_absent", {"probe_broken.py": "def ("})
    assert changed_by(folder / "probe_absent.py", "def (")
    assert changed_by(folder / "probe_absent.py", "def (((")
    os.chmod(folder / "probe_absent.py", 0)
    assert source_hash("probe")


def test_an_unchanged_plugin_has_the_same_hash_in_any_order_of_reading(lab: Callable[..., Path]) -> None:
    lab("probe_one", {"probe_one.py": RUNNER + "import probe_two\n", "probe_two.py": "import probe_one\n"})
    entry = names.registered("probe")
    assert entry is not None
    assert footing(entry) == footing(entry)
    assert source_hash("probe") == source_hash("probe")


@pytest.mark.parametrize(
    "call",
    [
        "import importlib\nNAME = 'probe_two'\nimportlib.import_module(NAME)\n",
        "import importlib\nimportlib.import_module(name='probe_two')\n",
        "from importlib import import_module as load\nload('probe_two')\n",
    ],
)
def test_a_module_whose_name_is_a_text_of_the_source_is_followed(lab: Callable[..., Path], call: str) -> None:
    folder = lab("probe_one", {"probe_one.py": call, "probe_two.py": "VALUE = 1\n"})
    assert changed_by(folder / "probe_two.py", "VALUE = 2\n")


def test_a_package_of_data_that_is_named_with_dots_counts(lab: Callable[..., Path]) -> None:
    source = "from importlib import resources\nX = (resources.files('probe_data.deep') / 'd.txt').read_text()\n"
    folder = lab("probe_one", {"probe_one.py": source, "probe_data/__init__.py": "", "probe_data/deep/__init__.py": ""})
    assert changed_by(folder / "probe_data" / "deep" / "d.txt", "1")


def test_folders_without_init_inside_each_other_are_followed(lab: Callable[..., Path]) -> None:
    files = {"probe_space/coin.py": "from .deep.helper import V\n", "probe_space/deep/helper.py": "V = 1\n"}
    folder = lab("probe_space.coin", files)
    assert changed_by(folder / "probe_space" / "deep" / "helper.py", "V = 2\n")


def test_a_file_whose_name_is_made_of_a_text_and_something_else_counts(lab: Callable[..., Path]) -> None:
    source = "n = 'a'\nopen(f'{n}_table.txt')\nHERE.with_suffix('.csv')\nHERE.glob('*.dat')\n"
    folder = lab("probe_one", {"probe_one.py": source})
    assert changed_by(folder / "a_table.txt", "1")
    assert changed_by(folder / "probe_one.csv", "1")
    assert changed_by(folder / "b.dat", "1")
    assert not changed_by(folder / "other.txt", "1")


def test_what_a_source_names_above_its_own_folder_counts(lab: Callable[..., Path]) -> None:
    source = "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))\n"
    source += "import probe_two\nopen(HERE / '..' / 'data' / 'd.txt')\nopen(HERE / '../e.txt')\n"
    folder = lab("probe_space.coin", {"probe_space/coin.py": source, "lib/probe_two.py": "V = 1\n"})
    assert changed_by(folder / "lib" / "probe_two.py", "V = 2\n")
    assert changed_by(folder / "data" / "d.txt", "1")
    assert changed_by(folder / "e.txt", "1")
    assert not changed_by(folder / "data" / "other.txt", "1")


def test_two_sources_that_call_their_files_alike_both_count(lab: Callable[..., Path]) -> None:
    reads = "X = 'd.txt'\n"
    folder = lab(
        "probe_space.coin",
        {"probe_space/coin.py": reads + "import probe_other.coin\n", "probe_other/coin.py": reads},
    )
    for name in ("probe_space", "probe_other"):
        assert changed_by(folder / name / "d.txt", "1")
        assert changed_by(folder / name / "d.txt", "2")


@pytest.mark.parametrize("read", ["environ[f'LAB_{n}']", "environb[b'LAB_SHIFT']", "environ.items(), 'LAB_'"])
def test_a_variable_whose_name_is_made_of_its_beginning_counts(
    lab: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    lab("probe_one", {"probe_one.py": f"import os\nX = os.{read}\n"})
    before = source_hash("probe")
    monkeypatch.setenv("LAB_SHIFT", "1")
    assert source_hash("probe") != before
