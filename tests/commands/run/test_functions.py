"""A plain function in a file next to a claim is its runner: it is called for every seed, judged and stored."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dlnrepro
from dlnrepro.archive.record import from_json
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.errors import ClaimError
from tests.readme import README

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]

CLAIM = """\
schema: 1
title: The height is near one
statement: A function that returns numbers.
source: {kind: own}
runner: ./heights.py:heights
setup: {level: 1.0}
arms: {near: {}, far: {level: 5.0}}
criteria:
  - id: near-one
    says: The height is near one.
    measure: height
    equals: 1.0
    within: 0.2
    holds_in: near
    fails_in: far
"""

HEIGHTS = '''\
import random


def heights(seed: int, level: float) -> dict:
    """Measure heights.

    Returns:
        height: the level and a little noise
        path: the height
            at each step
    """
    noise = random.Random(seed).uniform(0, 0.1)
    return {"height": level + noise, "path": [level, level + noise], "steps": (0, 1)}
'''

FIGURE = "figures: [{title: Path, y: path, x: steps, arms: [near, far]}]\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a function and its claim into the folder `mine`, and give the path of the claim relative to `tmp_path`."""

    def write(function: str = HEIGHTS, claim: str = CLAIM) -> Path:
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (folder / "heights.py").write_text(function, encoding="utf-8")
        (folder / "high.yaml").write_text(claim, encoding="utf-8")
        return Path("mine") / "high.yaml"

    return write


def body(line: str, first: str = "") -> str:
    """A file with a function of one line."""
    return f"{first}\ndef heights(seed: int, level: float):\n    {line}\n"


def outcomes(out: str) -> Any:
    """The measured numbers of the one claim of a report."""
    return {arm: found["measures"] for arm, found in json.loads(out)["claims"][0]["outcomes"].items()}


def test_a_function_gives_a_verdict_in_every_format_and_is_run_again_by_its_path(
    command: Command, write: Write, tmp_path: Path
) -> None:
    files = [word for form in ("json", "xml", "md", "html") for word in ("-o", f"out.{form}")]
    code, out, _ = command("run", write(claim=CLAIM + FIGURE), "-q", *files)

    (record,) = from_json((tmp_path / "out.json").read_bytes()).claims
    assert (code, record.verdict, record.stamps) == (0, "reproduced", [])
    assert record.command == "dlnrepro run mine/high.yaml"
    assert record.meanings == {
        "height": "the level and a little noise",
        "path": "the height at each step",
        "steps": "steps",
    }
    assert "✓ reproduced" in out
    assert "A statement of one&#39;s own." in (tmp_path / "out.html").read_text(encoding="utf-8")
    for form in ("xml", "html"):
        assert "the level and a little noise" in (tmp_path / f"out.{form}").read_text(encoding="utf-8"), form


def test_stored_numbers_are_used_again_and_a_replay_gives_the_same_bits(command: Command, write: Write) -> None:
    first = json.loads(command("run", write(), "-q", "--json")[1])["claims"][0]
    again = json.loads(command("run", write(), "-q", "--json")[1])["claims"][0]
    code, out, _ = command("replay", "-q")

    assert (first["stamps"], again["stamps"]) == ([], ["cached"])
    assert first["outcomes"] == again["outcomes"]
    assert code == 0
    assert "1 bitwise identical" in out


@pytest.mark.slow
def test_runs_have_the_same_numbers_in_any_number_of_processes_and_in_a_fresh_interpreter(
    command: Command, write: Write, tmp_path: Path
) -> None:
    path = write()
    alone = outcomes(command("run", path, "-q", "--json", "-j", 1, "--no-cache")[1])
    several = outcomes(command("run", path, "-q", "--json", "-j", 2, "--no-cache")[1])
    fresh = dlnrepro.run(path, outputs=tmp_path / "fresh")

    assert alone == several
    assert {arm: dict(found.measures) for arm, found in fresh["high"].outcomes.items()} == alone


