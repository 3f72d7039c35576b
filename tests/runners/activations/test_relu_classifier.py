"""The ReLU classifier: what is conserved and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dlnrepro.dynamics.activations import relu_flow
from dlnrepro.dynamics.activations.chebyshev import trajectory
from dlnrepro.runners.activations import relu_classifier as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("relu-training-invariance", body_width=12, head_width=5, horizon=4.0, first_step=0.02, points=15)
FAR: dict[str, Any] = {"horizon": 1000.0, "first_step": 0.1, "growth": 0.1, "shifted": 0.0, "points": 40}
CASES: dict[str, dict[str, Any]] = {
    "relu": {},
    "relu-and-skip": {"body": "relu and skip", "loss": "exponential"},
    "relu-head": {"head": "relu", "labelling": "contradictory"},
    "linear": {"body": "linear", "labelling": "parted", "each": 3, "loss": "squared"},
    "grown-head": {**FAR, "horizon": 300.0, "points": 100},
}
CONTRADICTIONS = [
    (
        {"horizon": 1e4, "first_step": 0.05},
        ["growth: expected at least 0.001 for a horizon of more than 100000 first steps, found 0"],
    ),
]

_run = partial(run_seeds, runner, SETUP)


def test_stable_neurons_and_linear_neighbours_keep_their_imbalance_and_the_full_matrix_does_not() -> None:
    found = _run([0, 1, 2]).measures

    assert float(found["head_drift"].max()) < 1e-6
    assert float(found["stable_neurons"].min()) >= 2
    assert float(found["stable_drift"].max()) < 1e-7
    assert float(found["full_drift"].min()) > 3e-3


def test_what_drifts_in_the_head_is_the_integrator_s_and_of_order_two_or_more() -> None:
    coarse, fine = (_run([0, 1, 2], first_step=size).measures["head_drift"] for size in (0.04, 0.01))

    assert float((coarse / fine).min()) > 10


@pytest.mark.parametrize("changes", [{"head_rate": 3.0}, {"head": "relu"}], ids=["one fast layer", "relu head"])
def test_a_fast_layer_or_a_relu_in_the_head_breaks_the_conservation(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1, 2], **changes).measures["head_drift"].min()) > 1e-3


def test_if_all_neurons_stay_active_the_full_matrix_is_conserved() -> None:
    found = _run([0, 1], shifted=1.0, shift=8.0, labelling="parted").measures

    assert torch.equal(found["other_neurons"], torch.zeros(2, dtype=torch.float64))
    assert float(found["full_drift"].max()) < 1e-7


def test_the_head_goes_to_rank_one_by_the_law_and_the_relu_layer_does_not() -> None:
    found = _run([0, 1], **FAR).measures

    assert float(found["log_inverse_risk"].min()) > 800
    assert float(found["head_gap"].max()) < 0.04
    torch.testing.assert_close(found["excess_ratio"], torch.ones(2).double(), rtol=0, atol=0.05)
    torch.testing.assert_close(found["alignment_slope"], -4 * torch.ones(2).double(), rtol=0, atol=0.4)
    assert float(found["body_gap"].min()) > 0.1


def test_a_linear_body_on_separable_data_goes_to_rank_one_with_its_head() -> None:
    found = _run([0, 1], **FAR, body="linear", labelling="parted", head_depth=2).measures

    assert float(found["body_gap"].max()) < 0.05


def test_where_the_norms_do_not_grow_the_slope_is_undefined_and_all_else_is_finite() -> None:
    for changes in ({"labelling": "contradictory"}, {"loss": "squared", "stiffness": 200.0}):
        found = dict(_run([0, 1], **changes).measures)

        assert bool(found.pop("alignment_slope").isnan().all())
        assert all(bool(value.isfinite().all()) for value in found.values())


def test_a_run_that_diverges_is_nan_and_leaves_the_other_runs_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    def losing(*arguments: Any) -> Iterator[NDArray[np.float64]]:
        for index, state in enumerate(trajectory(*arguments)):
            yield np.where((np.arange(len(state)) == 1)[:, None] & (index > 100), np.nan, state)

    whole = _run([0, 1, 2]).measures
    monkeypatch.setattr(relu_flow, "trajectory", losing)
    broken = _run([0, 1, 2]).measures

    for name in ("log_inverse_risk", "head_gap", "excess_ratio", "head_drift", "stable_drift", "full_drift"):
        assert bool(broken[name][1].isnan()), name
        assert torch.equal(broken[name][[0, 2]], whole[name][[0, 2]]), name


def test_the_memory_estimate_covers_the_records() -> None:
    params = runner.Params.model_validate(SETUP)

    assert params.memory(16) > 8 * 16 * 15 * (12 * 4 + 5 * 12 + 5 * 5 + 5)
