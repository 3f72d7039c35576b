"""Kept plans: a run by a kept plan is the same run, and nothing that determines a plan can change unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import ClaimError, UsageError
from dlnrepro.registry.sources import own_digests
from dlnrepro.session import known_plans
from dlnrepro.session.execution import Job, known_of
from dlnrepro.session.known_plans import PLANNERS, Plans
from dlnrepro.session.run import jobs_of

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def planned(path: Path, variation: Variation | None = None) -> Job:
    """The job of a claim file, as one invocation of the command line plans it."""
    plans = Plans(variation or Variation())
    (job,) = plans.jobs([(plans.load(path), path)])
    return job


def count_loading(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are checked against their runner from now on."""
    loaded: list[Path] = []
    load = load_claim

    def loading(path: Path) -> Any:
        loaded.append(path)
        return load(path)

    monkeypatch.setattr(known_plans, "load_claim", loading)
    return loaded


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("path", sorted(packaged_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_the_kept_plan_of_every_claim_is_its_plan(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = planned(path)
    loaded = count_loading(monkeypatch)
    second = planned(path)
    assert loaded == []
    assert second.known == known_of(first)
    assert (second.cells, second.claim, second.claim_hash) == (first.cells, first.claim, first.claim_hash)
    assert [cell.key for cell in second.cells] == [cell.key for cell in first.cells]
    assert second.command == jobs_of([(first.claim, path)], Variation())[0].command


@pytest.mark.usefixtures("cache")
def test_each_variation_has_a_plan_of_its_own(write_claim: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_claim()
    variations = [Variation(), Variation(quick=True), Variation(overrides={"value": 1.05}), Variation(controls=False)]
    first = [planned(path, variation) for variation in variations]
    loaded = count_loading(monkeypatch)
    assert [planned(path, variation).cells for variation in variations] == [job.cells for job in first]
    assert loaded == []
    assert len({job.cells for job in first}) == len(first)


@pytest.mark.usefixtures("cache")
def test_an_edited_file_is_checked_again(write_claim: Write) -> None:
    planned(write_claim())
    with pytest.raises(ClaimError, match="valu"):
        planned(write_claim(("measure: value", "measure: valu")))
    assert planned(write_claim(("far: {value: 5.0}", "far: {value: 6.0}"))).cells[1].params["value"] == 6.0


@pytest.mark.usefixtures("cache")
def test_a_runner_with_another_identity_is_asked_again(write_claim: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_claim()
    planned(path)
    monkeypatch.setattr(known_plans, "source_hash", lambda _: "edited")
    loaded = count_loading(monkeypatch)
    planned(path)
    assert loaded == [path]


@pytest.mark.usefixtures("cache")
def test_other_code_plans_again(write_claim: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_claim()
    planned(path)
    monkeypatch.setattr(known_plans, "code_digest", lambda *_: "edited")
    loaded = count_loading(monkeypatch)
    planned(path)
    assert loaded == [path]


@pytest.mark.usefixtures("cache")
def test_the_runner_of_another_package_is_always_asked(write_claim: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_plans, "comes_with_the_program", lambda _: False)
    path = write_claim()
    planned(path)
    loaded = count_loading(monkeypatch)
    planned(path)
    assert loaded == [path]


@pytest.mark.usefixtures("cache")
def test_an_arm_that_does_not_fit_in_memory_any_more_is_refused(
    write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_claim()
    planned(path)
    monkeypatch.setattr("dlnrepro.compute.limits.free_memory", lambda: 100.0)
    monkeypatch.setattr(known_plans, "free_memory", lambda: 100.0)
    with pytest.raises(UsageError, match="expected a setting that fits in memory"):
        planned(path)


def test_a_variation_that_is_refused_is_refused_every_time(write_claim: Write, cache: Path) -> None:
    path = write_claim()
    for _ in range(2):
        with pytest.raises(UsageError, match="valu"):
            planned(path, Variation(overrides={"valu": 3}))
    assert not list(cache.glob("plans-*"))


def test_the_last_plans_of_a_claim_are_kept(write_claim: Write, cache: Path) -> None:
    path = write_claim()
    for seeds in range(1, 12):
        planned(path, Variation(seeds))
    (kept,) = cache.glob("plans-*.json")
    rows = json.loads(kept.read_bytes())["entries"].values()
    assert [len(row["cells"][0]["seeds"]) for row in rows] == list(range(4, 12))


@pytest.mark.parametrize(
    "entry",
    [None, {}, {"cells": []}, {"cells": [{"arm": 1}]}, {"cells": 3, "formulas": {}, "meanings": {}}],
    ids=str,
)
def test_a_damaged_plan_is_not_used(write_claim: Write, cache: Path, entry: object) -> None:
    path = write_claim()
    first = planned(path)
    (kept,) = cache.glob("plans-*.json")
    stored = json.loads(kept.read_bytes())
    stored["entries"] = dict.fromkeys(stored["entries"], entry)
    kept.write_text(json.dumps(stored))
    assert planned(path).cells == first.cells


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_a_run_by_a_kept_plan_has_the_same_record(write_claim: Write, command: Command) -> None:
    path = write_claim()
    reports = [json.loads(command("run", path, "--json")[1])["claims"] for _ in range(3)]
    assert reports[0][0]["stamps"] == []
    assert reports[1] == reports[2]
    for key in ("outcomes", "params", "cells", "digests", "meanings", "formulas", "runner_hash", "claim_hash"):
        assert reports[0][0][key] == reports[1][0][key]


@pytest.mark.usefixtures("cache")
def test_a_valid_file_is_checked_once(write_claim: Write, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_claim()
    assert command("check", path)[0] == 0
    loaded = count_loading(monkeypatch)
    assert command("check", path) == (0, "1 claim file is valid\n", "")
    assert loaded == []


@pytest.mark.usefixtures("cache")
def test_an_invalid_file_has_its_error_in_every_check(write_claim: Write, command: Command) -> None:
    assert command("check", write_claim())[0] == 0
    path = write_claim(("measure: value", "measure: valu"))
    first = command("check", path)
    assert first[0] == 2
    assert "measure: expected" in first[2]
    assert command("check", path) == first


@pytest.mark.usefixtures("cache")
def test_a_file_that_a_setting_names_is_looked_for_in_every_check(
    write_claim: Write, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_claim()
    monkeypatch.setattr(known_plans, "inputs", lambda *_: ["a file"])
    command("check", path)
    loaded = count_loading(monkeypatch)
    command("check", path)
    assert loaded == [path]


def test_the_code_that_plans_is_all_that_planning_imports() -> None:
    needed = {label.removeprefix("dlnrepro/") for label in own_digests(["dlnrepro.compute.plan"])}
    assert {label for label in needed if not label.startswith(PLANNERS)} == set()
