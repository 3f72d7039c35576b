"""Arms in doubt get further runs, with the next seeds, until every criterion is decided; other arms get none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dlnrepro
from dlnrepro.compute.processes import Work
from tests.commands.test_endings import PROGRAM

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
Record = dict[str, Any]


@pytest.fixture
def run(command: Command) -> Callable[..., Record]:
    """Run a claim with some options, and give its record."""

    def run(*words: Any, code: int | None = 0) -> Record:
        found, out, err = command("run", "-q", *words, "--json")
        assert code in (found, None), err
        (record,) = json.loads(out)["claims"]
        return dict(record)

    return run


def seeds(record: Record) -> dict[str, list[int]]:
    """The first seed of each arm, and the one after its last."""
    found = {arm: outcome["seeds"] for arm, outcome in record["outcomes"].items()}
    assert all(given == list(range(given[0], given[0] + len(given))) for given in found.values())
    return {arm: [given[0], given[-1] + 1] for arm, given in found.items()}


def test_sixteen_passing_runs_need_no_more(run: Callable[..., Record], write_chancy: Write) -> None:
    assert seeds(run(write_chancy())) == {"near": [0, 16], "far": [0, 16]}


@pytest.mark.parametrize(
    ("near", "far", "expected", "verdict"),
    [
        ("failing: [3]", "value: 11.0", {"near": [0, 32], "far": [0, 16]}, "reproduced"),
        ("failing: [3, 20]", "value: 11.0", {"near": [0, 48], "far": [0, 16]}, "reproduced"),
        ("missing: [15]", "value: 11.0", {"near": [0, 32], "far": [0, 16]}, "reproduced"),
        ("loud: [2]", "value: 11.0", {"near": [0, 32], "far": [0, 16]}, "reproduced"),
        ("failing: [2], loud: [2]", "value: 11.0", {"near": [0, 32], "far": [0, 16]}, "reproduced"),
        ("", "value: -4.0, failing: [9]", {"near": [0, 16], "far": [0, 32]}, "reproduced"),
        ("failing: [1, 2, 3, 4]", "value: 11.0", {"near": [0, 80], "far": [0, 16]}, "reproduced"),
        ("failing: [1, 2, 3, 4, 17, 18, 19]", "value: 11.0", {"near": [0, 32], "far": [0, 16]}, "not reproduced"),
        ("missing: [1, 2, 3, 4, 5, 6, 7, 8, 9]", "value: 11.0", {"near": [0, 16], "far": [0, 16]}, "inconclusive"),
        ("loud: [1, 2, 3, 4, 5]", "value: -4.0, failing: [9]", {"near": [0, 16], "far": [0, 16]}, "inconclusive"),
    ],
)
def test_an_arm_in_doubt_gets_the_next_seeds_until_it_is_decided(
    run: Callable[..., Record], write_chancy: Write, near: str, far: str, expected: dict[str, list[int]], verdict: str
) -> None:
    record = run(write_chancy(near=near, far=far), code={"reproduced": 0, "not reproduced": 1}.get(verdict, 4))
    assert (seeds(record), record["verdict"]) == (expected, verdict)


def test_one_run_refutes_a_criterion_for_every_draw_and_its_seed_is_named(
    run: Callable[..., Record], write_chancy: Write
) -> None:
    path = write_chancy(("why: the", "runs: every\n    why: the"), near="failing: [3]")
    record = run(path, code=1)
    assert seeds(record)["near"] == [0, 16]
    assert record["because"] == (
        "near-one: value = 1 ± 0.1 does not hold in near (1 of 16 runs outside); "
        "the run with seed 3 in near is a counterexample"
    )
    assert run(path, "--seed-base", "3", "--seeds", "1", code=1)["criteria"][0]["broken"]


def test_half_the_largest_number_of_failing_runs_ends_undecided(
    run: Callable[..., Record], write_chancy: Write
) -> None:
    failing = [2, 7, 13, 30, 41, 55, 60, 80, 91, 101, 121, 130, 140, 160, 170, 180, 200, 210, 220, 230, 240, 250]
    record = run(write_chancy(near=f"failing: {failing}"), code=4)
    assert seeds(record) == {"near": [0, 256], "far": [0, 16]}
    assert record["because"] == "near-one: value = 1 ± 0.1 is undecided in near: 234 of 256 runs lie inside"


def test_the_same_runs_come_from_the_store_the_second_time(run: Callable[..., Record], write_chancy: Write) -> None:
    path = write_chancy(near="failing: [3, 20]")
    first = run(path)
    again = run(path)
    assert (first["stamps"], again["stamps"]) == ([], ["cached"])
    for key in ("outcomes", "digests", "cells", "criteria", "verdict"):
        assert first[key] == again[key]
    assert run(path, "--no-cache")["digests"] == first["digests"]


def test_runs_that_were_fixed_are_of_use_to_a_run_that_is_not(run: Callable[..., Record], write_chancy: Write) -> None:
    path = write_chancy(near="failing: [3]")
    fixed = run(path, "--seeds", "16", code=4)
    assert (seeds(fixed), fixed["stamps"]) == ({"near": [0, 16], "far": [0, 16]}, ["fixed-seeds"])
    free = run(path)
    assert (seeds(free)["near"], free["stamps"]) == ([0, 32], ["cached"])


def test_a_fixed_number_of_runs_is_kept_and_labelled(run: Callable[..., Record], write_chancy: Write) -> None:
    path = write_chancy(near="failing: [3]")
    for number, verdict, code in ((3, "reproduced", 0), (16, "inconclusive", 4), (40, "reproduced", 0)):
        record = run(path, "--seeds", number, code=code)
        assert (seeds(record)["near"], record["verdict"]) == ([0, number], verdict)
        assert "fixed-seeds" in record["stamps"]


def test_the_quick_profile_has_a_fixed_number_of_runs(run: Callable[..., Record], write_chancy: Write) -> None:
    record = run(write_chancy(near="failing: [1]"), "--quick", code=4)
    assert (seeds(record), record["stamps"]) == ({"near": [0, 2], "far": [0, 2]}, ["toy"])


def test_a_claim_with_fewer_than_sixteen_runs_gets_the_rest_of_sixteen(
    run: Callable[..., Record], write_chancy: Write
) -> None:
    for number in (1, 8, 15):
        record = run(write_chancy(("seeds: 16", f"seeds: {number}"), ("seeds: 2,", "seeds: 1,"), near="failing: [12]"))
        assert seeds(record) == {"near": [0, 32], "far": [0, 16]}


def test_a_claim_with_more_runs_gets_as_many_again(run: Callable[..., Record], write_chancy: Write) -> None:
    record = run(write_chancy(("seeds: 16", "seeds: 17"), near="failing: [12]"))
    assert seeds(record) == {"near": [0, 34], "far": [0, 17]}
    record = run(write_chancy(("seeds: 16", "seeds: 300"), near=f"failing: {list(range(25))}"), code=4)
    assert seeds(record) == {"near": [0, 300], "far": [0, 300]}


def test_the_last_seeds_are_used_and_none_after_them(run: Callable[..., Record], write_chancy: Write) -> None:
    base = 2**63 - 20
    record = run(write_chancy(near=f"failing: [{base}]"), "--seed-base", base, code=4)
    assert seeds(record) == {"near": [base, 2**63], "far": [base, base + 16]}
    assert record["because"] == "near-one: value = 1 ± 0.1 is undecided in near: 19 of 20 runs lie inside"


@pytest.mark.slow
def test_two_workers_and_one_give_bitwise_identical_reports(
    run: Callable[..., Record], write_chancy: Write, tmp_path: Path
) -> None:
    path = write_chancy(near="share: 0.9")
    one = run(path, "-j", "1", "--outputs", tmp_path / "one", code=None)
    two = run(path, "-j", "2", "--outputs", tmp_path / "two", code=None)
    assert len(one["outcomes"]["near"]["seeds"]) > 32
    for key in ("digests", "cells", "criteria", "because"):
        assert one[key] == two[key]
    assert [found["measures"] for found in one["outcomes"].values()] == [
        found["measures"] for found in two["outcomes"].values()
    ]


def test_an_error_in_a_later_batch_is_an_error_of_the_claim(run: Callable[..., Record], write_chancy: Write) -> None:
    record = run(write_chancy(near="failing: [3], breaks_at: 20"), code=3)
    assert record["verdict"] == "error"
    assert record["because"].startswith("arm near: RuntimeError: the runner broke at seed 20 (")
    assert (record["outcomes"]["near"]["measures"], "near" in record["cells"]) == ({}, False)


def test_a_budget_that_is_used_up_by_the_first_batch_leaves_the_arm_in_doubt(
    run: Callable[..., Record], write_chancy: Write
) -> None:
    path = write_chancy(near="failing: [3], seconds: 0.4")
    record = run(path, "--budget", "0.3", code=4)
    assert record["because"] == (
        "near-one: value = 1 ± 0.1 is undecided in near: 15 of 16 runs lie inside, because its time budget was spent"
    )
    assert (seeds(record)["near"], record["outcomes"]["near"]["spent"]) == ([0, 16], True)
    free = run(path)
    assert (free["verdict"], seeds(free)["near"], free["stamps"]) == ("reproduced", [0, 32], ["cached"])


def test_a_budget_that_is_used_up_by_a_decided_arm_takes_nothing_away(
    run: Callable[..., Record], write_chancy: Write
) -> None:
    record = run(write_chancy(near="seconds: 0.4"), "--budget", "0.3")
    assert (record["verdict"], record["outcomes"]["near"]["spent"]) == ("reproduced", False)


def test_each_claim_is_decided_before_the_next_one_even_if_it_needs_further_runs(
    command: Command, write_chancy: Write, tmp_path: Path
) -> None:
    write_chancy(near="failing: [3, 20]", name="a-slow")
    write_chancy(name="b-fast")
    write_chancy(near="failing: [3]", name="c-middle")
    code, out, err = command("run", tmp_path, "--json")
    assert code == 0
    assert [record["id"] for record in json.loads(out)["claims"]] == ["a-slow", "b-fast", "c-middle"]
    judged = [line.split(":")[0] for line in err.splitlines() if line.startswith("[")]
    assert judged == ["[1/3] a-slow", "[2/3] b-fast", "[3/3] c-middle"]


def test_the_first_failure_ends_the_run_after_an_earlier_claim_in_doubt_was_decided(
    command: Command, write_chancy: Write, tmp_path: Path
) -> None:
    write_chancy(near="failing: [3]", name="a-slow")
    write_chancy(near="value: 7.0", name="b-false")
    write_chancy(name="c-fast")
    code, out, _ = command("run", tmp_path, "-q", "-x", "--json")
    assert (code, [record["id"] for record in json.loads(out)["claims"]]) == (1, ["a-slow", "b-false"])


def test_further_runs_of_one_runner_are_checked_for_their_seeds_once(
    command: Command, write_chancy: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[frozenset[str]] = []

    def asked_of(workers: int, budget: float | None, twice: frozenset[str]) -> Work:
        asked.append(twice)
        return Work(workers, budget, twice)

    monkeypatch.setattr("dlnrepro.session.execution.comes_with_the_program", lambda _: False)
    monkeypatch.setattr("dlnrepro.compute.executor.Work", asked_of)
    assert command("run", write_chancy(near="failing: [3, 20]"), "-q", "-j", "1")[0] == 0
    assert asked == [frozenset({"chancy"})]  # further runs join the computation that is checked already


def test_a_replay_computes_all_batches_of_an_arm(command: Command, write_chancy: Write) -> None:
    command("run", write_chancy(near="failing: [3, 20]", far="value: -4.0, failing: [5]"), "-q")
    code, out, err = command("replay")
    assert (code, err.splitlines()[0]) == (0, "1 claim: 2 arms to compute (controls included)")
    assert out.startswith("= chancy-claim reproduced 160 numbers, bitwise identical")


def test_a_replay_without_memory_for_a_whole_arm_computes_its_batches(
    command: Command, write_chancy: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("run", write_chancy(near="failing: [3, 20]"), "-q")
    monkeypatch.setattr("dlnrepro.session.replay.free_memory", lambda _: 8 * 20)
    code, out, err = command("replay")
    assert (code, err.splitlines()[0]) == (0, "1 claim: 4 arms to compute (controls included)")
    assert out.startswith("= chancy-claim reproduced 128 numbers, bitwise identical")
    monkeypatch.setattr("dlnrepro.session.replay.free_memory", lambda _: 8 * 15)
    code, _, err = command("replay")
    assert code == 2
    assert "arm near: expected a setting that fits in memory; it needs 0.0 GB for 16 runs, found 0.0 GB free" in err


def test_a_reference_with_further_runs_is_current_the_second_time(
    command: Command, write_chancy: Write, tmp_path: Path
) -> None:
    path = write_chancy(near="failing: [3, 20]", far="value: -4.0, failing: [5]")
    first = command("run", path, "--reference", "reference", "-q")
    again = command("run", path, "--reference", "reference", "-q")
    assert (first[0], again[0]) == (0, 0)
    assert first[2].splitlines()[-1] == "reference: 1 reference written, 0 unchanged"
    assert again[2].splitlines() == ["reference: 0 references written, 1 unchanged"]
    report = json.loads((tmp_path / "reference" / "chancy-claim.json").read_text())
    assert len(report["claims"][0]["outcomes"]["near"]["seeds"]) == 48


def test_a_reference_whose_verdict_needs_further_runs_is_not_current(
    command: Command, write_chancy: Write, tmp_path: Path
) -> None:
    path = write_chancy(near="failing: [3]")
    command("run", path, "--reference", "reference", "-q")
    stored = tmp_path / "reference" / "chancy-claim.json"
    report = json.loads(stored.read_text())
    (record,) = report["claims"]
    near = record["outcomes"]["near"]
    near["seeds"] = near["seeds"][:16]
    near["measures"] = {name: values[:16] for name, values in near["measures"].items()}
    fixed = json.loads(command("run", path, "--seeds", "16", "-q", "--json")[1])["claims"][0]
    record["cells"]["near"] = fixed["cells"]["near"]
    stored.write_text(json.dumps(report))
    _, _, err = command("run", path, "--reference", "reference", "-q")
    assert err.splitlines() == [
        "chancy-claim: further runs are needed for its verdict",
        "reference: 1 reference written (with changed numbers: chancy-claim), 0 unchanged",
    ]


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The program in a process of its own, with the toys, when it makes further runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "run", ".", "-o", "r.json", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "further" in line or "more runs" in line:
            break
    return process


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_while_further_runs_are_made_keeps_what_is_judged_and_what_is_computed(
    run: Callable[..., Record], write_chancy: Write, tmp_path: Path, workers: str
) -> None:
    write_chancy(name="a-fast")
    doubtful = write_chancy(near="failing: [3], seconds: 1.0", name="b-slow")
    with begin(tmp_path, "-j", workers) as process:
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert process.returncode == 130
    report = json.loads((tmp_path / "r.json").read_text())
    assert [(record["id"], record["verdict"]) for record in report["claims"]] == [("a-fast", "reproduced")]
    assert report["interrupted"]
    record = run(doubtful)
    assert (record["stamps"], seeds(record)["near"]) == (["cached"], [0, 32])


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")
def test_a_program_that_is_killed_while_further_runs_are_made_goes_on_from_the_stored_batches(
    run: Callable[..., Record], write_chancy: Write, tmp_path: Path
) -> None:
    path = write_chancy(near="failing: [3, 20], seconds: 1.0", name="b-slow")
    with begin(tmp_path, "-j", "1") as process:
        process.kill()
        process.wait(30)
    stored = len([*(tmp_path / "outputs" / "cells").iterdir()])
    assert stored == 2
    record = run(path)
    assert (record["verdict"], record["stamps"], seeds(record)["near"]) == ("reproduced", ["cached"], [0, 48])
    assert len([*(tmp_path / "outputs" / "cells").iterdir()]) == stored + 2


def test_the_python_interface_makes_further_runs_too(write_chancy: Write, tmp_path: Path) -> None:
    path = write_chancy(near="failing: [3]")
    free = dlnrepro.run(path, outputs=tmp_path, quiet=True)
    fixed = dlnrepro.run(path, outputs=tmp_path, seeds=16, quiet=True)
    assert [len(found["chancy-claim"].outcomes["near"].seeds) for found in (free, fixed)] == [32, 16]
    assert [found["chancy-claim"].verdict for found in (free, fixed)] == ["reproduced", "inconclusive"]
