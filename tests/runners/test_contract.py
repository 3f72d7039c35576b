"""The promises of every runner, tested for each of its cases: names, shapes, identical runs in any batch, stopping."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from dlnrepro.errors import BudgetSpent
from dlnrepro.registry.names import load_runner, runner_names
from dlnrepro.runner import Progress, Result, silent
from dlnrepro.settings.base import WORKSPACE
from tests.runners.cases import Case, cases, contradictions
from tests.runners.rounding import rounding_by_place, single_precision
from tests.runners.running import seeded

pytestmark = pytest.mark.slow

every_case = pytest.mark.parametrize("case", cases(), ids=str)


# The seeds of runs: one of them alone, last of a few, and first of so many that vectors, which take up to 16 numbers at
# once and leave the rest to another routine, reach all but the last; in the few they reach none.
ALONE, FEW, MANY = (2,), (0, 1, 3, 4, 2), (2, *range(3, 17), 0, 1)

MOST_POINTS = 210


def test_every_runner_has_cases() -> None:
    assert {case.runner for case in cases()} == {*runner_names()}


@every_case
def test_every_measure_and_series_is_returned_with_its_shape(case: Case) -> None:
    known, result = case.declared(), _outcome(case, FEW).result

    assert set(result.measures) == set(known.measures or {})
    assert set(result.series) == set(known.series or {})
    assert all(value.shape == (len(FEW),) and value.dtype == torch.float64 for value in result.measures.values())
    assert all(value.dim() == 2 and value.dtype == torch.float64 for value in result.series.values())
    shapes: dict[str, set[torch.Size]] = {}
    for name, series in (known.series or {}).items():
        shapes.setdefault(series.axis, set()).add(result.series[name].shape)
    for axis, (shape, *others) in shapes.items():
        assert not others, f"series of axis {axis} do not pair up"
        assert shape[0] == len(FEW)
        assert 1 <= shape[1] <= MOST_POINTS
        assert shape[1] == case.points.get(axis, shape[1])
    assert case.points.keys() <= shapes.keys()


@pytest.mark.parametrize("runner", runner_names())
def test_every_measure_and_series_is_a_number_in_some_case(runner: str) -> None:
    numbers: dict[str, set[str]] = {}
    every: dict[str, set[str]] = {}
    for case in (case for case in cases() if case.runner == runner):
        result = _outcome(case, FEW).result
        values = {**result.measures, **result.series}
        numbers[case.name] = {name for name, value in values.items() if bool(value.isfinite().all())}
        every[case.name] = {*(case.declared().measures or {}), *(case.declared().series or {})}

    assert set().union(*every.values()).difference(*numbers.values()) == set()
    # A case whose runs are lost has the same bits everywhere, and tells nothing by that.
    assert [case for case, finite in numbers.items() if len(finite) <= len(every[case]) / 2] == []


@every_case
def test_a_run_is_bitwise_identical_alone_and_anywhere_in_a_batch(case: Case) -> None:
    alone, few, many = (_outcome(case, seeds).result for seeds in (ALONE, FEW, MANY))

    _assert_same_bits(alone, _rows(few, _places(ALONE, FEW)))
    _assert_same_bits(few, _rows(many, _places(FEW, MANY)))


@every_case
def test_a_run_uses_up_its_generator_alone_as_in_a_batch(case: Case) -> None:
    alone, few, many = (_outcome(case, seeds).states for seeds in (ALONE, FEW, MANY))

    assert torch.equal(alone, few[_places(ALONE, FEW)])
    assert torch.equal(few, many[_places(FEW, MANY)])


@every_case
def test_a_second_computation_is_bitwise_identical_and_draws_from_nowhere_else(case: Case) -> None:
    before = torch.get_rng_state()
    first, second = _outcome(case, ALONE).result, _run(case, ALONE, silent).result

    _assert_same_bits(first, second)
    assert torch.equal(torch.get_rng_state(), before)


@every_case
def test_no_number_is_rounded_to_single_precision(case: Case) -> None:
    assert _outcome(case, FEW).rounded == []


@every_case
def test_the_memory_estimate_grows_with_the_runs_and_covers_the_result(case: Case) -> None:
    one, few, many = (case.params().memory(runs) for runs in (1, len(FEW), 100))
    result = _outcome(case, FEW).result

    assert 0 < one < few < many
    assert few >= WORKSPACE + sum(value.nbytes for value in (*result.measures.values(), *result.series.values()))


@every_case
def test_progress_goes_from_0_towards_1(case: Case) -> None:
    for seeds in (ALONE, FEW):
        told = _outcome(case, seeds).told

        assert told
        assert told == sorted(told)
        assert 0 <= told[0] <= told[-1] <= 1


@every_case
def test_a_spent_budget_stops_a_run_at_once(case: Case) -> None:
    every = len(_outcome(case, ALONE).told)

    for last in {1, (every + 1) // 2, every}:
        notes: list[str] = []

        def stop(_: float, note: str, notes: list[str] = notes, last: int = last) -> None:
            notes.append(note)
            if len(notes) >= last:
                raise BudgetSpent

        with pytest.raises(BudgetSpent):
            _run(case, ALONE, stop)
        assert len(notes) == last
        assert all(notes)


class _Outcome(NamedTuple):
    """What runs gave, how they left their generators, the reported fractions, and what rounded numbers."""

    result: Result
    states: Tensor
    told: list[float]
    rounded: list[str]


@cache
def _outcome(case: Case, seeds: Sequence[int]) -> _Outcome:
    """The outcome of one run per seed, kept for all tests."""
    return _run(case, seeds, silent)


def _run(case: Case, seeds: Sequence[int], progress: Progress) -> _Outcome:
    """The outcome of one run per seed, in the mode in which the engine runs them, but for the last bits."""
    given, told = seeded(seeds), []

    def telling(fraction: float, note: str) -> None:
        told.append(fraction)
        progress(fraction, note)

    with torch.inference_mode(), rounding_by_place(), single_precision() as rounded:
        result = load_runner(case.runner).run(case.params(), given, telling)
    return _Outcome(result, torch.stack([generator.get_state() for generator in given]), told, rounded)


def _places(seeds: Sequence[int], batch: Sequence[int]) -> list[int]:
    """Where the runs of these seeds lie in a batch."""
    return [batch.index(seed) for seed in seeds]


def _rows(result: Result, places: list[int]) -> Result:
    """The result of the runs at these places alone."""
    measures, series = (
        {name: value[places] for name, value in values.items()} for values in (result.measures, result.series)
    )
    return Result(measures, series)


def _assert_same_bits(first: Result, second: Result) -> None:
    """That two results hold the same numbers, NaN equal to NaN."""
    for values, others in ((first.measures, second.measures), (first.series, second.series)):
        assert values.keys() == others.keys()
        for name, value in values.items():
            assert torch.equal(_bits(value), _bits(others[name])), name


def _bits(values: Tensor) -> Tensor:
    """The bits of numbers as integers, with one kind of NaN."""
    return torch.where(values.isnan(), torch.nan, values).view(torch.int64)


@pytest.mark.parametrize(("case", "lines"), contradictions(), ids=str)
def test_settings_that_contradict_one_another_are_refused_at_their_keys(case: Case, lines: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        case.params()
    found = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in refused.value.errors()]
    assert found == lines
