"""The engine: arms become outcomes; failures become faults or undecided runs, and never numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.engine import run_cell
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import UsageError
from dlnrepro.runner import Progress, silent
from dlnrepro.verdict.outcome import Outcome
from tests.refusal import refusal


@pytest.fixture
def claim(write_claim: Callable[..., Path]) -> Claim:
    return load_claim(write_claim())


def run(
    behaviour: str, seeds: tuple[int, ...] = (0, 1, 2, 3), budget: float = 60.0, progress: Progress = silent
) -> Outcome:
    """The outcome of the toy with a behaviour."""
    cell = Cell("toy-claim", "near", "toy", {"value": 1.0, "behaviour": behaviour, "bytes": 0}, seeds)
    left = iter([budget] + [budget] * 5 + [budget - 1] * 1000)
    return run_cell(cell, progress, lambda: next(left)).outcome


def test_every_arm_has_the_same_seeds_and_its_own_parameters(claim: Claim) -> None:
    near, far = plan(claim, Variation(seed_base=10))
    assert near.seeds == far.seeds == (10, 11, 12, 13)
    assert (near.params["value"], far.params["value"]) == (1, 5.0)


def test_the_quick_profile_and_overrides_do_not_replace_an_arms_own_values(claim: Claim) -> None:
    near, far = plan(claim, Variation(quick=True, overrides={"value": 2.0}))
    assert len(near.seeds) == 2
    assert (near.params["value"], far.params["value"]) == (2.0, 5.0)


@pytest.mark.usefixtures("toys")
def test_an_arm_is_computed_by_one_thread_in_a_process_that_has_more() -> None:
    seen: list[set[int]] = []

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2):
        before = threads()
        assert run("steady", progress=lambda _fraction, _note: seen.append(threads())).fault is None
        assert threads() == before
    assert before == {2}
    assert seen
    assert all(found == {1} for found in seen)


def test_without_controls_only_the_arms_that_must_hold_are_run(claim: Claim) -> None:
    assert [cell.arm for cell in plan(claim, Variation(controls=False))] == ["near"]


@pytest.mark.parametrize(
    ("variation", "stamps"),
    [
        (Variation(), []),
        (Variation(seeds=4), ["fixed-seeds"]),
        (Variation(seeds=5), ["fixed-seeds"]),
        (Variation(seeds=5, seed_base=1), ["modified", "fixed-seeds"]),
        (Variation(seeds=2, quick=True), ["toy"]),
        (Variation(seed_base=1), ["modified"]),
        (Variation(overrides={"value": 1.0}), []),
        (Variation(overrides={"value": 2.0}), ["modified"]),
        (Variation(quick=True), ["toy"]),
        (Variation(controls=False), ["no-controls"]),
    ],
)
def test_every_deviation_from_the_file_is_labelled(claim: Claim, variation: Variation, stamps: list[str]) -> None:
    assert variation.stamps(claim) == stamps


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            {"valu": 1.0},
            "-s valu: toy-claim: expected one of value, behaviour, bytes, found 'valu'; did you mean 'value'?",
        ),
        ({"value": "one"}, "-s value: toy-claim: expected a number, found 'one'"),
        ({"bytes": 1.5}, "-s bytes: toy-claim: expected a whole number, found 1.5"),
        ({"value": 1e9}, "-s value: toy-claim: expected a number of at most 1e6, found 1e9"),
    ],
)
def test_an_override_that_cannot_apply_is_refused(claim: Claim, overrides: dict[str, object], line: str) -> None:
    with pytest.raises(UsageError) as error:
        plan(claim, Variation(overrides=overrides))
    assert str(error.value) == line


def test_an_override_that_every_arm_hides_is_refused(write_claim: Callable[..., Path]) -> None:
    claim = load_claim(write_claim(("near: {}", "near: {value: 1.0}")))
    assert refusal(lambda: plan(claim, Variation(overrides={"value": 2.0}))) == (
        "-s value: toy-claim: expected a parameter that at least one arm does not set itself, "
        "found that every arm sets it; -s ARM.value=... applies to one arm"
    )


def test_a_setting_that_needs_more_memory_than_there_is_is_refused_before_it_is_tried(claim: Claim) -> None:
    expected = "toy-claim: arm near: expected a setting that fits in memory; it needs 160,000.0 GB for 16 runs, found"
    line = refusal(lambda: plan(claim, Variation(overrides={"bytes": 10**13})))
    assert re.fullmatch(rf"{expected} [0-9.,]+ [GM]B free", line)


@pytest.mark.usefixtures("toys")
def test_a_run_does_not_depend_on_the_other_runs_of_its_arm() -> None:
    together, alone = run("steady"), run("steady", (2,))
    assert together.measures["value"][2] == alone.measures["value"][0]
    assert len(set(together.measures["value"])) == 4


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        ("raises", "RuntimeError: the toy broke"),
        ("disagrees", "Disagreement: 0.1 by one route, 0.2 by the other"),
        ("single", "TypeError: value: expected float64 for 4 runs with 1 axes, found torch.float32 (4,)"),
        ("silent", "TypeError: the runner's measures and series are not those it declares: noise"),
    ],
)
def test_a_runner_that_fails_or_breaks_its_promise_is_a_fault(behaviour: str, fault: str) -> None:
    outcome = run(behaviour)
    assert outcome.fault is not None
    assert outcome.fault.startswith(fault)
    assert outcome.measures == {}


@pytest.mark.usefixtures("toys")
def test_a_diverged_run_keeps_its_place_and_disturbs_no_other() -> None:
    values = run("first-diverges").measures["value"]
    assert values[0] == math.inf
    assert values[1:] == run("steady").measures["value"][1:]


@pytest.mark.usefixtures("toys")
def test_a_spent_budget_leaves_every_run_undecided() -> None:
    outcome = run("slow", budget=0.5)
    assert outcome.spent
    assert outcome.measures == {}
    assert outcome.fault is None


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("declares", [True, False])
def test_the_measures_of_a_result_are_those_that_the_setting_declares_or_any_if_it_declares_none(
    declares: bool,
) -> None:
    cell = Cell("toy-claim", "near", "named", {"values": {"one": 1.0, "two": 2.0}, "declares": declares}, (1, 2))

    outcome = run_cell(cell, silent, lambda: 60.0).outcome

    assert outcome.fault is None
    assert outcome.measures == {"one": [1.0, 1.0], "two": [2.0, 2.0]}


def test_a_warning_of_a_function_is_shown_once_although_every_run_has_its_own_filters(tmp_path: Path) -> None:
    text = (
        "import warnings\ndef f(seed: int):\n"
        "    warnings.simplefilter('always'); warnings.warn('high'); return {'x': seed}\n"
    )
    (tmp_path / "file.py").write_text(text, encoding="utf-8")
    cell = Cell("claim", "near", f"{tmp_path / 'file.py'}:f", {}, (0, 1, 2))

    with pytest.warns(UserWarning, match="high") as shown:
        outcome = run_cell(cell, silent, lambda: 60.0).outcome

    assert outcome.measures == {"x": [0.0, 1.0, 2.0]}
    assert len(shown) == 1
