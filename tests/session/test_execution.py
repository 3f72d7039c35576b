"""From claims to records: what is taken from the store, what is stamped, and what a record says of its arms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
Record = dict[str, Any]


@pytest.fixture
def record(command: Command) -> Callable[..., Record]:
    """Run a claim with some options and give its record."""

    def run(*words: Any) -> Record:
        (found,) = json.loads(command("run", *words, "--json")[1])["claims"]
        return dict(found)

    return run


def test_a_claim_of_which_one_arm_was_stored_is_stamped(write_claim: Write, record: Callable[..., Record]) -> None:
    assert record(write_claim())["stamps"] == []
    assert record(write_claim(("far: {value: 5.0}", "far: {value: 6.0}")))["stamps"] == ["cached"]
    assert record(write_claim(("far: {value: 5.0}", "far: {value: 7.0}")), "--no-cache")["stamps"] == []


def test_a_record_has_the_hash_of_the_claims_file(write_claim: Write, record: Callable[..., Record]) -> None:
    path = write_claim()
    assert record(path)["claim_hash"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("behaviour", ["raises", "disagrees"])
def test_an_arm_that_failed_has_neither_key_nor_digest(
    write_claim: Write, record: Callable[..., Record], behaviour: str
) -> None:
    found = record(write_claim(("far: {value: 5.0}", f"far: {{value: 5.0, behaviour: {behaviour}}}")))
    assert (found["verdict"], list(found["cells"]), list(found["digests"])) == ("error", ["near"], ["near"])
    assert list(found["outcomes"]) == list(found["params"]) == ["near", "far"]


def test_equal_arms_have_equal_digests_and_keys_and_others_have_not(
    write_claim: Write, record: Callable[..., Record]
) -> None:
    first, again = record(write_claim()), record(write_claim(), "--no-cache")
    other = record(write_claim(), "--seed-base", "1")
    for part in ("cells", "digests"):
        assert first[part] == again[part]
        assert first[part]["near"] != first[part]["far"]
        assert first[part]["near"] != other[part]["near"]
