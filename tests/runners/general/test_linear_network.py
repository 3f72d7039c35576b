"""The runner of any linear network: its cases, refusals, and numbers that theory or another program gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from dlnrepro.claimfile.parameters import parameter_faults
from dlnrepro.dynamics.compiled.library import COMPILER, kernels
from dlnrepro.dynamics.training.compiled_descent import CompiledDescent
from dlnrepro.errors import Disagreement
from dlnrepro.runners.general import linear_network as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "depth": 3,
    "width": 4,
    "outputs": 3,
    "strengths": [2.0, 1.0],
    "jitter": 0.1,
    "start": "gaussian",
    "scale": 0.5,
    "step_size": 0.05,
    "steps": 40,
    "points": 10,
    "measures": {
        "end_loss": {"says": "the loss at the end", "last": "loss"},
        "steepness": {"says": "slope of the log of the loss", "slope": ["log(loss)", "time"]},
        "balance": {"says": "largest imbalance", "largest": "imbalance"},
        "first_entry": {"says": "an entry of the product", "last": "product[1, 1]"},
        "spread": {"says": "ratio of singular values", "last": "singular_values[1] / singular_values[2]"},
        "layers": {"says": "norms of layers", "mean": "sum(layer_norms)"},
    },
    "series": {"time_axis": "time", "loss_path": "loss"},
}
SHORT: dict[str, Any] = {}
POINTS = {"step": 10}

OF_PATHS = {
    "loss_end": {"says": "the loss at the end", "last": "loss"},
    "share": {"says": "largest share of mode 1", "last": "largest_shares[1]"},
    "flatness": {"says": "largest eigenvalue of J J^T", "last": "gauss_newton_sharpness"},
}
OF_HESSIAN = {"sharp": {"says": "largest eigenvalue of the Hessian", "last": "sharpness"}}
OF_LOSS = {
    "level": {"says": "log of the inverse loss", "last": "log_inverse_loss"},
    "size": {"says": "norm of the gradient", "last": "gradient_norm"},
}
OF_MARGIN = {**OF_LOSS, "turn": {"says": "angle to the maximum margin", "last": "direction_gap"}}
CLASSES = {
    "widths": [2, 3, 1],
    "depth": None,
    "width": None,
    "outputs": None,
    "strengths": None,
    "jitter": 0.0,
    "data": "separable",
    "samples": 12,
    "gap": 0.2,
    "loss": "logistic",
    "scale": 1.0,
    "measures": OF_MARGIN,
}
POINTS_OF_CLASSES = {
    "outputs": 3,
    "strengths": None,
    "jitter": 0.0,
    "data": "sphere",
    "samples": 8,
    "loss": "cross-entropy",
    "measures": {**OF_LOSS, "right": {"says": "accuracy", "last": "accuracy"}},
}
FILE = str(Path(__file__).parent / "two_classes.csv")
OF_FILE: dict[str, Any] = {
    "inputs": 3,
    "outputs": 1,
    "strengths": None,
    "jitter": 0.0,
    "data": "file",
    "file": FILE,
}

POPULATION: dict[str, Any] = {
    "outputs": 1,
    "strengths": None,
    "jitter": 0.0,
    "data": "population",
    "loss": "logistic",
    "input_law": "sphere",
}

CASES: dict[str, dict[str, Any]] = {
    "descent": {},
    "every-step-in-stages": {"record": "every", "step_size": [0.05, 0.01], "steps": [20, 9], "kick": [1e-3, 0.0]},
    "last-steps-by-schedule": {"record": "last", "schedule": "cosine", "start": "plain"},
    "paths": {"paths": 2, "path_scales": [1.0, 0.5], "measures": OF_PATHS, "basis": "frames"},
    "unequal-paths": {
        "depth": None,
        "path_depths": [2, 3],
        "measures": OF_HESSIAN,
        "steps": 3,
        "points": 2,
        "width": 3,
    },
    "shared-with-skip": {
        "outputs": 4,
        "layers": "shared",
        "skip": True,
        "scale": 0.1,
        "start": "uniform",
        "measures": OF_LOSS,
    },
    "diagonal": {"outputs": 4, "layers": "diagonal", "basis": "diagonal", "start": "identity", "measures": OF_LOSS},
    "flow": {"method": "flow", "time": 1.0, "step_size": None, "steps": None, "record": "log", "input_spread": 3.0},
    "flow-of-paths": {
        "method": "flow",
        "time": 1.0,
        "step_size": None,
        "steps": None,
        "depth": None,
        "path_depths": [1, 3],
        "measures": {"loss_end": {"says": "the loss at the end", "last": "loss"}},
    },
    "flow-of-residual-layers": {
        "method": "flow",
        "time": 1.0,
        "step_size": None,
        "steps": None,
        "outputs": 4,
        "skip": True,
        "scale": 0.1,
        "rates": [1.0, 2.0, 1.0],
    },
    "heavy-ball": {"method": "heavy-ball", "momentum": 0.5, "start": "balanced", "scale": [0.1, 0.5]},
    "nesterov": {"method": "nesterov", "start": "aligned", "variances": [2.0, 0.5]},
    "adam": {"method": "adam", "objective": "log-loss", "weight_decay": [0.1, 0.0, 0.1]},
    "sign": {"method": "sign", "step_size": 0.01, "start": "orthogonal"},
    "muon": {"method": "muon", "step_size": 0.02},
    "sam": {"method": "sam", "rates": [2.0, 1.0, 1.0]},
    "normalised": {"method": "normalised", "step_size": 0.02, "start": "balanced-gaussian"},
    "lambda-balanced": {"depth": 2, "start": "lambda-balanced", "offset": 0.5, "widths": None, "bottleneck": 3},
    "one-neuron": {
        "bottleneck": 1,
        "start": "one-neuron",
        "overlap": [0.2, 2.0],
        "measures": {**OF_LOSS, **OF_HESSIAN},
    },
    "minibatches": {"data": "teacher", "samples": 12, "batch": 4},
    "noisy-labels": {"label_noise": 0.1},
    "gaussian-data": {"data": "gaussian", "samples": 10, "strengths": None, "jitter": 0.0},
    "two-classes": CLASSES,
    "margin-flow": {
        **CLASSES,
        "method": "margin-flow",
        "horizon": 50.0,
        "tolerance": [1e-7, 1e-12],
        "steps": None,
        "step_size": None,
        "below_zero_risk": True,
        "series": {"level_path": "log_inverse_loss"},
    },
    "classes-in-minibatches": {**POINTS_OF_CLASSES, "batch": 4},
    "file": OF_FILE | {"measures": OF_LOSS, "batch": 5},
    "classes-of-a-file": OF_FILE | {"loss": "logistic", "measures": OF_MARGIN},
    "population": {
        **POPULATION,
        "measures": {**OF_LOSS, "cosine": {"says": "cosine of the angle to the teacher", "last": "overlap"}},
    },
    "population-squared": {
        **POPULATION,
        "loss": "squared",
        "input_law": "gaussian",
        "measures": {**OF_LOSS, **OF_HESSIAN},
    },
    "flow-of-a-population": {
        **POPULATION,
        "method": "flow",
        "time": 2.0,
        "step_size": None,
        "steps": None,
        "depth": None,
        "path_depths": [2, 3],
        "measures": OF_LOSS,
    },
    "circle": {
        **POINTS_OF_CLASSES,
        "inputs": 12,
        "data": "circle",
        "fresh": 6,
        "measures": {**OF_LOSS, "test": {"says": "accuracy on fresh inputs", "last": "fresh_accuracy"}},
    },
}
CONTRADICTIONS = [
    (
        {"widths": [4, 4, 3]},
        [
            "depth: expected no such key next to `widths`, found 3",
            "width: expected no such key next to `widths`, found 4",
            "outputs: expected no such key next to `widths`, found 3",
        ],
    ),
    ({"width": None}, ["width: expected the width of the layers, or all `widths`, found nothing"]),
    ({"depth": None}, ["depth: expected the number of layers, or all `widths`, found nothing"]),
    (
        {"method": "flow"},
        [
            "step_size: expected no such key, which is only for methods with steps, found 0.05",
            "steps: expected no such key, which is only for methods with steps, found 40",
            "time: expected the time t at the end of the flow, found nothing",
        ],
    ),
    (
        {"method": "flow", "momentum": 0.5, "time": 1.0, "step_size": None, "steps": None, "paths": 2},
        [
            "momentum: expected no such key, which is only for `method: heavy-ball` or `method: nesterov` or"
            " `method: muon`, found 0.5",
        ],
    ),
    (
        {**CLASSES, "method": "margin-flow", "horizon": 50.0, "step_size": None, "steps": None, "paths": 2},
        [
            "method: expected another method, unless there is one path of dense layers without skip, found"
            " 'margin-flow'",
        ],
    ),
    ({"layers": "diagonal"}, ["width: expected equal widths for `layers: diagonal`, found 4"]),
    (
        {"strengths": None},
        [
            "strengths: expected the strengths of the target, or its matrix as `target`, found nothing",
            "jitter: expected no such key without `strengths`, found 0.1",
        ],
    ),
    (
        {"strengths": [3.0, 2.0, 1.0, 0.5]},
        ["strengths: expected at most 3 values, as many as inputs and outputs, found 4 values"],
    ),
    (
        {"data": "sphere", "samples": 8},
        [
            "strengths: expected no such key for this data, which has no target, found [2, 1]",
            "loss: expected cross-entropy for `data: sphere`, found 'squared'",
        ],
    ),
    (
        {**POPULATION, "outputs": 2, "loss": "exponential", "samples": 5, "input_law": None, "measures": OF_LOSS},
        [
            "samples: expected no such key, which is only for drawn samples, such as `data: teacher`, found 5",
            "loss: expected squared or logistic for `data: population`, found 'exponential'",
            "input_law: expected sphere or gaussian, the law of the inputs of `data: population`, found nothing",
            "outputs: expected one output for `data: population`, found 2 outputs",
        ],
    ),
    (
        {"input_law": "sphere"},
        ["input_law: expected no such key, which is only for `data: population`, found 'sphere'"],
    ),
    ({"loss": "logistic"}, ["loss: expected squared for `data: moments`, found 'logistic'"]),
    (
        {"steps": [10, 10], "step_size": [0.1, 0.2, 0.3]},
        [
            "steps: expected one number of steps, one step size and one kick for each stage, found lists of 2 and 3"
            " numbers"
        ],
    ),
    (
        {"data": "file", "strengths": None, "jitter": 0.0},
        ["file: expected the path of a file for `data: file`, found 'none'"],
    ),
    ({"file": "a.csv"}, ["file: expected no file, unless `data: file`, found 'a.csv'"]),
    ({"batch": 4}, ["batch: expected no such key without samples, found 4"]),
    ({"rates": [1.0, 2.0]}, ["rates: expected one number for each layer of a path, found 2 numbers"]),
]

TWO_CYCLE: dict[str, Any] = {
    "depth": 2,
    "width": 4,
    "strengths": [1.0, 0.7],
    "basis": "diagonal",
    "start": "gaussian",
    "scale": 0.02,
    "step_size": 1.1,
    "steps": 3000,
    "record": "last",
    "points": 21,
    "measures": {
        "sum_of_two": {"says": "sum of two neighbours", "last": "product[1, 1] + product[1, 1](t - 1)"},
        "product_of_two": {"says": "product of two neighbours", "last": "product[1, 1] * product[1, 1](t - 1)"},
        "spread": {"says": "spread of the sums", "largest": "abs(product[1, 1] - product[1, 1](t - 2))"},
    },
}

_run = partial(run_seeds, runner, SETUP)


def test_descent_settles_on_the_two_cycle_of_theory_below_its_step_size_and_not_above() -> None:
    below = run_seeds(runner, TWO_CYCLE, range(4)).measures
    above = run_seeds(runner, TWO_CYCLE, range(4), step_size=1.22).measures

    torch.testing.assert_close(below["sum_of_two"], torch.full((4,), 1 + 1 / 1.1, dtype=torch.float64))
    torch.testing.assert_close(below["product_of_two"], torch.full((4,), 1 / 1.1**2, dtype=torch.float64))
    assert float(below["spread"].max()) < 1e-12
    assert float(above["spread"].min()) > 1e-3


def test_a_target_as_a_matrix_is_the_target_by_its_strengths_in_the_diagonal_basis() -> None:
    rows = [[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]

    by_matrix = _run([0, 1], strengths=None, target=rows, jitter=0.0)
    by_strengths = _run([0, 1], basis="diagonal", jitter=0.0)

    torch.testing.assert_close(by_matrix.measures, by_strengths.measures)


def test_stages_of_one_step_size_are_one_descent() -> None:
    whole, parts = _run([0, 1]).measures, _run([0, 1], steps=[10, 30]).measures

    torch.testing.assert_close(parts["end_loss"], whole["end_loss"], rtol=0, atol=0)


def test_paths_by_their_equal_depths_are_the_same_as_by_their_number() -> None:
    measures = {**OF_PATHS, "count": {"says": "number of paths", "value": "paths"}}
    by_number = _run([0, 1], paths=2, measures=measures).measures

    assert by_number["count"].tolist() == [2, 2]
    torch.testing.assert_close(_run([0, 1], depth=None, path_depths=[3, 3], measures=measures).measures, by_number)


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"paths": 2, "path_scales": [1.0, 0.5]},
        {"depth": None, "path_depths": [2, 3]},
        {"outputs": 4, "skip": True, "scale": 0.1},
        {"outputs": 4, "layers": "shared"},
        {"outputs": 4, "layers": "diagonal", "start": "identity"},
    ],
    ids=["chain", "paths", "unequal-paths", "skip", "shared", "diagonal"],
)
def test_flow_is_the_limit_of_descent_and_both_record_the_time(network: dict[str, Any]) -> None:
    given = {**network, "measures": {"end_loss": {"says": "the loss at the end", "last": "loss"}}}
    flow = _run([0, 1], **given, method="flow", time=2.0, step_size=None, steps=None)
    ends = [_run([0, 1], **given, step_size=2.0 / steps, steps=steps).measures["end_loss"] for steps in (200, 400)]
    errors = [end - flow.measures["end_loss"] for end in ends]

    torch.testing.assert_close(flow.series["time_axis"][:, -1], torch.full((2,), 2.0, dtype=torch.float64))
    torch.testing.assert_close(errors[0] / errors[1], torch.full((2,), 2.0, dtype=torch.float64), rtol=0.05, atol=0)


def test_every_step_is_thinned_in_a_series_and_not_in_a_measure() -> None:
    measures = {"stride": {"says": "largest distance of two records", "largest": "step - step(t - 1)"}}

    result = _run([0], record="every", steps=500, measures=measures)

    assert result.measures["stride"].tolist() == [1]
    assert result.series["loss_path"].shape == (1, 200)


def test_a_formula_of_neighbouring_steps_has_them_on_a_thinned_grid_too() -> None:
    measures = {"change": {"says": "last change of the loss", "last": "loss - loss(t - 1)"}}

    thinned, every = (_run([0, 1], steps=500, record=record, measures=measures) for record in ("log", "every"))

    assert torch.equal(thinned.measures["change"], every.measures["change"])


def test_a_drawn_scale_differs_between_runs_and_a_fixed_one_does_not() -> None:
    def norms(**changes: Any) -> Any:
        measures = {"size": {"says": "norm at the start", "first": "weight_norm"}}
        return _run(range(4), start="identity", layers="diagonal", outputs=4, measures=measures, **changes).measures

    assert len(set(norms(scale=[0.1, 1.0])["size"].tolist())) == 4
    assert len(set(norms(scale=0.5)["size"].tolist())) == 1


def test_a_scale_of_one_number_is_a_number_in_formulas_and_a_range_is_a_list() -> None:
    def value(formula: str, scale: Any) -> float:
        measures = {"level": {"says": "a level", "value": formula}}
        return float(_run(range(1), scale=scale, measures=measures).measures["level"][0])

    assert value("10 * scale", 0.5) == 5
    assert value("10 * scale[2]", [0.1, 0.5]) == 5


def test_diagonal_layers_stay_diagonal_and_shared_ones_stay_the_same() -> None:
    entries = {"off": {"says": "an entry off the diagonal", "largest": "abs(W2[1, 2])"}}
    same = {"apart": {"says": "distance of two layers", "largest": "norm(W1 - W2)"}}

    diagonal = _run([0, 1], outputs=4, layers="diagonal", measures=entries).measures
    shared = _run([0, 1], outputs=4, layers="shared", measures=same).measures

    assert diagonal["off"].tolist() == [0, 0]
    assert shared["apart"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": 2}, "two_classes.csv: expected 2 inputs, as the network has, found 3"),
        ({"outputs": 2}, "two_classes.csv: expected 2 outputs, as the network has, found 1"),
        ({"loss": "cross-entropy"}, "two_classes.csv: expected one label from 0 to 0 for each sample"),
        (
            {"loss": "logistic", "outputs": 2, "measures": OF_LOSS},
            "two_classes.csv: expected labels -1 and 1, and a network with one output",
        ),
    ],
)
def test_a_file_that_does_not_fit_the_network_is_refused_by_its_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _run([0], **{**OF_FILE, "measures": OF_LOSS, **changes})


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], step_size=5.0, steps=200).measures

    assert bool(torch.isnan(measures["end_loss"]).all())


@pytest.mark.skipif(not kernels(), reason="there is no C compiler")
@pytest.mark.parametrize("method", ["descent", "heavy-ball"])
def test_a_kernel_that_moves_the_weights_along_another_gradient_is_an_error(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = CompiledDescent.advance

    def wrong(descent: CompiledDescent, sizes: Sequence[float]) -> None:
        right(descent, [size * (1 + 1e-6) for size in sizes])

    monkeypatch.setattr(CompiledDescent, "advance", wrong)

    with pytest.raises(Disagreement, match="the gradient at record 1 of 10: expected a relative difference"):
        _run([0], method=method)


@pytest.mark.skipif(not kernels(), reason="there is no C compiler")
def test_the_numbers_are_the_same_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"paths": 2, "method": "heavy-ball", "steps": [20, 20], "kick": [0.0, 1e-3], "measures": OF_PATHS}
    compiled = _run([0, 1], **changes).measures

    monkeypatch.setenv(COMPILER, "none")

    torch.testing.assert_close(_run([0, 1], **changes).measures, compiled, rtol=1e-11, atol=0)


def test_a_misspelt_method_is_one_fault_with_the_nearest_method() -> None:
    ((place, fault),) = parameter_faults(runner.Params, {**SETUP, "method": "adams"})

    assert (place, fault.found, fault.suggestion) == (("method",), "'adams'", "adam")
