"""Cells cut into parts: every run in one part, in order, and the joined whole is bitwise identical."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.arithmetic import environment
from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.engine import run_cell
from dlnrepro.compute.parts import LEAST_RUNS, cut, join
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.runner import silent
from dlnrepro.verdict.outcome import Outcome


def cell(runs: int) -> Cell:
    """A cell with this many runs."""
    return Cell("claim", "arm", "toy", {}, tuple(range(100, 100 + runs)))


def numbers(seeds: tuple[int, ...], fault: str | None = None, spent: bool = False) -> Numbers:
    """The numbers of a part, each measure its seed."""
    values = {} if fault or spent else {"value": [float(seed) for seed in seeds]}
    rows = {} if fault or spent else {"curve": np.array(seeds, dtype=float)[:, None] * np.ones(3)}
    return Numbers(Outcome(seeds, values, fault, spent, 1.5), rows)


@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 64))
def test_every_run_is_in_one_part_in_order(runs: int, cells: int, workers: int) -> None:
    parts = cut(cell(runs), cells, workers)
    assert sum((part.seeds for part in parts), ()) == cell(runs).seeds
    assert min(len(part.seeds) for part in parts) >= min(runs, LEAST_RUNS)


@pytest.mark.parametrize(
    ("runs", "cells", "workers", "sizes"),
    [
        (16, 1, 1, [16]),
        (16, 20, 2, [16]),
        (16, 4, 2, [16]),
        (16, 2, 2, [8, 8]),
        (16, 1, 2, [4, 4, 4, 4]),
        (16, 9, 8, [8, 8]),
        (16, 1, 64, [4, 4, 4, 4]),
        (3, 1, 8, [3]),
        (1000, 1, 2, [250, 250, 250, 250]),
    ],
)
def test_there_are_about_two_parts_for_each_worker(runs: int, cells: int, workers: int, sizes: list[int]) -> None:
    assert [len(part.seeds) for part in cut(cell(runs), cells, workers)] == sizes


def test_joined_parts_are_the_whole() -> None:
    whole = cell(9)
    joined = join(whole, [numbers(part.seeds) for part in cut(whole, 1, 4)])
    assert joined.outcome == Outcome(whole.seeds, {"value": [float(seed) for seed in whole.seeds]}, seconds=3.0)
    assert np.array_equal(joined.series["curve"][:, 0], whole.seeds)


def test_a_failed_part_makes_the_whole_fail_and_a_stopped_one_makes_it_spent() -> None:
    whole = cell(12)
    first, second, third = (part.seeds for part in cut(whole, 1, 4))
    failed = join(whole, [numbers(first), numbers(second, fault="broke"), numbers(third, spent=True)])
    stopped = join(whole, [numbers(first), numbers(second), numbers(third, spent=True)])
    assert (failed.outcome.fault, failed.outcome.spent, failed.outcome.measures) == ("broke", False, {})
    assert (stopped.outcome.fault, stopped.outcome.spent, stopped.outcome.measures) == (None, True, {})


def test_parts_of_different_environments_are_not_joined() -> None:
    whole = cell(8)
    here = environment("cpu")
    first, second = (
        replace(numbers(part.seeds), computed_on=found)
        for part, found in zip(cut(whole, 1, 4), (here, replace(here, processor="another")), strict=True)
    )
    assert join(whole, [first, replace(second, computed_on=here)]).computed_on == here
    joined = join(whole, [first, second])
    assert joined.outcome.fault == (
        "expected all runs of an arm to be computed on one processor, with the same libraries"
    )
    assert joined.computed_on is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["winner-takes-all", "one-neuron-not-lazy", "pathway-sharpness"])
def test_a_real_arm_in_parts_has_the_bits_of_the_whole(name: str) -> None:
    whole = plan(load_claim(packaged_folder() / f"{name}.yaml"), Variation(seeds=8, quick=True))[0]
    together = run_cell(whole, silent, lambda: 300.0)
    apart = join(whole, [run_cell(part, silent, lambda: 300.0) for part in cut(whole, 1, 2)])
    np.testing.assert_equal(dict(together.outcome.measures), dict(apart.outcome.measures))  # where NaN equals NaN
    assert all(np.array_equal(together.series[key], apart.series[key], equal_nan=True) for key in together.series)


def test_parts_whose_runs_have_other_measures_are_not_joined() -> None:
    second = numbers((104, 105))
    other = replace(second, outcome=replace(second.outcome, measures={"valeu": [1.0, 2.0]}))

    joined = join(cell(6), [numbers((100, 101, 102, 103)), other])

    assert joined.outcome.measures == {}
    assert joined.outcome.fault == (
        "expected the same measures and series in every run, found valeu, value only in some runs"
    )
