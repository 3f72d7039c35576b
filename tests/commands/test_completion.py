"""Completion of words, through the protocol that the shells speak, and in a real bash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture
def offered(tmp_path: Path) -> Callable[[str], list[str]]:
    """What a new process offers for the last word of a line, as bash asks for it."""

    def offer(line: str) -> list[str]:
        asked = {"_DLNREPRO_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        done = subprocess.run(
            [sys.executable, "-m", "dlnrepro"],
            cwd=tmp_path,
            env={**os.environ, **asked},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    return offer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dlnrepro com", ["plain,completion"]),
        ("dlnrepro show max", ["plain,max-margin-direction"]),
        ("dlnrepro run winner-takes-all winner", ["plain,winner-takes-all-matrices"]),
        ("dlnrepro check ./cl", ["file,./cl"]),
        ("dlnrepro run -m max", ["plain,max-margin"]),
        ("dlnrepro list -m pathways,(sad", ["plain,pathways,(saddles"]),
        ("dlnrepro new my-claim --runner sep", ["plain,separable_classification"]),
        ("dlnrepro run --last", ["plain,--last-failed"]),
        ("dlnrepro completion f", ["plain,fish"]),
        ("dlnrepro run one-neuron-rate -s dep", ["plain,depth="]),
        ("dlnrepro run one-neuron-rate --settings depth-4-blind.dep", ["plain,depth-4-blind.depth="]),
        ("dlnrepro run no-such-claim -s dep", [""]),
    ],
)
def test_a_word_is_completed_to_what_may_stand_there(
    offered: Callable[[str], list[str]], line: str, expected: list[str]
) -> None:
    assert offered(line) == expected


@pytest.mark.slow
def test_claims_of_this_folder_and_stored_reports_are_offered(
    command: Command, write_claim: Write, tmp_path: Path, offered: Callable[[str], list[str]]
) -> None:
    (tmp_path / "claims").mkdir()
    shutil.move(write_claim(), tmp_path / "claims" / "toy-claim.yaml")
    (tmp_path / "claims" / "broken.yaml").write_text("tags: [")
    command("run", "toy-claim", "-q", "--outputs", "kept")
    name = next((tmp_path / "kept" / "reports").iterdir()).name
    assert offered("dlnrepro run to") == ["plain,toy-claim"]
    assert offered("dlnrepro run -m sm") == ["plain,small"]
    assert offered("dlnrepro report --outputs kept 20") == [f"plain,{name}"]
    assert offered("dlnrepro report --outputs kept ") == ["plain,latest", f"plain,{name}"]
    assert offered("dlnrepro report 20") == ["file,20"]


@pytest.mark.slow
def test_only_names_are_offered_whatever_files_are_called(tmp_path: Path, offered: Callable[[str], list[str]]) -> None:
    for name in ("$(touch PWNED)", "`x`", "a b", "a;b", "Ab", "-x", "good", "a'b", "a$b"):
        (tmp_path / "claims").mkdir(exist_ok=True)
        (tmp_path / "claims" / f"{name}.yaml").write_text(
            'tags: ["$(touch PWNED)", fine]\nsetup: {"$(x)": 1, depth: 2}'
        )
        (tmp_path / "outputs" / "reports" / name).mkdir(parents=True)
        (tmp_path / "outputs" / "reports" / name / "report.json").write_text("")
    known = offered("dlnrepro run ")
    assert "plain,good" in known
    assert all(re.fullmatch(r"plain,[a-z0-9-]+", line) for line in known)
    assert offered("dlnrepro run -m ") == ["plain,fine"]
    assert offered("dlnrepro run good -s ") == ["plain,depth="]
    assert offered("dlnrepro report ") == ["plain,good", "plain,Ab"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    ["dlnrepro run one-neuron-rate -s d", "dlnrepro run o", "dlnrepro run -m p", "dlnrepro report 2", "dlnrepro "],
)
def test_completion_imports_no_torch(line: str, tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['dlnrepro']\n"
        "from dlnrepro.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit(sorted({'torch', 'pydantic', 'numpy', 'rich'} & set(sys.modules)) or 0)"
    )
    asked = {"_DLNREPRO_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, **asked}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef dlnrepro"), ("fish", "complete ")]
)
def test_the_script_of_each_shell_is_printed(command: Command, shell: str, word: str) -> None:
    code, out, err = command("completion", shell)
    assert (code, err) == (0, "")
    assert word in out
    assert f"_DLNREPRO_COMPLETE={shell}_complete" in out


def test_an_unknown_shell_is_refused(command: Command) -> None:
    line = "Invalid value for '{bash|zsh|fish}': 'csh' is not one of 'bash', 'zsh', 'fish'."
    assert command("completion", "csh") == (2, "", f"dlnrepro completion: {line} (see dlnrepro completion --help)\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_real_bash_completes_with_the_script(tmp_path: Path) -> None:
    program = tmp_path / "dlnrepro"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dlnrepro "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(dlnrepro completion bash)"\n'
        "complete -p dlnrepro\n"
        "COMP_WORDS=(dlnrepro run rank); COMP_CWORD=2\n"
        "$(complete -p dlnrepro | sed 's/.*-F \\([^ ]*\\).*/\\1/') dlnrepro rank run\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "complete -o nosort -F _dlnrepro_completion dlnrepro",
        "rank-one-alignment",
    ]
