"""The pieces of an audit: missing batches that follow each other are trained as one tensor, and stored apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.device import Device
from dlnrepro.session.audit_job import audit_job
from dlnrepro.session.audit_pieces import PIECE, pieces

Write = Callable[..., Path]


def batches(count: int, device: Device = "cpu") -> list[Cell]:
    """Batches of 16 runs each, which need 1,600 bytes each."""
    seeds = [tuple(range(start, start + 16)) for start in range(0, 16 * count, 16)]
    return [Cell("claim", "arm", "toy", {}, part, device, 1600) for part in seeds]


@pytest.mark.parametrize(
    ("stored", "room", "runs"),
    [
        ([], 1e9, [PIECE, 32]),
        ([0], 1e9, [16, PIECE, 16]),
        ([2, 3], 1e9, [32, 16, 16, 96]),
        (range(10), 1e9, [16] * 10),
        ([], 3200, [32] * 5),
        ([], 0, [16] * 10),
    ],
)
def test_missing_batches_are_joined_as_far_as_they_fit(stored: list[int], room: float, runs: list[int]) -> None:
    known = {16 * place for place in stored}
    found = pieces(batches(10), lambda cell: cell.seeds[0] in known, room)
    assert [len(piece.cell.seeds) for piece in found] == runs
    assert [seed for piece in found for seed in piece.cell.seeds] == list(range(160))
    assert [part for piece in found for part in piece.parts] == batches(10)
    assert sum(piece.cell.memory for piece in found) == 16_000


def test_on_a_gpu_the_numbers_depend_on_the_batch_so_no_batches_are_joined() -> None:
    assert [len(piece.parts) for piece in pieces(batches(3, "cuda"), lambda _: False, 1e9)] == [1, 1, 1]


def test_changes_are_tried_with_other_seeds_in_the_arms_where_criteria_must_hold(
    write_chancy: Write,
) -> None:
    end = "quick: {seeds: 2, setup: {}}\n"
    section = "audit:\n  harmless: {slower: {seconds: 0.1}}\n"
    section += "  flaws: {sign: {says: x, plant: sign, breaks: [near-one]}}\n"
    path = write_chancy((end, end + section))
    job = audit_job(load_claim(path), path, runs=40, seed_base=500)
    assert {name: [cell.arm for cell in cells] for name, cells in job.changes.items()} == {
        "slower": ["near"],
        "sign": ["near"],
    }
    assert [[len(cell.seeds) for cell in of_arm] for of_arm in job.batches()] == [[16, 16, 8]] * 2
    assert [cell.seeds[0] for cell in job.arms] == [500, 500]
    (sign,), (plain,) = job.changes["sign"], job.unchanged
    assert (sign.flaw, plain.flaw, sign.seeds, plain.seeds) == ("sign", "", *[tuple(range(10_500, 10_516))] * 2)
