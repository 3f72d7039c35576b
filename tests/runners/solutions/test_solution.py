"""The general runner of weights at zero loss: it has the numbers of special runners, and expresses their claims."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.networks import curvature
from dlnrepro.errors import Disagreement
from dlnrepro.runners.flat_minima import flattest_minima
from dlnrepro.runners.solutions import solution as runner
from tests.runners.running import run_seeds

CLAIMS = Path(__file__).parent / "claims"

SETUP: dict[str, Any] = {
    "inputs": 3,
    "hidden": 3,
    "outputs": 2,
    "strengths": [2.0, 1.0],
    "jitter": 0.1,
    "depth": 3,
    "paths": 1,
    "weights": "disturbed",
    "disturbance": 0.7,
    "scale": 1.0,
    "minimise": "sharpness",
    "iterations": 2,
    "exponent": 0.5,
    "variance": 1.0,
}
CASES: dict[str, dict[str, Any]] = {
    "flattened": {},
    "cheapest": {"weights": "landed", "minimise": "norm", "iterations": 5},
    "balanced-paths": {"paths": 2, "weights": "balanced", "minimise": "nothing"},
    "flattened-paths": {"paths": 2, "weights": "own", "depth": 2},
    "cheapest-without-steps": {"weights": "balanced", "minimise": "norm", "iterations": 0},
}
CONTRADICTIONS = [
    ({"hidden": 1}, ["strengths: expected at most 1 value, as many as hidden, found 2 values"]),
    ({"paths": 2}, ["weights: expected balanced or own for several paths, found 'disturbed'"]),
    (
        {"paths": 2, "weights": "balanced"},
        ["weights: expected own for the least sharpness of several paths, found 'balanced'"],
    ),
    (
        {"paths": 2, "weights": "own", "minimise": "norm"},
        ["minimise: expected nothing or sharpness for several paths, found 'norm'"],
    ),
]
POINTS = {"mode": 2, "eigenvalue": 6}

_run = partial(run_seeds, runner, SETUP)


def law(measures: Any, depth: int) -> torch.Tensor:
    """L s^(2-2/L)."""
    found: torch.Tensor = depth * measures["top"] ** (2 - 2 / depth)
    return found


@pytest.mark.parametrize("iterations", [0, 5])
def test_the_sharpness_of_disturbed_and_flattened_minima_is_that_of_their_own_runner(iterations: int) -> None:
    common = {key: SETUP[key] for key in ("inputs", "hidden", "outputs", "strengths", "jitter", "depth", "variance")}
    own = {**common, "strongest": 0.7, "points": 1, "iterations": iterations, "law_depth": "same"}
    theirs = run_seeds(flattest_minima, own, [3, 4]).measures
    ours = _run([3, 4], iterations=iterations).measures
    ratio = ours["sharpness"] / law(ours, 3)
    torch.testing.assert_close(ratio, theirs["flattened_ratio"], rtol=1e-9, atol=0)
    balanced = _run([3, 4], weights="balanced", minimise="nothing").measures
    torch.testing.assert_close(balanced["sharpness"] / law(balanced, 3), torch.ones(2).double(), rtol=1e-12, atol=0)


def test_the_least_norm_is_the_schatten_quasi_norm() -> None:
    measures = _run([0, 1], weights="landed", minimise="norm", iterations=60, exponent=2 / 3).measures
    torch.testing.assert_close(measures["squared_norm"], 3 * measures["power_sum"], rtol=1e-12, atol=0)
    assert float(measures["moved"].max()) < 1e-13


def test_paths_that_share_equally_have_the_factor_of_their_number() -> None:
    measures = _run([0, 1], paths=3, weights="balanced", minimise="nothing").measures
    torch.testing.assert_close(measures["sharpness"], 3 ** (2 / 3 - 1) * law(measures, 3), rtol=1e-12, atol=0)


def test_the_variance_multiplies_the_whole_hessian() -> None:
    plain, half = (_run([0], minimise="nothing", variance=value) for value in (1.0, 0.5))
    assert torch.equal(half.measures["sharpness"], 0.5 * plain.measures["sharpness"])
    assert torch.equal(half.series["eigenvalue"], 0.5 * plain.series["eigenvalue"])
    assert torch.equal(plain.series["eigenvalue"][:, 0], plain.measures["sharpness"])


def test_weights_that_do_not_reach_the_target_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlnrepro.dynamics.solutions.drawn.LANDING", 1)
    measures = _run([0, 1], weights="landed", minimise="nothing").measures
    assert all(bool(value.isnan().all()) for value in measures.values())


def test_a_wrong_hessian_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = curvature.hessian
    monkeypatch.setattr(curvature, "hessian", lambda *given: 1.001 * right(*given))
    with pytest.raises(Disagreement, match="sharpness"):
        _run([0], minimise="nothing")


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(CLAIMS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_present_claim_is_expressed_without_python(path: Path, tmp_path: Path) -> None:
    # In a process of its own: where autograd has been used, as by other tests here, its threads forbid it to a fork.
    words = ["run", str(path), "--quick", "-j", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "dlnrepro", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every criterion holds, and every control fails as required" in " ".join(done.stdout.split())
