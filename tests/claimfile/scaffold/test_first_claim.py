"""A first claim and a first runner: both are whole as they are written, and run at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlnrepro.registry import names

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Make the runner `my_runner` known, as `pip install --editable my_runner` would."""

    def install() -> None:
        folder = tmp_path / "site" / "my_runner-0.1.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: my-runner\nVersion: 0.1\n")
        (folder / "entry_points.txt").write_text("[dlnrepro.runners]\nmy_runner = my_runner\n")
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        monkeypatch.syspath_prepend(str(tmp_path / "my_runner"))
        names._registered.cache_clear()

    yield install
    sys.modules.pop("my_runner", None)
    monkeypatch.undo()
    names._registered.cache_clear()


def test_a_new_runner_and_its_claim_run_at_once(
    command: Command, tmp_path: Path, installed: Callable[[], None]
) -> None:
    code, out, err = command("new", "my-claim", "--with-runner", "my_runner")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "claims/my-claim.yaml, my_runner/my_runner.py and my_runner/pyproject.toml were written. Next:",
        "  pip install --editable my_runner",
        "  dlnrepro schema -o outputs/claim.schema.json    # for editors",
        "  dlnrepro check claims/my-claim.yaml",
        "  dlnrepro run claims/my-claim.yaml --quick",
    ]
    assert 'my_runner = "my_runner"' in (tmp_path / "my_runner" / "pyproject.toml").read_text()
    installed()
    assert command("check", "claims/my-claim.yaml") == (0, "1 claim file is valid\n", "")
    code, out, _ = command("run", "claims/my-claim.yaml")
    assert (code, "✓ reproduced" in out) == (0, True)
    # The command below "to repeat this" works from the same folder.
    again = out.split("to repeat this\n")[1].splitlines()[0].split()[1:]
    assert command(*again, "-q")[0] == 0
    assert command("new", "other", "--with-runner", "my_runner")[2].startswith(
        "--with-runner: expected the name of a new"
    )


def test_a_runner_without_a_claim_gets_one_with_placeholders(
    command: Command, tmp_path: Path, installed: Callable[[], None]
) -> None:
    command("new", "my-claim", "--with-runner", "my_runner")
    installed()
    (tmp_path / "claims" / "my-claim.yaml").unlink()
    assert command("new", "first", "--runner", "my_runner")[0] == 0
    text = (tmp_path / "claims" / "first.yaml").read_text()
    assert "No claim of this runner is known: every value below is a placeholder, which you should replace." in text
    assert "  target: 1.0  # a placeholder: choose a value\n" in text
    assert command("check") == (0, "1 claim file is valid\n", "")


def test_a_folder_that_is_there_is_not_written_over(command: Command, tmp_path: Path) -> None:
    (tmp_path / "my_runner").mkdir()
    code, _, err = command("new", "my-claim", "--with-runner", "my_runner")
    assert (code, err) == (2, "my_runner: expected a new folder, found one already there\n")
    assert not (tmp_path / "claims").exists()


def test_a_new_claim_asks_for_the_experiment_and_for_a_reason_with_its_kind(command: Command, tmp_path: Path) -> None:
    assert command("new", "first", "--runner", "one_neuron_descent")[0] == 0
    text = (tmp_path / "claims" / "first.yaml").read_text()
    assert "\nexperiment: >\n  How the statement is tested, in 2 to 4 sentences: network (depth, widths)," in text
    assert "\n".join(text[text.index("criteria:") :].splitlines()[:8]) == (
        "criteria:\n"
        '  - id: "converges"\n'
        '    measure: "distance_to_first"\n'
        "    at_most: 1e-6\n"
        '    holds_in: ["depth-2", "depth-3", "depth-4"]\n'
        '    fails_in: ["two-neurons", "stable-set-depth-2", "stable-set-depth-3", "stable-set-depth-4"]\n'
        "    says: A sentence that says what this measure shows.\n"
        '    why: "derived: where the threshold comes from, in one sentence with a verb"'
    )
    code, _, err = command("check", "claims/first.yaml", "--strict")
    assert code == 2
    rules = [line.rpartition("(rule ")[2].rstrip(")") for line in err.splitlines() if "arms." not in line]
    assert rules == ["audit"]
    assert (
        "\ncovers:\n  what: part                # whole | part | special case: of the statement of the source\n" in text
    )
    assert (
        "\nindependent: The route to the decisive number that shares no code with the formula it is held to.\n" in text
    )
    assert "\ncontrols:" in text


def test_a_first_claim_of_checkpoints_lacks_only_the_files(command: Command, tmp_path: Path) -> None:
    assert command("new", "first", "--runner", "checkpoint")[0] == 0
    text = (tmp_path / "claims" / "first.yaml").read_text()
    assert "\nrunner: checkpoint\nseeds: 1 " in text
    assert "\nmeasures:" not in text
    code, _, err = command("check")
    expected = "expected a file, or a pattern that fits a file, found from the folder of the claim, found 'step-*.pt'"
    assert (code, len(err.splitlines())) == (2, 1)
    assert err.endswith(f"setup.files[0]: {expected}\n")


def test_a_first_claim_of_a_linear_network_is_valid_by_the_schema_for_editors(command: Command, tmp_path: Path) -> None:
    import jsonschema
    import yaml

    assert command("new", "first", "--runner", "linear_network")[0] == 0
    assert command("check")[0] == 0
    claim = yaml.safe_load((tmp_path / "claims" / "first.yaml").read_text())
    jsonschema.validate(claim, json.loads(command("schema")[1]))


def test_a_first_claim_does_not_repeat_numbers_that_others_have_printed(command: Command, tmp_path: Path) -> None:
    assert command("new", "first", "--runner", "classifier_clock")[0] == 0
    assert "printed" not in (tmp_path / "claims" / "first.yaml").read_text()
