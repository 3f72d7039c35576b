"""The gradient runner: the lemma, and what breaks it."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.runners.spherical import spherical_gradient as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("spherical-lemma-one", inputs=3, points=9)
SHORT: dict[str, Any] = {"norm": [0.05, 5.0]}
CASES: dict[str, dict[str, Any]] = {
    "sphere": {},
    "sample": {"samples": 13, "stretch": 3.0},
    "gaussian": {"input_law": "gaussian", "loss": "exponential"},
}
CONTRADICTIONS = [
    ({"norm": [60.0, 50.0]}, ["norm: expected a range [low, high], found [60, 50]"]),
    ({"samples": 5, "loss": "exponential"}, ["samples: expected 0 for the exponential loss, found 5"]),
]
POINTS = {"angle": 9}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("changes", [{"inputs": 2}, {}, {"inputs": 7}, {"input_law": "gaussian"}])
def test_symmetric_inputs_obey_the_lemma_and_the_whole_formula(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["lemma_error"].max()) < 1e-12
    assert float(measures["gradient_error"].max()) < 1e-11


@pytest.mark.parametrize("law", ["sphere", "gaussian"])
def test_the_mean_length_of_the_whole_input_is_off_by_the_ratio_of_the_two(law: str) -> None:
    """Three dimensions: 1 against pi / 4 on the sphere, sqrt(8 / pi) against sqrt(pi / 2) for the normal law."""
    ratio = {"sphere": math.pi / 4, "gaussian": math.sqrt(math.pi / 2) / math.sqrt(8 / math.pi)}[law]

    measures = _run([0, 1], input_law=law, law_mean_length="space").measures

    torch.testing.assert_close(
        measures["lemma_error"], torch.full((2,), 1 - ratio, dtype=torch.float64), rtol=1e-10, atol=0
    )


@pytest.mark.slow
def test_the_error_on_a_fixed_sample_falls_as_one_over_the_root_of_its_size() -> None:
    few, many = (
        _run(list(range(8)), samples=size, norm=[0.05, 1.0]).measures["gradient_error"].mean() for size in (100, 10_000)
    )

    assert 5 < float(few / many) < 20


def test_stretched_inputs_and_another_loss_break_the_lemma() -> None:
    assert float(_run([0, 1], stretch=4.0).measures["lemma_median"].min()) > 0.1
    assert float(_run([0, 1], loss="exponential", norm=[0.05, 5.0]).measures["lemma_median"].min()) > 0.1
