"""The workflow and the action: what a runner needs is there, and the action's script does what its inputs say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dlnrepro.report.delivery import FORMATS

ROOT = Path(__file__).parent.parent


def read(path: str) -> Any:
    """The file with all its scalars as text, so that `on` is a key and no truth."""
    return yaml.load((ROOT / path).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_the_workflow_runs_the_tests_and_the_claims_and_keeps_the_report() -> None:
    workflow = read(".github/workflows/claims.yml")
    assert {"push", "pull_request", "schedule"} <= workflow["on"].keys()
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert {"runs-on", "timeout-minutes", "steps"} <= job.keys()
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    assert [step["run"] for step in workflow["jobs"]["code"]["steps"] if "run" in step] == ["make lint", "make test"]
    steps = workflow["jobs"]["claims"]["steps"]
    assert [step["uses"].split("@")[0] for step in steps] == ["actions/checkout", "./", "actions/upload-artifact"]
    assert steps[2]["with"]["path"] == "${{ steps.claims.outputs.report }}"


def test_the_action_takes_its_inputs_through_the_environment_only() -> None:
    action = read("action.yml")
    assert action["inputs"].keys() == {"claims", "args", "python-version", "fail-on-inconclusive"}
    assert all({"description", "default"} <= field.keys() for field in action["inputs"].values())
    assert action["outputs"].keys() == {"report", "exit-code"}
    steps = action["runs"]["steps"]
    ids = {step["id"] for step in steps if "id" in step}
    assert action["runs"]["using"] == "composite"
    for step in steps:
        assert "uses" in step or step["shell"] == "bash"
        assert "${{" not in step.get("run", "")
    for output in action["outputs"].values():
        assert re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.[\w-]+ \}\}", output["value"])[1] in ids  # type: ignore[index]
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text(encoding="utf-8")))
    assert used == action["inputs"].keys()


def test_the_action_writes_the_report_in_every_format() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    (written,) = re.findall(r"for format in (.*?); do", text)
    assert [f".{name}" for name in written.split()] == [*FORMATS]
    described = re.findall(r"report(\.[a-z]+)", read("action.yml")["outputs"]["report"]["description"])
    assert described == [*FORMATS]


@dataclass(frozen=True)
class Done:
    """What the action's script did: its code, the words it gave to dlnrepro, and the step's outputs."""

    code: int
    words: list[str]
    outputs: dict[str, str]


@pytest.fixture
def step(tmp_path: Path) -> Callable[..., Done]:
    """Run the action's script as a runner does, with a stand-in for dlnrepro that notes its words."""
    program = tmp_path / "bin" / "dlnrepro"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done > "$NOTED"\nexit "$CODE"\n')
    program.chmod(0o755)
    (script,) = [step["run"] for step in read("action.yml")["runs"]["steps"] if step.get("id") == "run"]
    (tmp_path / "script.sh").write_text(script)

    def run(claims: str = "", args: str = "", fail_on_inconclusive: str = "true", code: int = 0) -> Done:
        files = {"NOTED": str(tmp_path / "noted"), "GITHUB_OUTPUT": str(tmp_path / "outputs")}
        inputs = {"CLAIMS": claims, "ARGS": args, "FAIL_ON_INCONCLUSIVE": fail_on_inconclusive, "CODE": str(code)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(tmp_path / "script.sh")],
            cwd=tmp_path,
            env={"PATH": f"{program.parent}:{os.environ['PATH']}", "RUNNER_TEMP": str(tmp_path), **files, **inputs},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("", "")
        words = (tmp_path / "noted").read_text().split("\0")[:-1]
        outputs = dict(line.split("=", 1) for line in (tmp_path / "outputs").read_text().splitlines())
        return Done(done.returncode, words, outputs)

    return run


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@needs_bash
def test_the_action_without_inputs_runs_every_claim_and_names_its_report(step: Callable[..., Done]) -> None:
    done = step()
    folder = done.outputs["report"]
    assert Path(folder).is_dir()
    files = [word for form in ("html", "json", "md", "xml") for word in ("-o", f"{folder}/report.{form}")]
    assert done.words == ["run", "--outputs", f"{folder}/outputs", *files, "--"]
    assert (done.code, done.outputs["exit-code"]) == (0, "0")


@needs_bash
def test_the_action_fails_with_the_code_of_the_run(step: Callable[..., Done]) -> None:
    done = step(code=4)
    assert (done.code, done.outputs["exit-code"]) == (4, "4")
    assert "--allow-inconclusive" not in done.words
    assert "--allow-inconclusive" in step(fail_on_inconclusive="false").words


@needs_bash
def test_inputs_of_the_action_stay_words(step: Callable[..., Done], tmp_path: Path) -> None:
    hostile = "$(touch pwned) `touch pwned` ; touch pwned"
    done = step(claims=f"my claims/a b.yaml\n\n*\n-x\n{hostile}\n", args="--quick  -s depth=4\n-k *")
    assert done.words[done.words.index("--") + 1 :] == ["my claims/a b.yaml", "*", "-x", hostile]
    assert done.words[3:8] == ["--quick", "-s", "depth=4", "-k", "*"]
    assert step(args=hostile).words[3:10] == hostile.split()
    assert not (tmp_path / "pwned").exists()
