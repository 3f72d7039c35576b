"""Runners of other packages are found by their entry point and are as good as the program's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlnrepro.errors import UsageError
from dlnrepro.registry import names
from dlnrepro.registry.names import runner_names
from dlnrepro.registry.sources import runner_facts

EXAMPLE = Path(__file__).parent.parent / "example_package"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make entry points known, as an installed package would, next to the modules of the example."""

    def registered(*entries: str, package: str = "example_runner") -> None:
        site = tmp_path / f"site-{package}"
        folder = site / f"{package}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("[dlnrepro.runners]\n" + "".join(f"{entry}\n" for entry in entries))
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.syspath_prepend(str(EXAMPLE))
        names._registered.cache_clear()

    yield registered
    for module in ("example_runner", "broken"):
        sys.modules.pop(module, None)
    monkeypatch.undo()
    names._registered.cache_clear()


@pytest.mark.slow
def test_a_registered_runner_is_run_judged_and_replayed_like_any_other(
    register: Callable[..., None], command: Command
) -> None:
    register("coin = example_runner")
    assert "coin" in names.runner_names()
    code, out, _ = command("run", EXAMPLE / "fair-coin.yaml", "-q")
    assert (code, "✓ reproduced fair-coin  16/16" in out) == (0, True)
    assert command("replay", "-q")[0] == 0
    assert "file example_runner.py" in runner_facts("coin")


def test_without_the_package_the_claim_is_refused_by_name(command: Command) -> None:
    expected = f"expected the runner of an installed package, one of {len(runner_names())} names"
    line = f"{EXAMPLE}/fair-coin.yaml:11:1: runner: {expected} (`dlnrepro list --runners` lists them), found 'coin'\n"
    assert command("check", EXAMPLE / "fair-coin.yaml") == (2, "", line)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (
            "coin = not_there_at_all",
            "expected a module at not_there_at_all that can be imported, found: No module named",
        ),
        ("coin = json", "expected Params, MEASURES, SERIES and run in json, found no Params"),
    ],
)
def test_a_registration_that_is_not_a_runner_is_one_line(
    register: Callable[..., None], command: Command, entry: str, fault: str
) -> None:
    register(entry)
    for name in ("check", "run"):
        code, _, err = command(name, EXAMPLE / "fair-coin.yaml")
        assert code == 2
        assert err.startswith(f"{EXAMPLE}/fair-coin.yaml:11:1: runner: {fault}")
        assert err.count("\n") == 1


IMPORTED = "a module at broken that can be imported, found: "
WHOLE = """
# begin
from pydantic import BaseModel
from dlnrepro.runner import Series
class Params(BaseModel, extra='forbid'):
    bias: float
    flips: int
    def memory(self, runs): return runs
MEASURES = {'heads': 'the share'}
SERIES = {'flip': Series('flip', 'flips'), 'share': Series('flip', 'share')}
def run(params, generators, progress): return None
"""


