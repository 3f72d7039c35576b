"""How a run gets on, on standard error: a live line on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dlnrepro.claim import Claim
from dlnrepro.engine import Cell
from dlnrepro.record import ClaimRecord
from dlnrepro.report.numbers import duration

PLAIN_LINE_SECONDS = 10.0


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def claim_starts(self, claim: Claim, cells: Sequence[Cell]) -> None:
        """Show nothing."""

    def cell_starts(self, cell: Cell) -> None:
        """Show nothing."""

    def moves(self, fraction: float, note: str) -> None:
        """Show nothing."""

    def claim_ends(self, record: ClaimRecord) -> None:
        """Show nothing."""


class Lines:
    """A plain line when a claim starts and ends, and now and then while an arm runs."""

    def __init__(self, claims: int) -> None:
        self._claims, self._claim = claims, 0
        self._clock = _Clock()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def claim_starts(self, claim: Claim, cells: Sequence[Cell]) -> None:
        """Say which claim of how many begins, and with how many arms."""
        self._claim += 1
        self._clock.claim_starts(claim, cells)
        click.echo(f"[{self._claim}/{self._claims}] {claim.id}: {len(cells)} arms", err=True)

    def cell_starts(self, cell: Cell) -> None:
        """Remember which arm runs."""
        self._clock.cell_starts(cell)

    def moves(self, fraction: float, note: str) -> None:
        """Say how far the arm is, if it was long ago that anything was said."""
        if self._clock.moves(fraction, PLAIN_LINE_SECONDS):
            click.echo(f"  {self._clock.place}: {note}, {self._clock.left}", err=True)

    def claim_ends(self, record: ClaimRecord) -> None:
        """Say how the claim came out."""
        click.echo(
            f"[{self._claim}/{self._claims}] {record.id}: {record.verdict} in {duration(record.seconds)}", err=True
        )


class Live:
    """One line that is drawn again and again: claim, arm, how far, time left."""

    def __init__(self, claims: int) -> None:
        self._claims, self._claim, self._id = claims, 0, ""
        self._clock = _Clock()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr, highlight=False),
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Live:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def claim_starts(self, claim: Claim, cells: Sequence[Cell]) -> None:
        """Begin a bar for the claim."""
        self._claim += 1
        self._id = claim.id
        self._clock.claim_starts(claim, cells)
        self._task = self._progress.add_task(f"[{self._claim}/{self._claims}] {claim.id}", total=len(cells), note="")

    def cell_starts(self, cell: Cell) -> None:
        """Remember which arm runs."""
        self._clock.cell_starts(cell)

    def moves(self, fraction: float, note: str) -> None:
        """Move the bar."""
        if self._task is not None and self._clock.moves(fraction, 0.1):
            text = f"{self._clock.place}: {note}, {self._clock.left}"
            self._progress.update(self._task, completed=self._clock.done, note=text)

    def claim_ends(self, record: ClaimRecord) -> None:  # noqa: ARG002  the watchers' signature
        """Take the bar away; the report will say how the claim came out."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None


class _Clock:
    """Where a claim is among its arms, and how long the rest may take."""

    def __init__(self) -> None:
        self._cells, self._cell, self._fraction, self._arm = 1, 0, 0.0, ""
        self._started = self._said = time.monotonic()

    def claim_starts(self, claim: Claim, cells: Sequence[Cell]) -> None:  # noqa: ARG002  the watchers' signature
        self._cells, self._cell = len(cells), 0
        self._started = self._said = time.monotonic()

    def cell_starts(self, cell: Cell) -> None:
        self._cell += 1
        self._fraction, self._arm = 0.0, cell.arm

    def moves(self, fraction: float, pause: float) -> bool:
        """Take note of the fraction; whether the last word was longer ago than `pause` seconds."""
        self._fraction = fraction
        now = time.monotonic()
        if now - self._said < pause:
            return False
        self._said = now
        return True

    @property
    def done(self) -> float:
        """Arms finished, with the part of the present one."""
        return self._cell - 1 + self._fraction

    @property
    def place(self) -> str:
        """The present arm, and how many there are."""
        return f"arm {self._cell}/{self._cells} {self._arm}"

    @property
    def left(self) -> str:
        """The time left for the claim, if all its arms are alike."""
        if self.done <= 0:
            return "time left unknown"
        elapsed = time.monotonic() - self._started
        return f"about {duration(elapsed * (self._cells - self.done) / self.done)} left"


def watcher(claims: int, quiet: bool) -> Quiet | Lines | Live:
    """Who shows a run of this many claims, as standard error allows."""
    if quiet:
        return Quiet()
    return Live(claims) if sys.stderr.isatty() else Lines(claims)