@pytest.mark.parametrize("text", ["heights: the level", "height"])
def test_a_change_of_the_file_or_of_a_module_next_to_it_makes_its_numbers_stale(
    command: Command, write: Write, tmp_path: Path, text: str
) -> None:
    path = write(body("return {'height': heights_of.LEVEL + seed / 1000}", "import heights_of"))
    module = tmp_path / "mine" / "heights_of.py"
    module.write_text("LEVEL = 1.0\n", encoding="utf-8")
    assert command("run", path, "-q")[0] == 4  # the level of the claim is not used, so the control does not fail

    module.write_text(f"LEVEL = 1.1  # {text}\n", encoding="utf-8")
    again = json.loads(command("run", path, "-q", "--json")[1])["claims"][0]

    assert again["stamps"] == []
    assert again["outcomes"]["near"]["measures"]["height"][0] == 1.1


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (
            body("return {'height': 1 / (level - 5)}"),
            "arm far: ZeroDivisionError: float division by zero (heights.py:3)",
        ),
        (
            body("sys.exit(0) if level > 2 else None; return {'height': level}", "import sys"),
            "SystemExit: 0 (heights.py:3)",
        ),
        (
            body("os._exit(3) if level > 2 else None; return {'height': level + seed / 1000}", "import os"),
            "arm far: its process ended with exit code 3 before the runner returned (heights.py:3)",
        ),
        (
            body("os.abort() if level > 2 else None; return {'height': level + seed / 1000}", "import os"),
            "arm far: its process was ended by SIGABRT (heights.py:3)",
        ),
        (
            body("return level, 2"),
            "expected a dict of numbers by their names from the function, found a tuple (heights.py:2)",
        ),
        (body("return {'height': None}"), "height: expected a number, or a list or an array of numbers, found nothing"),
        (
            body("return {'height': level + seed / 1000} if level < 2 else {'depth': 1}"),
            "arm far: expected height from the runner, found only depth",
        ),
        (
            body("return {'height': level, 'path': [1] * (seed + 1)}"),
            "path: expected as many points in every run, found 2 in the run of seed 1 and 1 in that of seed 0 "
            "(heights.py:2)",
        ),
        (
            body("return {'height': level} if seed < 3 else {'depth': 1}"),
            "expected the same numbers in every run, found depth, height in only one of the run of seed 3 and that of "
            "seed 0 (heights.py:2)",
        ),
        (body("return {'height': level + random.random() / 10}", "import random"), "the same seeds gave other numbers"),
        (body("return {'height': level + float(torch.rand(()))}", "import torch"), "the same seeds gave other numbers"),
        (
            body("calls.append(1); return {'height': level + len(calls) / 100}", "calls = []"),
            "the same seeds gave other numbers when the arm was computed a second time; expected every draw from its "
            "seed, as by numpy.random.default_rng(seed), and none from the generators of a whole process, and nothing "
            "that is kept from one call to the next",
        ),
    ],
)
def test_a_function_that_fails_is_an_error_with_its_file_and_line_and_no_verdict(
    command: Command, write: Write, function: str, fault: str
) -> None:
    code, out, _ = command("run", write(function), "-q", "--json", "-j", 1)

    (record,) = json.loads(out)["claims"]
    assert (code, record["verdict"]) == (3, "error")
    assert fault in record["because"]


def test_a_function_that_does_not_return_leaves_the_other_arm_as_it_is_and_says_where_it_was(
    command: Command, write: Write
) -> None:
    waits = body("time.sleep(60) if level > 2 else None; return {'height': level + seed / 1000}", "import time")

    code, out, err = command("run", write(waits), "--json", "-j", 1, "--budget", 1)

    (record,) = json.loads(out)["claims"]
    assert code == 4
    assert len(record["outcomes"]["near"]["measures"]["height"]) == 16
    assert record["outcomes"]["far"]["spent"]
    assert "high, far: the time budget was spent (heights.py:3)" in err


