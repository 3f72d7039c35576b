"""The run command, through the real entry point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def test_a_claim_that_holds_is_reproduced_with_its_numbers(command: Command, write_claim: Write) -> None:
    code, out, _ = command("run", write_claim())
    assert code == 0
    assert "✓ reproduced" in out
    assert "4/4" in out
    assert "control far: tells" in out
    assert "≥ 0.47" in out
    assert "dlnrepro run" in out
    assert max(map(len, out.splitlines())) <= 80
