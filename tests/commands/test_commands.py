"""The commands beside run: list, show, check, report, schema, new, through the real entry point."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from dlnrepro.catalogue import packaged
from dlnrepro.runner import runner_names

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def test_list_groups_claims_by_paper_with_their_last_verdict(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    (tmp_path / "claims").mkdir()
    shutil.move(write_claim(), tmp_path / "claims" / "toy-claim.yaml")
    assert "not run yet" in command("list")[1]
    assert command("run", "toy-claim", "--quick", "-q")[0] == 0
    code, out, _ = command("list")
    assert code == 0
    assert out.splitlines() == [
        "Toys (A. Author, Nowhere 2026)",
        "  toy-claim   reproduced (toy)",
        "      The toy is near one",
    ]
    rows = json.loads(command("list", "--json")[1])
    assert [(row["id"], row["last_verdict"]) for row in rows] == [("toy-claim", "reproduced")]
    assert command("list", "-m", "no-such-tag")[0] == 5


def test_show_tells_a_claim_from_its_file_alone(command: Command, write_claim: Write) -> None:
    code, out, _ = command("show", write_claim())
    assert code == 0
    for words in ("The toy is near one", "value 1 ± 0.1   holds in near", "must fail in far", "far   value = 5"):
        assert words in out
    assert max(len(line) for line in out.splitlines() if "/" not in line) <= 80


def test_check_tells_valid_files_from_faulty_ones(command: Command, write_claim: Write, tmp_path: Path) -> None:
    good = write_claim(name="good")
    bad = write_claim(("seeds: 4\n", "seeds: 0\n"), name="bad")
    assert command("check", good) == (0, "1 claim file valid\n", "")
    fault = f"{bad}:12:1: seeds: expected a number of at least 1, found 0"
    assert command("check", tmp_path) == (2, "", fault + "\n")
    assert json.loads(command("check", tmp_path, "--format", "json")[1]) == {
        "files": 2,
        "faults": [{"file": str(bad), "line": 12, "column": 1, "text": fault.split(": ", 1)[1]}],
    }
    code, out, _ = command("check", bad, "--format", "github")
    assert (code, out) == (2, f"::error file={bad},line=12,col=1::seeds: expected a number of at least 1, found 0\n")


def test_all_claims_that_travel_with_the_program_are_valid(command: Command) -> None:
    assert command("check", packaged())[0] == 0


def test_report_shows_a_stored_run_again_with_its_exit_code(command: Command, write_claim: Write) -> None:
    path = write_claim()
    _, first, _ = command("run", path, "-s", "value=3")
    code, again, _ = command("report", "-v")
    assert code == 1
    assert again.strip() in first
    assert command("report", "no-such-run")[0] == 2


def test_report_judges_again_and_does_not_believe_a_stored_verdict(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    command("run", write_claim(), "-s", "value=3")
    path = tmp_path / "outputs" / "latest" / "report.json"
    path.write_text(path.read_text().replace('"not reproduced"', '"reproduced"'))
    assert command("report")[2].endswith("found others: it was changed after it was written\n")
    (path.parent / "SHA256SUMS").unlink()
    assert command("report")[0] == 1


@pytest.mark.slow
def test_the_schema_admits_every_claim_that_travels_with_the_program(command: Command) -> None:
    import jsonschema

    schema = json.loads(command("schema")[1])
    for path in packaged().glob("*.yaml"):
        jsonschema.validate(_plain(path), schema)


def test_the_schema_of_a_report_admits_a_report(command: Command, write_claim: Write) -> None:
    import jsonschema

    schema = json.loads(command("schema", "--report")[1])
    report = json.loads(command("run", write_claim(), "--json")[1])
    jsonschema.validate(report, schema)
    del report["claims"][0]["criteria"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, schema)


@pytest.mark.parametrize("runner", runner_names())
def test_new_writes_a_claim_that_passes_check(command: Command, runner: str) -> None:
    code, out, _ = command("new", "my-claim", "--runner", runner)
    assert code == 0
    assert out.startswith("claims/my-claim.yaml written")
    assert command("check") == (0, "1 claim file valid\n", "")
    assert command("new", "my-claim", "--runner", runner)[0] == 2
    assert command("new", "another", "--runner", "aligned_pathways")[0] == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["My_Claim", "--runner", "pathway_sharpness"],
            "My_Claim: expected an id of small letters, digits and hyphens",
        ),
        (["my-claim", "--runner", "pathway_sharpnes"], "--runner: expected one of "),
        (["my-claim"], "dlnrepro new: Missing option '--runner'"),
    ],
)
def test_new_refuses_what_it_cannot_write(command: Command, tmp_path: Path, words: list[str], line: str) -> None:
    code, _, err = command("new", *words)
    assert code == 2
    assert err.startswith(line)
    assert list(tmp_path.iterdir()) == []


def test_the_help_of_every_command_has_examples_or_arguments(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    assert "Examples:" in out
    for name in ("list", "show", "check", "run", "report", "schema", "new"):
        assert f"  {name} " in out
        assert command(name, "--help")[0] == 0


def _plain(path: Path) -> object:
    """A claim as any YAML reader sees it, with numbers as YAML 1.2 has them."""
    from dlnrepro.document import parse

    assert yaml.safe_load(path.read_text(encoding="utf-8"))
    return parse(path.read_text(encoding="utf-8")).value