def test_what_a_run_changes_in_its_process_does_not_reach_the_next_run(command: Command, write: Write) -> None:
    changes = (
        "assert torch.get_default_dtype() == torch.float32 and os.getcwd() != '/' and np.geterr()['over'] == 'warn'; "
        "torch.set_default_dtype(torch.float64); os.chdir('/'); np.seterr(all='raise'); np.random.seed(seed); "
        "return {'height': level + np.random.rand() / 10}"
    )
    first = "import os\nimport numpy as np, torch"

    code, out, _ = command("run", write(body(changes, first)), "-q", "--json")
    _, one, _ = command("run", write(), "-q", "--json", "--seeds", 1, "--seed-base", 3)

    assert code == 0
    assert len(set(outcomes(out)["near"]["height"])) == 16
    assert len(outcomes(one)["near"]["height"]) == 1


def test_what_a_file_sets_when_it_is_imported_holds_while_its_function_runs(command: Command, write: Write) -> None:
    sets = (
        "import os\nimport numpy as np, torch\ntorch.set_default_dtype(torch.float64)\nos.environ['HEIGHTS'] = 'high'"
    )
    reads = "assert os.environ['HEIGHTS'] == 'high'; return {'height': (torch.ones(1) * level + seed / 1000).item()}"

    code, out, _ = command("run", write(body(reads, sets)), "-q", "--json")

    assert code == 0
    assert outcomes(out)["near"]["height"][1] == 1.001  # in single precision this would be 1.00100004673...


def test_a_misspelt_measure_is_one_line_before_the_long_runs(command: Command, write: Write, tmp_path: Path) -> None:
    code, out, err = command("run", write(claim=CLAIM.replace("measure: height", "measure: heigth")), "-q")

    expected = "expected one of height, found 'heigth'; did you mean 'height'?"
    assert (code, out, err) == (2, "", f"mine/high.yaml:11:5: criteria[0].measure: {expected}\n")
    assert list((tmp_path / "outputs" / "cells").iterdir()) == []


def test_an_audit_finds_a_misspelt_measure_before_its_runs_too(command: Command, write: Write) -> None:
    path = write(claim=CLAIM.replace("measure: height", "measure: heigth"))

    code, out, err = command("audit", path, "-q", "--runs", 16)

    assert (code, out) == (2, "")
    assert err.startswith("mine/high.yaml:11:5: criteria[0].measure: expected one of height, found 'heigth'")


def test_a_misspelt_series_is_found_also_if_the_numbers_are_stored(command: Command, write: Write) -> None:
    assert command("run", write(claim=CLAIM + FIGURE), "-q")[0] == 0

    code, _, err = command("run", write(claim=CLAIM + FIGURE.replace("y: path", "y: paths")), "-q")

    expected = "expected one of path, steps, found 'paths'; did you mean 'path'?"
    assert (code, err) == (2, f"mine/high.yaml:16:25: figures[0].y: {expected}\n")


def test_in_a_folder_a_claim_that_misspells_a_measure_is_not_judged_and_the_others_are(
    command: Command, write: Write, tmp_path: Path
) -> None:
    write()
    wrong = CLAIM.replace("measure: height", "measure: heigth")
    (tmp_path / "mine" / "wrong.yaml").write_text(wrong, encoding="utf-8")

    code, out, err = command("run", "mine", "-q", "--json")

    report = json.loads(out)
    assert code == 2
    assert [claim["id"] for claim in report["claims"]] == ["high"]
    assert [item["path"] for item in report["unjudged"]] == ["mine/wrong.yaml"]
    assert err.startswith("mine/wrong.yaml:11:5: criteria[0].measure: ")


