"""What a function may return, and how each other value is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from dlnrepro.registry.functions.returned import of_all_runs, of_one_run

DOUBLE = torch.float64


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2, 2.0),
        (0.5, 0.5),
        (True, 1.0),
        (np.float64(0.5), 0.5),
        (np.array(0.5), 0.5),
        (torch.tensor(0.5, requires_grad=True), 0.5),
        (math.inf, math.inf),
    ],
)
def test_a_number_of_any_library_is_a_measure_of_each_run(value: Any, number: float) -> None:
    result = of_one_run({"height": value}, 2)

    assert torch.equal(result.measures["height"], torch.tensor([number, number], dtype=DOUBLE))
    assert result.series == {}


@pytest.mark.parametrize(
    "value", [[1, 2.5], (1, 2.5), np.array([1, 2.5]), torch.tensor([1, 2.5]), [torch.tensor(1.0), np.float64(2.5)]]
)
def test_a_row_of_numbers_is_a_series_of_each_run(value: Any) -> None:
    result = of_one_run({"height": 0, "path": value}, 2)

    assert torch.equal(result.series["path"], torch.tensor([[1, 2.5], [1, 2.5]], dtype=DOUBLE))


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (None, "expected a dict of numbers by their names from the function, found nothing"),
        ({}, "expected a dict of numbers by their names from the function, found an empty dict"),
        ((1, 2), "expected a dict of numbers by their names from the function, found a tuple"),
        ({1: 2}, "expected names of letters, digits and '_' for the numbers, found 1"),
        ({"a b": 2}, "expected names of letters, digits and '_' for the numbers, found 'a b'"),
        ({"path": [1, 2]}, "expected at least one number from the function, found only lists or arrays"),
        ({"height": None}, "height: expected a number, or a list or an array of numbers, found nothing"),
        ({"height": "high"}, "height: expected a number, or a list or an array of numbers, found the text 'high'"),
        ({"height": 1j}, "height: expected a number, or a list or an array of numbers, found a complex"),
        ({"height": torch.tensor(1j)}, "height: expected a number, or a list or an array of numbers, found a Tensor"),
        ({"height": []}, "height: expected a number, or a list or an array of numbers, found an empty one"),
        ({"height": [1, "2"]}, "height: expected only numbers in the list, found the text '2'"),
        ({"height": np.eye(2)}, r"expected a number, or a list or an array with one axis, found the shape \(2, 2\)"),
    ],
)
def test_everything_else_is_refused(found: Any, fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        of_one_run(found, 2)


def test_a_function_for_all_runs_returns_one_number_or_one_row_for_each_run() -> None:
    result = of_all_runs({"height": torch.ones(3, dtype=DOUBLE), "path": np.ones((3, 2))}, 3)

    assert result.measures["height"].shape == (3,)
    assert torch.equal(result.series["path"], torch.ones(3, 2, dtype=DOUBLE))


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ({"height": 1.0}, "height: expected a tensor with 3 numbers, one for each run, found a float"),
        ({"height": torch.ones(2)}, r"expected a tensor of shape \(3,\) or \(3, points\), since there are 3 runs"),
        ({"height": torch.ones(3, 1, 1)}, r"since there are 3 runs, found the shape \(3, 1, 1\)"),
        ({"path": torch.ones(3, 2)}, "expected at least one number for each run from the function, found only series"),
    ],
)
def test_a_function_for_all_runs_may_return_nothing_else(found: Any, fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        of_all_runs(found, 3)
