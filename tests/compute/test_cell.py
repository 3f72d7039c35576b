"""A cell has a key of its own: the same for the same question, whichever claim asks it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from dlnrepro.compute.cell import Cell

CELL = Cell("claim", "arm", "toy", {"value": 1.0, "sizes": [1, 2]}, (0, 1), memory=8)


def test_arms_that_ask_for_the_same_have_one_key() -> None:
    other = Cell("another", "other", "toy", {"sizes": [1, 2], "value": 1.0}, (0, 1), memory=9)
    assert other != CELL
    assert (other.key, hash(other)) == (CELL.key, hash(CELL))
    assert pickle.loads(pickle.dumps(CELL)).key == CELL.key


@pytest.mark.parametrize(
    "change",
    [{"runner": "rude"}, {"params": {"value": 2.0, "sizes": [1, 2]}}, {"seeds": (1, 0)}, {"device": "cuda"}],
    ids=str,
)
def test_whatever_is_asked_for_changes_the_key(change: dict[str, Any]) -> None:
    assert replace(CELL, **change).key != CELL.key


def test_cells_can_be_the_keys_of_a_mapping() -> None:
    twin = replace(CELL, claim="another")
    assert {CELL: 1, twin: 2, replace(CELL): 3} == {CELL: 3, twin: 2}