def test_runs_that_are_all_equal_are_labelled(command: Command, write: Write) -> None:
    _, out, _ = command("run", write("def heights(level: float):\n    return {'height': level}\n"), "-q")
    text = " ".join(out.split())
    assert "EQUAL RUNS: all runs of every arm gave the same numbers" in text

    _, out, _ = command("run", write(), "-q")
    assert "EQUAL RUNS" not in out


def test_a_function_that_draws_for_all_runs_gives_each_run_its_own_numbers_and_may_use_autograd(
    write: Write, tmp_path: Path
) -> None:
    draws = """\
import torch

def heights(draw, level: float):
    weights = draw(3).requires_grad_()
    (gradient,) = torch.autograd.grad((weights * level).sum(), weights)
    return {"height": gradient.mean(-1) + draw.uniform() / 10, "path": weights.detach(), "first": weights[:, 0]}
"""
    # In processes of their own: where autograd has been used, as by other tests, its threads forbid it to a fork.
    words = [sys.executable, "-m", "dlnrepro", "run", str(write(draws)), "-q", "--json"]
    out = subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    one = [*words, "--seeds", "1", "--seed-base", "3"]
    alone = subprocess.run(one, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert outcomes(out)["near"]["first"][3] == outcomes(alone)["near"]["first"][0]
    assert outcomes(out)["near"]["height"][3] == outcomes(alone)["near"]["height"][0]


REFUSED = [
    (
        "def heights(seed: int, level):\n    return {}\n",
        "expected an annotation of every parameter, such as 'level: float', found none for level (heights.py:1)",
    ),
    (
        "def heights(seed: int, level: object()):\n    return {}\n",
        "expected an annotation of 'level' that a claim can give",
    ),
    (
        "def heights(seed: int, level: 'Foo'):\n    return {}\n",
        "expected annotations that can be read, found: NameError: name 'Foo' is not defined",
    ),
    (
        "def heights(seed: int, level: list['Foo']):\n    return {}\n",
        "expected an annotation of 'level' that a claim can give",
    ),
    (
        "def heights(seed: int, *level: float):\n    return {}\n",
        "expected only parameters that can be given by name, found '*level: float'",
    ),
    (
        "def heights(seed, draw, level: float):\n    return {}\n",
        "expected a parameter 'seed' or a parameter 'draw', found both",
    ),
    (
        "def height(seed: int, level: float):\n    return {}\n",
        "expected a function of heights.py: height, found 'heights'; did you mean 'height'?",
    ),
    ("def heights(seed: int, level: float)\n", "expected a file heights.py that can be imported, found: SyntaxError"),
    (
        "\nimport no_such_module\n",
        "expected a file heights.py that can be imported, found: ModuleNotFoundError: No module named 'no_such_module' "
        "(heights.py:2)",
    ),
    (
        "import sys\nsys.exit(3)\n",
        "expected a file heights.py that can be imported, found: SystemExit: 3 (heights.py:2)",
    ),
]


@pytest.mark.parametrize(("function", "fault"), REFUSED)
def test_a_function_that_cannot_be_a_runner_is_one_line_at_its_name_in_the_claim(
    command: Command, write: Write, function: str, fault: str
) -> None:
    code, out, err = command("check", write(function))

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith(f"mine/high.yaml:5:1: runner: {fault}")


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("./heights.py", "5:1: runner: expected ./FILE.py:FUNCTION"),
        ("../heights.py:heights", "5:1: runner: expected ./FILE.py:FUNCTION"),
        ("/heights.py:heights", "5:1: runner: expected ./FILE.py:FUNCTION"),
        ("./depths.py:heights", "5:1: runner: expected a file depths.py in "),
    ],
)
def test_a_function_must_lie_next_to_its_claim_or_below(write: Write, tmp_path: Path, written: str, fault: str) -> None:
    path = write(claim=CLAIM.replace("./heights.py:heights", written))
    with pytest.raises(ClaimError) as refused:
        load_claim(tmp_path / path)
    assert fault in str(refused.value)


