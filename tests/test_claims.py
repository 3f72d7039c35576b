"""Every claim that travels with the program: loaded, documented, and run in its quick profile."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch

from dlnrepro.archive.reference_verdicts import slacks
from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.policy import load_strictly
from dlnrepro.compute.device import Device
from dlnrepro.compute.engine import run_cell
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.runner import silent
from dlnrepro.verdict.judge import judge

pytestmark = pytest.mark.slow

PATHS = sorted(packaged_folder().glob("*.yaml"))

OUTPUTS = Path(__file__).parent.parent / "outputs"

NAMED = {
    "winner-takes-all",
    "symmetry-restoration",
    "pathway-sharpness",
    "rank-one-alignment",
    "max-margin-direction",
    "one-neuron-convergence",
    "one-neuron-limit",
}


def test_the_claims_of_the_four_groups_are_there() -> None:
    assert {path.stem for path in PATHS} >= NAMED


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_claim_keeps_to_the_rules_of_policy_and_has_sixteen_runs(path: Path) -> None:
    assert load_strictly(path, partial(slacks, OUTPUTS)).seeds == 16


DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_claim_has_its_expected_verdict_in_its_quick_profile(path: Path, device: Device) -> None:
    claim = load_claim(path)
    cells = plan(claim, Variation(quick=True, device=device))
    outcomes = {cell.arm: run_cell(cell, silent, lambda: 300.0).outcome for cell in cells}
    verdict = judge(claim, outcomes, params={cell.arm: cell.params for cell in cells})
    assert verdict.word == claim.expect, verdict.because
