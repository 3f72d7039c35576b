"""From a claim to its cells: which of several sources of a parameter, or of the number of runs, has the last word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation

QUICK = ("quick: {seeds: 2, setup: {}}", "quick: {seeds: 2, setup: {value: 1.05, bytes: 7}}")


def test_the_quick_profile_changes_the_setup_and_not_the_values_of_an_arm(write_claim: Callable[..., Path]) -> None:
    near, far = plan(load_claim(write_claim(QUICK)), Variation(quick=True))
    assert (near.params["value"], near.params["bytes"]) == (1.05, 7)
    assert (far.params["value"], far.params["bytes"]) == (5.0, 7)


def test_an_override_has_priority_over_the_quick_profile(write_claim: Callable[..., Path]) -> None:
    claim = load_claim(write_claim(QUICK))
    near, far = plan(claim, Variation(quick=True, overrides={"value": 1.02}))
    assert (near.params["value"], near.params["bytes"]) == (1.02, 7)
    assert (far.params["value"], far.params["bytes"]) == (5.0, 7)


def test_a_given_number_of_runs_has_priority_over_the_quick_profile_and_the_claim(
    write_claim: Callable[..., Path],
) -> None:
    claim = load_claim(write_claim(QUICK))
    runs = {
        (quick, seeds): [len(cell.seeds) for cell in plan(claim, Variation(seeds=seeds, quick=quick))]
        for quick in (False, True)
        for seeds in (None, 3)
    }
    assert runs == {(False, None): [4, 4], (True, None): [2, 2], (False, 3): [3, 3], (True, 3): [3, 3]}
