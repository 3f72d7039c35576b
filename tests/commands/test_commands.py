"""The commands beside run: list, show, check, report, schema, new, through the real entry point."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.registry.names import runner_names

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
    assert re.sub(r"[0-9.]+ s", "0.0 s", out).splitlines() == [
        "Toys (A. Author, Nowhere 2026)",
        "  toy-claim   reproduced (reduced), computing time 0.0 s",
        "      The toy is near one",
        "      tags: toy, small",
    ]
    rows = json.loads(command("list", "--json")[1])
    assert [(row["id"], row["last_verdict"]) for row in rows] == [("toy-claim", "reproduced")]
    assert rows[0]["last_seconds"] > 0
    assert command("list", "-m", "no-such-tag")[0] == 5


def test_list_has_no_line_of_tags_for_a_claim_without_tags(
    command: Command, write_claim: Write, tmp_path: Path
) -> None:
    (tmp_path / "claims").mkdir()
    write_claim(("tags: [toy, small]\n", "")).rename(tmp_path / "claims" / "toy-claim.yaml")

    assert command("list")[1].splitlines() == [
        "Toys (A. Author, Nowhere 2026)",
        "  toy-claim   not run yet",
        "      The toy is near one",
    ]
    assert command("list", "--tags") == (0, "", "")


def test_tags_and_runners_are_listed_with_their_counts(command: Command, write_claim: Write, tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    for name, tag in (("one", "small"), ("two", "large")):
        write_claim(("small", tag), name=name).rename(tmp_path / "claims" / f"{name}.yaml")
    assert command("list", "--tags")[1].splitlines() == ["large  1 claim", "small  1 claim", "toy    2 claims"]
    assert json.loads(command("list", "--tags", "--json")[1])[0] == {"tag": "large", "claims": 1}
    assert [row["id"] for row in json.loads(command("list", "--tags", "large", "--json")[1])] == ["two"]
    counts = {row["runner"]: row["claims"] for row in json.loads(command("list", "--runners", "--json")[1])}
    assert (counts["toy"], counts["mode_flow"]) == (2, 0)
    assert re.search(r"^toy +2 claims$", command("list", "--runners")[1], re.MULTILINE)
    assert [row["id"] for row in json.loads(command("list", "--json", "--words", "two")[1])] == ["two"]


def test_show_gives_a_claim_to_a_program(command: Command, write_claim: Write) -> None:
    command("run", write_claim(), "-q")
    shown = json.loads(command("show", "toy-claim.yaml", "--json")[1])
    assert (shown["id"], shown["setup"]["value"], shown["path"]) == ("toy-claim", 1, "toy-claim.yaml")
    assert shown["last"]["verdict"] == "reproduced"
    assert len(json.loads(command("show", "one-neuron-r*", "--json")[1])) >= 1


def test_report_shows_the_newest_run_of_a_claim_alone(command: Command, write_claim: Write, tmp_path: Path) -> None:
    write_claim(name="a-claim")
    write_claim(("value: 1\n", "value: 3\n"), name="b-claim")
    assert command("run", tmp_path, "-q")[0] == 1
    code, out, _ = command("report", "a-claim", "--json")
    assert code == 0
    assert [claim["id"] for claim in json.loads(out)["claims"]] == ["a-claim"]
    assert "b-claim" in command("report", "b-claim")[1]
    assert command("report", "b-claim")[0] == 1
    places = "found none at {0} or {0}/report.json or outputs/reports/{0}/report.json"
    expected = "c-claim: expected a stored report, or a claim that is in one"
    assert command("report", "c-claim") == (2, "", f"{expected}, {places.format('c-claim')}\n")
    for words in (["report"], ["replay"], ["diff", "latest"]):
        what = "a stored report" + ", or a claim that is in one" * (words == ["report"])
        line = f"{'x' * 300}: expected {what}, {places.format('x' * 300)}\n"
        assert command(*words, "x" * 300) == (2, "", line)
        assert command(*words, "") == (2, "", f"'': expected {what}, found no name\n")
    # Only `report` shows a claim.
    for names in (["a-claim"], ["c-claim", "d-claim"]):
        lines = "".join(f"{name}: expected a stored report, {places.format(name)}\n" for name in names)
        assert command("diff", *names) == (2, "", lines)


SHOWN = """\
toy-claim
  The toy is near one

  statement
    A toy that measures one.

  experiment
    Each run draws its noise. All runs compute in double precision (float64).

  source
    A. Author: Toys. Nowhere 2026, everywhere.
    Basis: derived (the criteria rest on a derivation for this project)

  assumptions: a run that does not meet one is left out
    the noise is small
      required: noise < 0.01 for almost all runs: at least 98 % against at
        most 80 %; in near
      noise: the noise alone, in [0, 1e-3]

  criteria, each with its negative controls, which must fail
    near-one   the value is one
      required: value = 1 ± 0.1 for almost all runs: at least 98 % against at
        most 80 %; in near
      value: the value, up to noise
      must fail in far
      threshold derived here: the noise is at most 1e-3

  settings of the runner toy
    value     1
      1 of 2 arms set this themselves: far
    behaviour steady
    bytes     1000
    `dlnrepro show -v` explains each setting.

  arms: the settings with a few named changes, at least 4 runs each
    near   the settings as they are
    control far   value 5

  to run it
    dlnrepro run toy-claim.yaml
    last time: not run yet
    toy-claim.yaml
