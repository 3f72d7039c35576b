"""Data that somebody gives: inputs and targets from arrays and from lines of numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlnrepro.dynamics.checkpoints.data_file import read_data
from dlnrepro.errors import UsageError


def written(path: Path, text: str) -> str:
    """The path of a file with this text."""
    path.write_text(text)
    return str(path)


def test_arrays_x_and_y_are_inputs_and_targets(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x=np.arange(6.0).reshape(3, 2), y=np.array([1, -1, 1]))
    data = read_data(str(path))
    np.testing.assert_array_equal(data.inputs, [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(data.targets, [[1], [-1], [1]])
    assert data.is_binary


def test_columns_named_y_are_targets_and_all_others_inputs(tmp_path: Path) -> None:
    data = read_data(written(tmp_path / "data.csv", "y1,height,y2\n1,2,3.5\n4,5,6\n\n"))
    np.testing.assert_array_equal(data.inputs, [[2], [5]])
    np.testing.assert_array_equal(data.targets, [[1, 3.5], [4, 6]])
    assert data.classes is None


def test_without_names_the_last_column_is_the_target(tmp_path: Path) -> None:
    data = read_data(written(tmp_path / "data.csv", "1,2,0\n3,4,2\n"))
    np.testing.assert_array_equal(data.inputs, [[1, 2], [3, 4]])
    assert data.classes is not None
    assert data.classes.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "expected at least two columns, for inputs and a target, found none"),
        ("1\n2\n", "expected at least two columns, for inputs and a target, found 1"),
        ("a,b\n1,2\n", "expected a column y, and at least one other column, found a, b"),
        ("x,y\n", "expected at least one sample, found none"),
        ("1,2\n3,apple\n", ":2:3: expected 2 numbers, found 'apple'"),
        ("1,2\n3,4,5\n", ":2:1: expected 2 numbers, found 3"),
        ("1,nan\n", ":1:3: expected finite numbers, found 'nan'"),
    ],
)
def test_lines_that_are_no_data_are_refused(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_data(written(tmp_path / "data.csv", text))
    assert found in str(refused.value)


def test_arrays_that_are_no_data_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, inputs=np.ones((3, 2)))
    with pytest.raises(UsageError, match=r"expected numbers x \(samples, inputs\) and y .*, found inputs"):
        read_data(str(path))
    np.savez(path, x=np.ones((3, 2)), y=np.ones(4))
    with pytest.raises(UsageError, match="expected as many samples in y as the 3 in x, found 4"):
        read_data(str(path))
    with pytest.raises(UsageError, match=r"expected a file of data \(.npz, .csv\), found the suffix '.txt'"):
        read_data("data.txt")


def test_a_line_is_counted_with_the_empty_lines_above_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data.csv:4:5: expected 3 numbers, found 'x'"):
        read_data(written(tmp_path / "data.csv", "a,b,y\n1,2,3\n\n4,5,x\n"))
