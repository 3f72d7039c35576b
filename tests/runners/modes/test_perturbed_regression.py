"""The runner of perturbed moments: orders of few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from dlnrepro.runners.modes import perturbed_regression as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "non-commuting-perturbation",
    inputs=6,
    hidden=5,
    outputs=4,
    strengths=[4.0, 2.0, 1.0],
    epsilon=[0.02, 0.1],
    points=3,
    start_scale=1e-4,
    step_size=0.05,
)
SHORT: dict[str, Any] = {"steps": 100, "points": 2}
CASES: dict[str, dict[str, Any]] = {
    "inputs": {},
    "one-layer": {"depth": 1},
    "cross-and-wide": {"hidden": 9, "perturbed": "cross"},
    "refined-twice": {"refined": 2},
}
CONTRADICTIONS: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"strengths": [2.0, 2.0, 0.7], "epsilon": [0.1, 0.1]},
        [
            "strengths: expected values that fall strictly, found [2, 2, 0.7]",
            "epsilon: expected a range [low, high] with low below high, found [0.1, 0.1]",
        ],
    ),
    ({"outputs": 2}, ["strengths: expected at most 2 values, as many as outputs, found 3 values"]),
]
POINTS = {"step": 101, "epsilon": 2}

_run = partial(run_seeds, runner, SETUP)


def test_a_perturbation_of_the_inputs_moves_the_path_to_first_order_and_the_times_hardly() -> None:
    measures = _run([0, 1]).measures

    torch.testing.assert_close(measures["deviation_order"], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.05)
    assert float(measures["time_shift"].max()) < 0.1
    assert float(measures["interval_ratio"].min()) > 0.7
    assert float(measures["unlearned"].max()) < 1e-3


def test_perturbed_strengths_move_times_by_as_much_as_they_move() -> None:
    """The weakest mode's sigma, at least 0.9, is moved by 0.1 up or down, and its time is ln / (2 sigma)."""
    shift = _run([0, 1, 2, 3], perturbed="cross").measures["time_shift"]

    assert float(shift.min()) > 0.6
    assert float(shift.max()) < 1.5


def test_one_layer_has_no_intervals() -> None:
    assert float(_run([0, 1], depth=1).measures["interval_ratio"].abs().max()) < 0.05


def test_a_reference_at_another_step_size_hides_the_order() -> None:
    assert float(_run([0, 1], refined=2).measures["deviation_order"].abs().max()) < 0.1


def test_two_step_sizes_part_by_the_difference_of_the_steps() -> None:
    sweep: dict[str, Any] = {"refined": 2, "epsilon": [1e-4, 1e-3]}
    coarse = _run([0, 1], **sweep).measures["deviation"]
    fine = _run([0, 1], **sweep, step_size=0.025, steps=800).measures["deviation"]

    torch.testing.assert_close(coarse / fine, torch.full((2,), 2.0, dtype=torch.float64), rtol=0.2, atol=0)
