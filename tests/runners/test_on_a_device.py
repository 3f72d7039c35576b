"""Every case of every runner on a device that is only pretended: every tensor moves there, and no bit changes."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.compiled.library import COMPILER
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import silent
from tests.pretend_device import NAME, pretend_device
from tests.runners.cases import Case, cases
from tests.runners.running import seeded

pytestmark = pytest.mark.slow

SEEDS = (0, 1)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_run_is_bitwise_identical_on_a_device_where_every_tensor_has_to_be_moved(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Compiled kernels are for the processor alone; both runs take the route through tensors.
    monkeypatch.setenv(COMPILER, "none")
    runner, params = load_runner(case.runner), case.params()
    with torch.inference_mode():
        here = runner.run(params, seeded(SEEDS), silent)
    with torch.inference_mode(), pretend_device() as traffic:
        there = runner.run(params, seeded(SEEDS), silent)
        assert {value.device.type for value in (*there.measures.values(), *there.series.values())} == {NAME}
        assert traffic.operations
        back = {name: value.cpu() for name, value in {**there.measures, **there.series}.items()}
    for name, value in {**here.measures, **here.series}.items():
        torch.testing.assert_close(back[name], value, rtol=0, atol=0, equal_nan=True, msg=name)