def test_settings_are_checked_by_the_annotations_of_the_function(write: Write, tmp_path: Path) -> None:
    function = (
        "from typing import Annotated, Literal\nfrom annotated_types import Ge\n"
        "def heights(seed: int, depth: Annotated[int, Ge(2)], kind: Literal['flow', 'descent'], widths: list[int],\n"
        "            limits: tuple[float, float], level: float = 1.0):\n    return {}\n"
    )
    good = "{depth: 2, kind: flow, widths: [2, 3], limits: [0, 1]}"
    path = tmp_path / write(function, CLAIM.replace("{level: 1.0}", good))
    assert load_claim(path).setup["limits"] == [0, 1]

    bad = "{depth: 1, kind: flew, widths: [2.5], limits: [0, 1], height: 2}"
    path = tmp_path / write(function, CLAIM.replace("{level: 1.0}", bad))
    with pytest.raises(ClaimError) as refused:
        load_claim(path)
    lines = [line.partition(":6:")[2] for line in str(refused.value).splitlines()]
    assert [line.partition(": ")[2] for line in lines] == [
        "setup.depth: expected a number of at least 2, found 1",
        "setup.kind: expected one of flow, descent, found 'flew'; did you mean 'flow'?",
        "setup.widths[0]: expected a whole number, found 2.5",
        "setup.height: expected one of depth, kind, widths, limits, level, found 'height'",
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run",), 5),
        (("run", "high"), 5),
        (("run", "h*"), 5),
        (("run", "-k", "height"), 5),
        (("audit", "high"), 5),
        (("check",), 0),
        (("check", "high"), 0),
        (("list",), 0),
        (("show", "high"), 0),
        (("show", "-v", "mine/high.yaml"), 0),
        (("report",), 5),
    ],
)
def test_a_file_is_only_imported_for_a_claim_that_is_named_by_its_path(
    command: Command, write: Write, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    write(f"import pathlib; pathlib.Path({str(tmp_path / 'imported')!r}).touch()\n{HEIGHTS}")
    (tmp_path / "claims").symlink_to("mine")

    found, _, err = command(*words)

    assert not (tmp_path / "imported").exists()
    if words[0] in {"run", "audit", "check"}:
        assert found == code
        how = f"`dlnrepro {'check' if words[0] == 'check' else 'run'} claims/high.yaml`"
        assert f"its function ./heights.py:heights is only imported if the claim is named by its path: {how}" in err


@pytest.mark.parametrize("name", ["mine", "mine/high.yaml", "./mine", "claims/"])
def test_a_path_or_a_folder_names_a_claim_by_its_path(
    command: Command, write: Write, tmp_path: Path, name: str
) -> None:
    write(f"import pathlib; pathlib.Path({str(tmp_path / 'imported')!r}).touch()\n{HEIGHTS}")
    (tmp_path / "claims").symlink_to("mine")

    assert command("check", name)[:2] == (0, "1 claim file is valid\n")
    assert (tmp_path / "imported").exists()


@pytest.mark.slow
def test_a_new_function_and_its_claim_keep_all_rules_and_run_at_once(command: Command) -> None:
    code, out, _ = command("new", "my-claim", "--function")
    assert code == 0
    assert "claims/my-claim.yaml and claims/my_claim.py were written" in out

    assert command("check", "--strict", "claims")[0] == 0
    code, out, _ = command("run", "claims/my-claim.yaml", "--quick", "-q")
    assert (code, "✓ reproduced" in out) == (0, True)
    code, out, _ = command("audit", "claims/my-claim.yaml", "--runs", 16, "-q")
    assert (code, "1 of 1 claim passes the audit" in out) == (0, True)

    code, _, err = command("new", "my-claim", "--function")
    assert (code, err) == (2, "claims/my-claim.yaml: expected a new file, found one already there\n")


def test_a_dry_run_calls_no_function_and_says_that_its_memory_is_not_known(command: Command, write: Write) -> None:
    code, out, _ = command("run", write(body("raise ValueError")), "-n")
    assert code == 0
    assert "memory is measured in the first run" in out


def test_two_files_with_modules_of_the_same_name_do_not_mix(command: Command, write: Write, tmp_path: Path) -> None:
    write(body("return {'height': level * near.LEVEL + seed / 1000}", "import near"))
    (tmp_path / "mine" / "near.py").write_text("LEVEL = 1.0\n", encoding="utf-8")
    other = tmp_path / "mine" / "other"
    other.mkdir()
    for name in ("heights.py", "high.yaml"):
        other.joinpath(name.replace("high.", "low.")).write_bytes((tmp_path / "mine" / name).read_bytes())
    (other / "near.py").write_text("LEVEL = 2.0\n", encoding="utf-8")

    _, out, _ = command("run", "mine", "-q", "--json")

    found = {claim["id"]: claim["outcomes"]["near"]["measures"]["height"][0] for claim in json.loads(out)["claims"]}
    assert found == {"high": 1.0, "low": 2.0}


@pytest.mark.slow
def test_the_example_of_the_readme_gives_the_report_that_stands_there(command: Command, tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8").partition("## A statement of your own")[2]
    function, claim = (re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)[0] for kind in ("python", "yaml"))
    assert function.count("\n") <= 12
    assert claim.count("\n") <= 15
    (tmp_path / "two_cycle.py").write_text(function, encoding="utf-8")
    (tmp_path / "two-cycle.yaml").write_text(claim, encoding="utf-8")

    code, out, _ = command("run", "two-cycle.yaml")

    assert code == 0
    (shown,) = re.findall(r"```\n(two-cycle .*?)```", text, re.DOTALL)
    printed = [" ".join(line.split()) for line in out.splitlines()]
    for line in shown.splitlines():
        # The last digits of a gap that is only rounding depend on the processor.
        words = " ".join(line.split()).partition("4.441e-16")[0].strip()
        assert words == "..." or any(found.startswith(words) for found in printed), line


def test_a_report_that_is_read_in_another_folder_says_from_where_its_function_is_found(
    command: Command, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("run", write(), "-q", "-o", "out.json")[0] == 0
    monkeypatch.chdir(tmp_path / "mine")
    words = " ".join(command("report", "../out.json")[1].split())
    place = "found from the folder in which the report was made"
    assert f"there is no runner './heights.py:heights' here, {place}" in words


def test_an_error_is_named_at_once_and_the_report_has_no_empty_tables_and_no_chances(
    command: Command, write: Write, tmp_path: Path
) -> None:
    path = write("import sys\n\n\ndef heights(seed: int, level: float) -> dict:\n    sys.exit(3)\n")
    code, out, err = command("run", path, "-j", 1, "-o", "report.md", "-o", "report.html")
    assert code == 3
    assert f"[1/1] {path.stem}: error (SystemExit: 3 (heights.py:5))" in err.splitlines()
    assert "error: arm near: SystemExit: 3 (heights.py:5)" in out
    page = (tmp_path / "report.md").read_text()
    for absent in ("chance of a wrong verdict", "tightest criterion:", "smallest", "runs passed", "in parentheses"):
        assert absent not in out
    for absent in ("Chance of a wrong verdict", "What the words mean", "| arm |"):
        assert absent not in page
    assert "tests are made" not in (tmp_path / "report.html").read_text()
    assert len(out.splitlines()) < 30


def test_an_error_in_one_arm_leaves_the_numbers_of_the_other_arm_in_the_report(command: Command, write: Write) -> None:
    function = "def heights(seed: int, level: float) -> dict:\n    return {'height': 1 / (5 - level)}\n"
    code, out, _ = command("run", write(function), "-j", 1)
    assert code == 3
    assert "smallest" in out
    assert "control far" in out
