"""Declared measures on made-up records: each reducer, window and comparison against numbers known in closed form."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.observed.evaluation import evaluate, longest_step, needed, series_of
from dlnrepro.dynamics.observed.measure import Measure, Window
from dlnrepro.dynamics.observed.records import Records
from dlnrepro.settings.formula import formula, record_formula, record_inequality

STEPS = torch.arange(11, dtype=torch.float64)
RATES = torch.tensor([0.5, 0.25, 1.0], dtype=torch.float64)


def records(**further: Tensor) -> Records:
    """Three runs with a loss exp(-rate t), a product whose entry (1, 2) alternates, and strengths."""
    loss = torch.exp(-RATES[:, None] * STEPS)
    product = torch.zeros(3, 11, 2, 2, dtype=torch.float64)
    product[:, :, 0, 1] = 3 + (-1.0) ** STEPS * RATES[:, None]
    product[:, :, 1, 1] = STEPS
    values = torch.stack([2 + loss, 1 - loss], dim=-1)
    return Records("step", {"step": STEPS, "loss": loss, "P": product, "s": values, **further})


CONSTANTS: dict[str, Any] = {"depth": 3, "strengths": (4.0, 2.0), "rate": RATES, "target": torch.ones(3, 2, 2).double()}


def numbers(measure: Measure, found: Records | None = None) -> list[float]:
    """The numbers of one measure on the records."""
    value = evaluate({"m": measure}, records() if found is None else found, CONSTANTS)["m"]
    assert value.shape == (3,)
    assert value.dtype == torch.float64
    return [float(number) for number in value]


def reduced(reducer: Any, text: str, **options: Any) -> list[float]:
    """The numbers of a formula with a reducer."""
    return numbers(Measure(reducer, (record_formula(text),), **options))


def where(text: str) -> Window:
    """The window in which an inequality holds."""
    return Window(where=record_inequality(text))


@pytest.mark.parametrize(
    ("reducer", "text", "expected"),
    [
        ("last", "step", [10, 10, 10]),
        ("first", "log(loss) + 1", [1, 1, 1]),
        ("largest", "P[1, 2]", [3.5, 3.25, 4]),
        ("smallest", "P[1, 2] / depth", [2.5 / 3, 2.75 / 3, 2 / 3]),
        ("mean", "P[2, 2]", [5, 5, 5]),
        ("median", "P[2, 2] ** 2", [25, 25, 25]),
        ("last", "P[1, 2] + P[1, 2](t - 1)", [6, 6, 6]),
        ("largest", "abs(P[1, 2] - P[1, 2](t - 1))", [1, 0.5, 2]),
        ("last", "P[-1, -1](t - 3) - step", [-3, -3, -3]),
        ("smallest", "step(t + 2)", [2, 2, 2]),
        ("last", "step(t) * step(first) + step(last)", [10, 10, 10]),
        ("last", "s[1] + s[2]", [3, 3, 3]),
        ("last", "sum(s) + len(s)", [5, 5, 5]),
        ("last", "max(s) - s[1]", [0, 0, 0]),
        ("first", "min(s)", [0, 0, 0]),
        ("first", "norm(P - target)", [math.sqrt((2 + r) ** 2 + 3) for r in (0.5, 0.25, 1.0)]),
        ("first", "max(norm(P[2]), strengths[2], rate)", [2, 2, 2]),
        ("last", "-log(loss) / (rate * step)", [1, 1, 1]),
        ("first", "mean(P - P) + sqrt(strengths[depth - 2])", [2, 2, 2]),
        ("last", "log10(100) + exp(0) + sin(0) + cos(0) + tanh(0)", [4, 4, 4]),
    ],
)
def test_a_formula_is_reduced_over_all_points(reducer: Any, text: str, expected: list[float]) -> None:
    assert reduced(reducer, text) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(points=3), [9, 9, 9]),
        (Window(points=-3), [1, 1, 1]),
        (Window(start=record_formula("depth"), end=record_formula("2 * depth - 1")), [4, 4, 4]),
        (where("3 <= step < 8"), [5, 5, 5]),
        (where("loss < 0.1"), [7.5, 10, 6.5]),
        (Window(where=record_inequality("loss < 0.1"), points=1), [10, 10, 10]),
    ],
)
def test_a_window_chooses_the_points(window: Window, expected: list[float]) -> None:
    assert reduced("mean", "step", window=window) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("reducer", "text", "window"),
    [
        ("last", "step", Window(points=12)),
        ("largest", "step", where("loss < 0")),
        ("last", "loss(t - 20)", Window()),
        ("mean", "log(-loss)", Window()),
        ("last", "1 / (step - step)", Window()),
    ],
)
def test_a_number_that_does_not_exist_is_nan(reducer: Any, text: str, window: Window) -> None:
    assert not any(map(math.isfinite, reduced(reducer, text, window=window)))


def test_a_run_that_diverges_keeps_its_nan_and_no_other_run_has_it() -> None:
    loss = records().values["loss"].clone()
    loss[1, 6:] = math.nan
    found = records(loss=loss)
    for reducer in ("last", "largest", "smallest", "mean", "median"):
        first, second, third = numbers(Measure(reducer, (record_formula("loss"),)), found)
        assert math.isnan(second)
        assert math.isfinite(first + third)
    early = Measure("last", (record_formula("step"),), window=where("loss > 0.3"))
    assert numbers(early, found) == [2, 4, 1]


def test_a_lag_is_a_distance_on_the_axis_and_not_a_number_of_records() -> None:
    thinned = Records("step", {name: value[..., ::2] if value.ndim < 3 else value for name, value in ITEMS})
    assert all(map(math.isnan, numbers(Measure("last", (record_formula("loss(t - 1)"),)), thinned)))
    assert numbers(Measure("last", (record_formula("step(t - 2)"),)), thinned) == [8, 8, 8]


ITEMS = [(name, value) for name, value in records().values.items() if name in ("step", "loss")]


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("loss < 0.5", {"interpolation": "none"}, [2, 3, 1]),
        ("loss < 0.5", {"interpolation": "log"}, [math.log(2) / rate for rate in (0.5, 0.25, 1.0)]),
        ("step >= 2.5", {}, [2.5, 2.5, 2.5]),
        ("2.5 <= step", {}, [2.5, 2.5, 2.5]),
        ("step > -1", {}, [0, 0, 0]),
        ("3 < step < 5", {"interpolation": "none"}, [4, 4, 4]),
        ("step > 2.5", {"window": where("step > 6")}, [7, 7, 7]),
        ("loss < 0.5", {"interpolation": "none", "clock": "loss"}, [math.exp(-1), math.exp(-0.75), math.exp(-1)]),
    ],
)
def test_the_first_time_of_an_event_lies_between_two_points(
    text: str, options: dict[str, Any], expected: list[float]
) -> None:
    measure = Measure("first_time", condition=record_inequality(text), **options)
    assert numbers(measure) == pytest.approx(expected, rel=1e-12)


def test_an_event_that_never_happens_has_no_time() -> None:
    times = numbers(Measure("first_time", condition=record_inequality("loss < 0.01")))
    assert [math.isnan(time) for time in times] == [False, True, False]


def test_a_slope_is_that_of_the_line_through_the_points_of_the_window() -> None:
    pair = (record_formula("log(loss)"), record_formula("step"))
    assert numbers(Measure("slope", pair)) == pytest.approx([-0.5, -0.25, -1], rel=1e-12)
    power = (record_formula("log(step ** 3)"), record_formula("log(step)"))
    assert numbers(Measure("slope", power, window=where("step > 0"))) == pytest.approx([3, 3, 3], rel=1e-12)
    few = Measure("slope", pair, window=where("loss > 0.3"), least_points=3)
    assert [math.isnan(value) for value in numbers(few)] == [False, False, True]
    level = (record_formula("loss"), record_formula("depth"))
    assert all(map(math.isnan, numbers(Measure("slope", level))))


@pytest.mark.parametrize("window", [Window(), where("step < 5"), where("step > 4")])
def test_the_limit_of_an_exponential_approach_is_exact(window: Window) -> None:
    limits = reduced("limit", "7 - 2 * loss", window=window)
    assert limits == pytest.approx([7, 7, 7], rel=1e-12)


def test_the_limit_of_an_exponential_approach_is_exact_on_uneven_times() -> None:
    times = torch.tensor([0.0, 0.1, 0.4, 1.5, 2.0, 7.0], dtype=torch.float64)
    found = Records("time", {"time": times, "x": 3 + torch.exp(-RATES[:, None] * times)})
    assert numbers(Measure("limit", (record_formula("x"),)), found) == pytest.approx([3, 3, 3], rel=1e-12)


def test_a_limit_that_is_reached_is_the_last_value() -> None:
    found = records(x=torch.where(STEPS < 3, STEPS, 4.0).expand(3, -1))
    assert numbers(Measure("limit", (record_formula("x"),)), found) == [4, 4, 4]


def test_a_quantity_that_is_not_approached_exponentially_has_no_such_limit() -> None:
    assert all(map(math.isnan, reduced("limit", "step")))
    assert all(map(math.isnan, reduced("limit", "1 / loss")))
    assert all(map(math.isnan, reduced("limit", "loss", window=Window(points=2))))


def test_the_limit_of_an_approach_like_one_over_time_is_exact() -> None:
    options: dict[str, Any] = {"approach": "one over time", "window": where("step > 0")}
    assert reduced("limit", "5 - 3 / step", **options) == pytest.approx([5, 5, 5], rel=1e-12)
    assert all(map(math.isnan, reduced("limit", "5 - step", approach="one over time")))


@pytest.mark.parametrize(
    ("comparison", "reference", "expected"),
    [
        ("ratio", "2 * depth", [10 / 6] * 3),
        ("difference", "strengths[1] + rate", [5.5, 5.75, 5]),
        ("relative error", "strengths[1]", [1.5] * 3),
        ("relative error", "-strengths[1]", [3.5] * 3),
        ("ratio", "P[2, 2] + 10", [0.5] * 3),
        ("ratio", "depth - 3", [math.nan] * 3),
    ],
)
def test_a_number_is_compared_with_a_formula(comparison: Any, reference: str, expected: list[float]) -> None:
    options = {"reference": record_formula(reference), "comparison": comparison}
    assert reduced("last", "step", **options) == pytest.approx(expected, rel=1e-14, nan_ok=True)


def test_a_reference_of_records_is_reduced_in_the_same_window() -> None:
    measure = Measure(
        "largest", (record_formula("step"),), window=where("step < 5"), reference=record_formula("P[2, 2] + 1")
    )
    assert numbers(measure) == pytest.approx([0.8] * 3)


def test_a_measure_may_be_a_formula_of_other_measures_in_any_order() -> None:
    event = Measure("first_time", condition=record_inequality("loss < 0.5"), interpolation="log")
    measures = {
        "product": Measure("value", (record_formula("half * rate / log(2)"),)),
        "half": event,
        "twice": Measure("last", (record_formula("step"),), reference=record_formula("half")),
    }
    found = evaluate(measures, records(), CONSTANTS)
    assert list(found) == ["product", "half", "twice"]
    assert found["product"].tolist() == pytest.approx([1, 1, 1], rel=1e-12)
    assert found["twice"].tolist() == pytest.approx([10 / value for value in found["half"].tolist()], rel=1e-12)
    assert needed(measures) == {"rate", "loss", "step"}


def test_the_numbers_of_a_run_are_bitwise_identical_alone_and_in_a_batch() -> None:
    measures = {
        "slope": Measure("slope", (record_formula("log(loss) * s[1] ** 0.3"), record_formula("step ** 1.5"))),
        "norm": Measure("mean", (record_formula("norm(P) ** 0.7 / exp(rate)"),)),
    }
    together = evaluate(measures, records(), CONSTANTS)
    for run in range(3):
        one = {name: value if value.ndim == 1 else value[run : run + 1] for name, value in records().values.items()}
        fixed = {k: v[run : run + 1] if isinstance(v, Tensor) else v for k, v in CONSTANTS.items()}
        alone = evaluate(measures, Records("step", one), fixed)
        assert all(alone[name][0] == together[name][run] for name in measures)


def test_series_are_formulas_at_all_points_and_nan_where_a_lag_leaves_the_records() -> None:
    found = series_of({"sum": record_formula("step + step(t - 1)")}, records(), CONSTANTS)["sum"]
    assert found.shape == (3, 11)
    assert torch.isnan(found[:, 0]).all()
    assert found[0, 1:].tolist() == [2 * step - 1 for step in range(1, 11)]


def test_a_name_that_was_not_recorded_is_an_error_and_so_is_a_shape_that_does_not_fit() -> None:
    with pytest.raises(KeyError, match="'lost' was neither recorded nor given as a constant"):
        reduced("last", "lost")
    with pytest.raises(ValueError, match=r"'s': expected a number at each point, found a list of 2"):
        reduced("last", "s")
    with pytest.raises(
        ValueError, match=r"'norm\(s - P\)': expected lists or matrices of one shape, found a list of 2"
    ):
        reduced("last", "norm(s - P)")
    with pytest.raises(ValueError, match="'s\\[3\\]': expected an index from 1 to 2, or from -2 to -1, in '3'"):
        reduced("last", "s[3]")


@pytest.mark.parametrize(
    ("text", "steps"), [("loss", 0), ("loss(t - 2) + P[1, 1](t + 3)", 3), ("loss(first) + log(loss(t - 1))", 1)]
)
def test_the_longest_step_is_known_before_the_run(text: str, steps: int) -> None:
    assert longest_step({"m": Measure("last", (record_formula(text),))}) == steps
    assert longest_step({}, {"x": record_formula(text)}) == steps


def test_a_name_of_two_meanings_is_the_constant_in_a_single_number_and_the_quantity_at_points() -> None:
    points = torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0]], dtype=torch.float64)
    records = Records("time", {"time": points, "x": 10 * points})
    measures = {
        "setting": Measure("value", (record_formula("time"),)),
        "recorded": Measure("first", (record_formula("time"),)),
        "from": Measure("first", (record_formula("x"),), window=Window(start=formula("time / 2"))),
        "to": Measure("last", (record_formula("x"),), window=Window(end=formula("time / 4"))),
        "where": Measure("last", (record_formula("x"),), window=Window(where=record_inequality("time < 1.5"))),
        "share": Measure("first_time", condition=record_inequality("x >= 20"), reference=record_formula("time")),
        "slope": Measure("slope", (record_formula("x"), record_formula("time")), reference=record_formula("time")),
        "moved": Measure("mean", (record_formula("x"),), reference=record_formula("time(t)")),
    }
    found = evaluate(measures, records, {"time": 4.0})
    assert {name: float(value[0]) for name, value in found.items()} == {
        "setting": 4.0,
        "recorded": 0.0,
        "from": 20.0,
        "to": 10.0,
        "where": 10.0,
        "share": 0.5,
        "slope": 2.5,
        "moved": 10.0,
    }
    series = series_of({"row": record_formula("time")}, records, {"time": 4.0})
    assert series["row"].tolist() == points.tolist()
