"""The runner of checkpoints: networks of this program's own descent, read back from files of every format."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlnrepro.errors import UsageError
from dlnrepro.runners.checkpoints import checkpoint as runner
from tests.runners.running import run_seeds

FOLDER = Path(tempfile.mkdtemp(prefix="checkpoints-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

STEP_SIZE = 0.01


def _descent() -> list[list[np.ndarray]]:
    """W_1, W_2 at the steps 0, 100, ..., 400 of gradient descent on 1/2 ||W_2 W_1 - diag(2, 1)||_F^2, by numpy."""
    draws = np.random.default_rng(0)
    first, second = (0.1 * draws.standard_normal(shape) for shape in ((3, 2), (2, 3)))
    found = []
    for step in range(401):
        if step % 100 == 0:
            found.append([first.copy(), second.copy()])
        residual = second @ first - np.diag([2.0, 1.0])
        first, second = first - STEP_SIZE * second.T @ residual, second - STEP_SIZE * residual @ first.T
    return found


PATH = _descent()
for place, (first, second) in enumerate(PATH):
    np.savez(FOLDER / f"step-{100 * place}.npz", W1=first, W2=second)
    state = {"0.weight": torch.from_numpy(first), "1.weight": torch.from_numpy(second)}
    torch.save(
        {"student": {**state, "head.bias": torch.ones(2, dtype=torch.float64)}, "step": place}, FOLDER / f"s{place}.pt"
    )
    np.savez(FOLDER / f"other-{place}.npz", dense0=first.T, dense1=second[:1].T)
INPUTS = np.sqrt(2) * np.eye(2)
np.savez(FOLDER / "target.npz", x=INPUTS, y=INPUTS @ np.diag([2.0, 1.0]))
np.savez(FOLDER / "labels.npz", x=np.array([[1.0, 0.2], [-1.0, 0.3]]), y=np.array([1, -1]))

SETUP: dict[str, Any] = {
    "files": [str(FOLDER / f"step-{100 * place}.npz") for place in range(5)],
    "data": "none",
    "loss": "usual",
    "layers": "longest",
    "transposed": False,
    "inside": "found",
    "from_step": 0.0,
}
CASES: dict[str, dict[str, Any]] = {
    "with-targets": {"data": str(FOLDER / "target.npz")},
    "without-data": {},
    "with-labels": {
        "files": [str(FOLDER / f"other-{place}.npz") for place in range(1, 5)],
        "data": str(FOLDER / "labels.npz"),
        "loss": "logistic",
        "layers": ["dense0", "dense1"],
        "transposed": True,
    },
    "of-pytorch": {"files": [str(FOLDER / f"s{place}.pt") for place in range(3)], "inside": "student"},
}
POINTS = {"checkpoint": 5}

_run = partial(run_seeds, runner, SETUP)


def test_the_last_checkpoint_and_the_changes_are_those_of_plain_numpy() -> None:
    measures = _run([0], data=str(FOLDER / "target.npz")).measures
    first, second = PATH[-1]
    residual = second @ first - np.diag([2.0, 1.0])
    assert float(measures["final_loss"]) == pytest.approx(0.5 * (residual**2).sum())
    assert float(measures["final_product_norm"]) == pytest.approx(np.linalg.norm(second @ first))
    start = np.linalg.norm(PATH[0][1] @ PATH[0][0])
    assert float(measures["product_norm_change"]) == pytest.approx(np.linalg.norm(second @ first) - start)
    sizes = [np.log(np.linalg.norm(b @ a)) for a, b in PATH[1:]]
    assert float(measures["product_norm_power"]) == pytest.approx(np.polyfit(np.log([100, 200, 300, 400]), sizes, 1)[0])
    drift = [b.T @ b - a @ a.T - (PATH[0][1].T @ PATH[0][1] - PATH[0][0] @ PATH[0][0].T) for a, b in PATH]
    assert float(measures["imbalance_drift"]) == pytest.approx(max(np.linalg.norm(matrix) for matrix in drift))
    assert float(measures["checkpoints"]) == 5


def test_the_series_have_one_point_per_checkpoint_in_the_order_of_the_steps() -> None:
    series = _run([0], files=list(reversed(SETUP["files"]))).series
    assert series["step"].tolist() == [[0, 100, 200, 300, 400]]
    norms = [np.linalg.norm(b @ a) for a, b in PATH]
    np.testing.assert_allclose(series["product_norm"][0].numpy(), norms)


def test_checkpoints_before_a_step_are_left_out() -> None:
    assert _run([0], from_step=150.0).series["step"].tolist() == [[200, 300, 400]]
    with pytest.raises(ValueError, match="expected a checkpoint of step 500 or later, found none"):
        _run([0], from_step=500.0)


def test_all_formats_give_the_same_numbers() -> None:
    ours = _run([0]).measures
    files = [str(FOLDER / f"s{place}.pt") for place in range(5)]
    theirs = _run([0], files=files, inside="student").measures
    for name in ("final_alignment", "product_norm_change", "imbalance_drift"):
        assert torch.equal(ours[name], theirs[name])


def test_without_data_no_measure_on_data_is_declared() -> None:
    without = runner.declared(runner.Params.model_validate(SETUP)).measures
    on_data = runner.declared(runner.Params.model_validate(SETUP | {"data": "target.npz"})).measures
    assert on_data is not None
    assert without is not None
    assert {"final_loss", "loss_rate", "loss_power", "sharpness_change"} <= set(on_data) - set(without)
    assert set(_run([0]).measures) == set(without)


@pytest.mark.parametrize(
    ("changes", "error", "found"),
    [
        ({"data": str(FOLDER / "labels.npz")}, ValueError, "labels.npz and step-0.npz: expected 2 targets, found 1"),
        ({"layers": ["W1", "W3"]}, UsageError, r"expected matrices \(W1, W2\), found 'W3'"),
        (
            {"files": [str(FOLDER / "step-0.npz"), str(FOLDER / "other-1.npz")]},
            ValueError,
            r"step-0.npz: expected the widths .*, found \(2, 3, 2\)",
        ),
    ],
)
def test_what_cannot_be_measured_is_an_error_with_the_name_of_the_file(
    changes: dict[str, Any], error: type[Exception], found: str
) -> None:
    with pytest.raises(error, match=found):
        _run([0], **changes)
