"""`dlnrepro diff`: verdicts, settings and numbers of two runs; what cannot be compared does not count as equal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
Store = Callable[..., str]


@pytest.fixture
def stored(command: Command, write_claim: Write, tmp_path: Path) -> Store:
    """Run the toy claim with some options and give the path of its report."""
    count = iter(range(100))

    def store(*words: str) -> str:
        path = tmp_path / f"report-{next(count)}.json"
        command("run", write_claim(), "-q", "--no-cache", "-o", path, *words)
        return str(path)

    return store


def test_two_equal_runs_are_bit_identical(command: Command, stored: Store) -> None:
    code, out, err = command("diff", stored(), stored())
    assert (code, err) == (0, "")
    assert out == (
        "= toy-claim reproduced 64 numbers, bitwise identical\n\n"
        "1 claim compared, no verdict changed, 1 bitwise identical\n"
    )


def test_a_changed_verdict_has_its_code_and_its_settings_are_named(command: Command, stored: Store) -> None:
    code, out, _ = command("diff", stored(), stored("-s", "value=3"))
    assert code == 1
    assert "✗ toy-claim reproduced → not reproduced 16 of 64 numbers differ" in out
    assert "  arm near: value was 1 and is now 3" in out


def test_a_long_name_and_a_changed_pace_leave_every_word_of_a_row_whole(
    command: Command, write_claim: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    reports = [tmp_path / "first.json", tmp_path / "second.json"]
    for path in reports:
        command("run", write_claim(name="a-claim-with-a-rather-long-name"), "-q", "-o", path)
    for path, seconds in zip(reports, (4.0, 1.0), strict=True):
        report = json.loads(path.read_text())
        report["claims"][0]["seconds"] = seconds
        path.write_text(json.dumps(report))
    code, out, _ = command("diff", *reports)
    assert code == 0
    row = " ".join(out.split("\n\n")[0].split())
    assert row == "= a-claim-with-a-rather-long-name reproduced 64 numbers, bitwise identical, 4.0 times faster"


@pytest.mark.slow
def test_numbers_count_only_where_a_tolerance_is_asked_for(command: Command, stored: Store) -> None:
    first, second = stored(), stored("-s", "value=1.01")
    assert command("diff", first, second)[0] == 0
    assert command("diff", first, second, "--rtol", "0.001")[0] == 1
    assert command("diff", first, second, "--rtol", "0.02")[0] == 0
    assert command("diff", first, second, "--atol", "0.02")[0] == 0


@pytest.mark.slow
def test_other_seeds_and_missing_claims_are_not_compared_and_do_not_pass(
    command: Command, stored: Store, write_claim: Write, tmp_path: Path
) -> None:
    first = stored()
    code, out, _ = command("diff", first, stored("--seed-base", "300"))
    assert code == 4
    assert "= toy-claim reproduced not comparable" in out
    assert "every arm: the seeds differ" in out
    write_claim(name="another")
    command("run", tmp_path, "-q", "-o", tmp_path / "both.json")
    code, out, _ = command("diff", tmp_path / "both.json", first)
    assert code == 4
    assert "only in the first report: another" in out
    assert command("diff", tmp_path / "both.json", first, "--subset")[0] == 0
    assert command("diff", first, tmp_path / "both.json", "--subset")[0] == 4


def test_runs_that_both_reports_have_are_compared_and_further_ones_are_named(
    command: Command, write_chancy: Write
) -> None:
    path = write_chancy(near="failing: [3, 20]")
    command("run", path, "-q", "-o", "free.json")
    command("run", path, "-q", "-o", "fixed.json", "--seeds", "32")
    code, out, _ = command("diff", "free.json", "fixed.json")
    assert code == 1
    assert " ".join(out.split()).startswith(
        "✗ chancy-claim reproduced → inconclusive 96 numbers, equal within the tolerances, not comparable in full "
        "chancy-claim arm near: the first report has 16 runs more, and only the runs of both were compared "
        "arm far: the second report has 16 runs more, and only the runs of both were compared "
    )
    command("run", path, "-q", "-o", "moved.json", "--seed-base", "16", "--seeds", "20")
    found = json.loads(command("diff", "free.json", "moved.json", "--json")[1])["claims"][0]
    assert (found["compared"], found["differences"], found["identical"]) == (40, [], False)
    assert found["missing"] == [
        "arm near: the first report has 28 runs more, and only the runs of both were compared",
        "arm far: the seeds differ",
    ]
    assert json.loads(command("diff", "free.json", "free.json", "--json")[1])["claims"][0]["identical"]


def test_two_errors_do_not_count_as_equal(command: Command, stored: Store) -> None:
    code, out, _ = command("diff", stored("-s", "behaviour=raises"), stored("-s", "behaviour=raises"))
    assert code == 4
    assert "every arm: it failed in the first report (RuntimeError: the toy broke" in out


def test_nothing_to_compare_does_not_pass(command: Command, stored: Store, tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    report = json.loads(Path(stored()).read_text())
    path.write_text(json.dumps({**report, "claims": []}))
    assert command("diff", path, path)[0] == 4


def test_the_comparison_is_also_json(command: Command, stored: Store) -> None:
    code, out, _ = command("diff", stored(), stored("-s", "value=3"), "--json")
    found = json.loads(out)
    assert (code, found["exit_code"]) == (1, 1)
    assert found["claims"][0]["verdicts"] == ["reproduced", "not reproduced"]
    assert found["claims"][0]["differences"][0]["measure"] == "value"


@pytest.mark.parametrize("option", ["--rtol", "--atol"])
@pytest.mark.parametrize("value", ["nan", "inf", "-nan", "1e999", "-1", "x", ""])
def test_a_tolerance_that_is_not_a_finite_number_is_refused_before_anything_is_read(
    command: Command, option: str, value: str
) -> None:
    expected = f"expected a finite number of at least 0, found '{value}'"
    line = f"dlnrepro diff: Invalid value for '{option}': {expected} (see dlnrepro diff --help)\n"
    assert command("diff", "a", "b", option, value) == (2, "", line)


def test_a_relative_tolerance_is_a_share_of_the_first_number(command: Command, stored: Store) -> None:
    one, two = stored("-s", "value=1"), stored("-s", "value=2")
    assert command("diff", one, two, "--rtol", "0.7", "-q")[1].count("numbers differ") == 1
    assert command("diff", two, one, "--rtol", "0.7", "-q")[1].count("numbers differ") == 0


def test_one_run_is_compared_with_the_last(command: Command, stored: Store) -> None:
    one = stored()
    stored("-s", "value=3")
    code, out, _ = command("diff", one)
    assert code == 1
    assert "toy-claim reproduced → not reproduced" in out