"""


def test_show_shows_a_claim_from_its_file_alone_and_explains_settings_and_history_if_it_is_asked_to(
    command: Command, write_claim: Write
) -> None:
    name = write_claim(
        ("source:", "experiment: Each run draws its noise.\nsource:"),
        (
            "why: the noise is at most 1e-3",
            'why: "derived: the noise is at most 1e-3"\n    history: it was 0.2 at first',
        ),
    ).name
    assert command("show", name) == (0, SHOWN, "")
    reason = "      threshold derived here: the noise is at most 1e-3\n"
    full = SHOWN.replace(reason, reason + "      history: it was 0.2 at first\n")
    full = full.replace("    value     1\n", "    value     1\n      what is measured, up to noise of 1e-3\n")
    full = full.replace("    bytes     1000\n", "    bytes     1000\n      what it says it needs\n")
    full = full.replace("    `dlnrepro show -v` explains each setting.\n", "")
    assert command("show", name, "-v") == (0, full, "")


def test_show_says_which_arms_set_a_parameter_themselves(command: Command, write_claim: Write) -> None:
    lines = command("show", write_claim())[1].splitlines()
    below = lines.index("    value     1") + 1
    assert lines[below : below + 2] == ["      1 of 2 arms set this themselves: far", "    behaviour steady"]


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
    assert command("report")[2].endswith("found other contents: the file was changed after it was written\n")
    (path.parent / "SHA256SUMS").unlink()
    assert command("report")[0] == 1


@pytest.mark.slow
def test_the_schema_admits_every_claim_that_travels_with_the_program(command: Command) -> None:
    import jsonschema

    schema = json.loads(command("schema")[1])
    for path in packaged_folder().glob("*.yaml"):
        jsonschema.validate(_plain(path), schema)


def test_the_schema_is_written_where_a_new_claim_looks_for_it(command: Command, tmp_path: Path) -> None:
    code, out, _ = command("schema", "-o", "outputs/claim.schema.json")
    assert (code, out) == (0, "outputs/claim.schema.json was written\n")
    assert (tmp_path / "outputs/claim.schema.json").read_text() == command("schema")[1]
    assert command("schema", "-o", "\x1b[2J\n::x\udcff.json")[1] == "\\x1b[2J\\n::x\\xff.json was written\n"
    command("new", "my-claim", "--runner", "mode_flow", "--folder", "deep/er")
    first = (tmp_path / "deep/er/my-claim.yaml").read_text().splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (tmp_path / "deep/er" / named).resolve() == (tmp_path / "outputs/claim.schema.json").resolve()
    assert command("schema", "-o", "/dev/null/x/y.json")[::2] == (
        2, "-o /dev/null/x/y.json: expected a folder that can be made, found: not a directory\n",
    )  # fmt: skip


@pytest.mark.slow
def test_the_schema_of_a_report_admits_a_report(command: Command, write_claim: Write) -> None:
    import jsonschema

    schema = json.loads(command("schema", "--report")[1])
    report = json.loads(command("run", write_claim(), "--json")[1])
    jsonschema.validate(report, schema)
    del report["claims"][0]["criteria"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, schema)


@pytest.mark.slow
@pytest.mark.parametrize("runner", runner_names())
def test_new_writes_a_claim_that_passes_check(command: Command, runner: str) -> None:
    code, out, _ = command("new", "my-claim", "--runner", runner)
    assert code == 0
    assert out.startswith("claims/my-claim.yaml was written. Next, edit it, and then:\n")
    checked = command("check")
    if runner == "checkpoint":  # only the user has the files that it measures
        assert (checked[0], checked[1]) == (2, "")
        assert all(".files" in line and "step-*.pt" in line for line in checked[2].splitlines())
    else:
        assert checked == (0, "1 claim file is valid\n", "")
    assert command("new", "my-claim", "--runner", runner)[0] == 2
    assert command("new", "another", "--runner", "aligned_pathways")[0] == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["My_Claim", "--runner", "pathway_sharpness"],
            "My_Claim: expected an id of small letters, digits and hyphens, such as my-claim",
        ),
        (
            ["my-claim", "--with-runner", "torch"],
            "--with-runner: expected the name of a new module, found 'torch', which is installed already",
        ),
        (
            ["my-claim"],
            "dlnrepro new: Expected one of three forms: `dlnrepro new my-claim --function` (a plain function as "
            "runner), `--runner NAME` (a runner of `dlnrepro list --runners`), or `--with-runner NAME` (a package with "
            "a new runner). (see dlnrepro new --help)",
        ),
        (
            ["my-claim", "--with-runner", "My Runner"],
            "--with-runner: expected a name for a new Python module, such as my_runner, found 'My Runner'",
        ),
        (
            ["my-claim", "--with-runner", "json"],
            "--with-runner: expected a name for a new Python module, such as my_runner, found 'json'",
        ),
        (
            ["my-claim", "--with-runner", "mode_flow"],
            "--with-runner: expected the name of a new runner, found 'mode_flow', which is known already",
        ),
        (
            ["my-claim", "--with-runner", "x", "--runner", "y"],
            "dlnrepro new: Expected one of --function, --runner, --with-runner, found --runner and --with-runner. "
            "(see dlnrepro new --help)",
        ),
    ],
)
def test_new_refuses_what_it_cannot_write(command: Command, tmp_path: Path, words: list[str], line: str) -> None:
    assert command("new", *words) == (2, "", f"{line}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "near"), [("my_runner", ""), ("pathway_sharpnes", "; did you mean 'pathway_sharpness'?")]
)
def test_new_for_an_unknown_runner_says_how_one_is_made_known(command: Command, name: str, near: str) -> None:
    expected = f"expected one of {len(runner_names())} names (`dlnrepro list --runners` lists them)"
    reason = "a runner of another package is known only where that package is installed"
    hint = "`dlnrepro new my-claim --function` writes a function as a runner, and --with-runner NAME a package"
    line = f"--runner: {expected}, found '{name}' ({reason}; {hint}){near}\n"
    assert command("new", "my-claim", "--runner", name) == (2, "", line)


def test_new_finds_its_model_in_a_folder_with_a_file_that_is_no_claim(command: Command, tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "bad.yaml").write_text("x")
    assert command("new", "my-claim", "--runner", "mode_flow")[0] == 0


def test_bare_the_program_prints_its_help_and_ends_with_2(command: Command) -> None:
    code, out, err = command()
    assert (code, err) == (2, "")
    assert out == command("--help")[1]
    assert command("-V")[1] == command("--version")[1]


@pytest.mark.parametrize(
    "name", ["list", "show", "check", "run", "report", "replay", "diff", "schema", "new", "completion"]
)
def test_every_command_explains_itself(command: Command, name: str) -> None:
    code, out, err = command(name, "-h")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: dlnrepro {name} ")


def test_help_fits_a_narrow_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (34, 40, 49, 50, 80):
        monkeypatch.setenv("COLUMNS", str(columns))
        for name in ("", "run", "new", "report", "completion"):
            lines = command(*[name] * bool(name), "--help")[1].split("\n  Example")[0].splitlines()
            # What is to be copied, the examples of the end, keeps its lines.
            lines = lines[: lines.index("  To set it up permanently:")] if name == "completion" else lines
            assert max(map(len, lines)) <= columns
    assert "  -h, --help  Show this message and exit." in lines


def test_an_error_is_one_line_whatever_it_repeats(command: Command) -> None:
    setting = r"-s \x1b[2J\n::x: expected KEY=VALUE, such as -s depth=4, or ARM.KEY=VALUE"
    assert command("run", "-n", "-s", "\x1b[2J\n::x") == (2, "", f"{setting}\n")
    places = r"no\n::x or no\n::x/report.json or outputs/reports/no\n::x/report.json"
    report = rf"no\n::x: expected a stored report, or a claim that is in one, found none at {places}"
    assert command("report", "no\n::x") == (2, "", f"{report}\n")
    folder = r"-o /dev/null/\n::x/y: expected a folder that can be made, found: not a directory"
    assert command("schema", "-o", "/dev/null/\n::x/y") == (2, "", f"{folder}\n")


def test_the_help_of_every_command_has_examples_or_arguments(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    assert "Examples:" in out
    for name in ("list", "show", "check", "run", "report", "schema", "new"):
        assert f"  {name} " in out
        assert command(name, "--help")[0] == 0


def _plain(path: Path) -> object:
    """A claim as any YAML reader sees it, with numbers as YAML 1.2 has them."""
    from dlnrepro.claimfile.document import parse

    assert yaml.safe_load(path.read_text(encoding="utf-8"))
    return parse(path.read_text(encoding="utf-8")).value
