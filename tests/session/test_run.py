"""A whole report: what its record says about how to run it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--quick"],
        ["--no-controls"],
        ["--seeds", "3"],
        ["--seed-base", "7"],
        ["-s", "value=1.05", "-s", "bytes=5"],
        ["--quick", "--no-controls", "--seeds", "6", "--seed-base", "9", "-s", "value=1.01"],
    ],
)
def test_the_recorded_command_runs_the_claim_again_as_it_was(
    command: Callable[..., tuple[int, str, str]], write_claim: Callable[..., Path], words: list[str]
) -> None:
    (first,) = json.loads(command("run", write_claim(), *words, "--json")[1])["claims"]
    _, *recorded = shlex.split(first["command"])
    (again,) = json.loads(command(*recorded, "--no-cache", "--json")[1])["claims"]
    for key in ("verdict", "params", "cells", "digests", "criteria", "stamps", "command"):
        assert first[key] == again[key]
