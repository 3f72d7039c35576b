"""The runner of flat minima: few runs."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.flat_minima import minima
from dlnrepro.dynamics.networks.tangent_kernel import tangent_kernel
from dlnrepro.errors import Disagreement
from dlnrepro.runners.flat_minima import flattest_minima as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("flattest-minima", inputs=3, hidden=3, outputs=2, strengths=[2.0, 1.0], points=4, iterations=40)
SHORT: dict[str, Any] = {"inputs": 2, "hidden": 2, "points": 2, "iterations": 1}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "two-layers": {"depth": 2},
    "wide-and-not-flattened": {"hidden": 5, "iterations": 0},
}
CONTRADICTIONS = [
    ({"strengths": [1.0, 1.0]}, ["strengths: expected values that fall strictly, found [1, 1]"]),
    ({"hidden": 1}, ["strengths: expected at most 1 value, as many as hidden, found 2 values"]),
]
POINTS = {"disturbance": 2}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
def test_flattening_finds_the_least_sharpness_and_equal_gains() -> None:
    measures = _run([0, 1]).measures

    assert float(measures["formula_error"].max()) < 1e-12
    assert float(measures["moved"].max()) < 1e-13
    assert float(measures["disturbed_ratio"].min()) > 1.01
    torch.testing.assert_close(measures["flattened_ratio"], torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-9)
    assert float(measures["gain_error"].max()) < 1e-4


def test_a_wrong_tangent_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minima, "tangent_kernel", lambda layers: 1.001 * tangent_kernel(layers))

    with pytest.raises(Disagreement, match="sharpness"):
        _run([0], iterations=0)
