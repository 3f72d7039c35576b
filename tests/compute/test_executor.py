"""Cells over worker processes: in whatever order the parts arrive, the numbers are those of one process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.mark.slow
def test_the_part_that_arrives_last_keeps_its_place(command: Command, write_claim: Write) -> None:
    late = write_claim(("behaviour: steady", "behaviour: first-late"), ("seeds: 4\nsetup", "seeds: 16\nsetup"))
    one, other = (
        json.loads(command("run", late, "--json", "--no-cache", "-j", workers)[1])["claims"][0] for workers in (1, 4)
    )
    for key in ("criteria", "digests", "drawings"):
        assert one[key] == other[key]
    assert len(set(one["outcomes"]["near"]["measures"]["value"])) == 16


def test_a_budget_holds_in_workers(command: Command, write_claim: Write) -> None:
    slow = write_claim(("steady", "slow"))
    code, out, _ = command("run", slow, "--json", "--budget", "0.2", "-j", 2)
    outcomes = json.loads(out)["claims"][0]["outcomes"]
    assert (code, [left["spent"] for left in outcomes.values()]) == (4, [True, True])
