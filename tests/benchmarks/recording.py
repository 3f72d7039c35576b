"""What recording costs: a runner with all its records against the same with hardly any."""

from __future__ import annotations

from typing import Any

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.engine import run_cell
from dlnrepro.compute.plan import plan
from dlnrepro.compute.variation import Variation
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import silent
from tests.benchmarks.pairing import Row, ratio, text

CLAIMS = ("winner-takes-all", "winner-takes-all-matrices", "one-neuron-rate")


def costs() -> list[Row]:
    """For each runner of discrete descent, its first arm with all records over the same with three."""
    rows = []
    for name in CLAIMS:
        claim = load_claim(packaged_folder() / f"{name}.yaml")
        cell = plan(claim, Variation())[0]
        runner: Any = load_runner(claim.runner)
        kept = runner.RECORDS

        def trained(records: int, runner: Any = runner, cell: Any = cell) -> None:
            runner.RECORDS = records
            run_cell(cell, silent, lambda: float("inf"))

        found = ratio(lambda kept=kept, trained=trained: trained(kept), lambda trained=trained: trained(3), 7)  # type: ignore[misc]
        runner.RECORDS = kept
        rows.append(Row(f"{claim.runner}: {kept} records / 3", text(found), "≤ 1.1", found[0] <= 1.1))
    return rows
