"""A listener for tests: keeps what it hears, and may look at what goes on while cells are computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dlnrepro.compute.cell import Cell


@dataclass
class Heard:
    """What was heard: how far cells were, and lines for the user."""

    moved: list[tuple[str, float, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    at_a_wait: Callable[[], None] = lambda: None

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Keep it."""
        self.moved.append((cell.arm, fraction, note))

    def waits(self) -> None:
        """Look at what is going on."""
        self.at_a_wait()

    def says(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)


def rude(behaviour: str, arm: str = "arm", value: float = 1.0, runs: int = 4) -> Cell:
    """A cell of the toy that misbehaves."""
    return Cell("claim", arm, "rude", {"value": value, "behaviour": behaviour}, tuple(range(runs)), memory=8 * runs)