def write_broken(folder: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Write the whole runner with one part replaced, as a module that can be imported."""
    assert old in WHOLE
    (folder / "broken.py").write_text(WHOLE.replace(old, new, 1))
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("    def memory(self, runs): return runs\n", "", "a method memory(runs) of Params in broken, found none"),
        ("Params(BaseModel, extra='forbid')", "Params", "a pydantic model as Params in broken, found the class Params"),
        ("SERIES =", "OTHER =", "Params, MEASURES, SERIES and run in broken, found no SERIES"),
        ("{'heads': 'the share'}", "['heads']",
         "a mapping of names to text as MEASURES in broken, found an object of type list"),
        ("'the share'}", "3}", "a mapping of names to text as MEASURES in broken, found a mapping of str to int"),
        ("Series('flip', 'flips')", "('flip', 1)",
         "a mapping of names to Series as SERIES in broken, found a mapping of str to Series, str to tuple"),
        ("def run(params, generators, progress): return None", "run = 3",
         "a function run(params, generators, progress) in broken, found an object of type int"),
        ("# begin", "FLAWS = [1]", "a mapping of names to Flaw as FLAWS in broken, found an object of type list"),
        ("# begin", "FLAWS = {'factor': 1.05}",
         "a mapping of names to Flaw as FLAWS in broken, found a mapping of str to float"),
        ("# begin", "from dlnrepro.runner import Flaw, negated\nFLAWS = {'sign': Flaw('wrong', 'step', negated)}",
         "the name of a function of broken in the flaw sign in broken, found 'step'"),
        ("# begin", "from dlnrepro.runner import Flaw, negated\nFLAWS = {'sign': Flaw('wrong', 'math:step', negated)}",
         "the name of a function of math in the flaw sign in broken, found 'step'"),
        ("# begin", "from dlnrepro.runner import Flaw, negated\nFLAWS = {'sign': Flaw('wrong', 'nowhere:f', negated)}",
         "a module that can be imported in the flaw sign in broken, found No module named 'nowhere'"),
        ("# begin", "from dlnrepro.runner import Flaw\nFLAWS = {'sign': Flaw('wrong', 'run', -1)}",
         "a text, the name of a function, and a change of it as the flaw sign in broken, found an object of "),
        ("# begin", "import sys\nprint('noise')\nsys.exit(0)", f"{IMPORTED}SystemExit: 0"),
        ("# begin", "def f(:", f"{IMPORTED}SyntaxError: invalid syntax"),
        ("# begin", "import sys\nsys.stdout.close()\nsys.exit(0)", f"{IMPORTED}SystemExit: 0"),
        ("# begin", "import os\nos.chdir('/')\n1/0", f"{IMPORTED}ZeroDivisionError: division by zero"),
        ("# begin", "raise GeneratorExit", f"{IMPORTED}GeneratorExit"),
        ("# begin", "raise ValueError('one\\ntwo')", f"{IMPORTED}ValueError: one"),
    ],
)  # fmt: skip
def test_a_runner_that_is_none_is_one_line_at_its_key_and_hides_no_other_claim(
    register: Callable[..., None],
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    fault: str,
) -> None:
    write_broken(tmp_path, monkeypatch, old, new)
    register("broken = broken", "coin = example_runner")
    text = (EXAMPLE / "fair-coin.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("runner: coin", "runner: broken"))
    (tmp_path / "other.yaml").write_text(text.replace("measure: heads", "measure: tails"))
    code, out, err = command("check", "mine.yaml", "other.yaml")
    assert (code, out) == (2, "")
    lines = [line for line in err.splitlines() if line != "noise"]
    assert lines[0].startswith(f"mine.yaml:11:1: runner: expected {fault}")
    assert [line.split(": ")[0] for line in lines] == ["mine.yaml:11:1", "other.yaml:20:5"]


def test_a_runner_whose_parameters_or_memory_fail_is_one_line(
    register: Callable[..., None], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (EXAMPLE / "fair-coin.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("runner: coin", "runner: broken"))
    (tmp_path / "broken.py").write_text(WHOLE.replace("return runs", "return 1 / 0"))
    monkeypatch.syspath_prepend(str(tmp_path))
    register("broken = broken")
    assert command("run", "mine.yaml", "-n")[::2] == (
        2,
        "mine.yaml:11:1: runner: expected Params.memory(16) to give bytes, found: ZeroDivisionError: division by "
        "zero\n",
    )  # fmt: skip
    sys.modules.pop("broken")
    validator = "    def model_post_init(self, context): raise KeyError('x')\n    def memory"
    (tmp_path / "broken.py").write_text(WHOLE.replace("    def memory", validator) + "# changed")
    code, _, err = command("check", "mine.yaml")
    assert code == 2
    assert "setup: expected values that Params admits, found: KeyError: 'x'" in err
    assert "Traceback" not in err


def test_a_name_that_two_packages_register_is_refused(register: Callable[..., None]) -> None:
    register("coin = example_runner")
    register("coin = json", package="second")
    with pytest.raises(UsageError, match="runner coin: expected one package to register it, found two: "):
        names.runner_names()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("return runs\n", "raise SystemExit(0)\n", "expected Params.memory(16) to give bytes, found: SystemExit: 0"),
        ("return runs\n", "return runs\n    def model_post_init(self, context): raise SystemExit(0)\n",
         "expected values that Params admits, found: SystemExit: 0"),
        ("# begin", "import os\nos.chdir('/')", ""),
    ],
    ids=["memory", "validator", "folder"],
)  # fmt: skip
def test_code_of_a_runner_neither_ends_the_program_nor_moves_it(
    register: Callable[..., None],
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    fault: str,
) -> None:
    write_broken(tmp_path, monkeypatch, old, new)
    register("broken = broken")
    text = (EXAMPLE / "fair-coin.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("runner: coin", "runner: broken"))
    code, _, err = command("run", "mine.yaml", "-n", "--seeds", "8")
    assert (code, fault in err) == (2 if fault else 0, True)
    assert Path.cwd() == tmp_path
