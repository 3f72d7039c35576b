"""How a run gets on, on standard error: a live line on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dlnrepro.cell import Cell
from dlnrepro.record import ClaimRecord
from dlnrepro.report.numbers import duration
from dlnrepro.visible import harmless, say, visible

PLAIN_LINE_SECONDS = 5.0


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begins(self, claims: int, cells: int) -> None:
        """Show nothing."""

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Show nothing."""

    def says(self, text: str) -> None:
        """Say it all the same."""
        say(text)

    def cell_ends(self, cell: Cell) -> None:
        """Show nothing."""

    def claim_ends(self, record: ClaimRecord) -> None:
        """Show nothing."""


class Lines:
    """A plain line when a claim is judged, and now and then how far the arms are."""

    def __init__(self) -> None:
        self._claims, self._judged = 0, 0
        self._tally = _Tally()
        self._said = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begins(self, claims: int, cells: int) -> None:
        """Say how much is ahead."""
        self._claims = claims
        self._tally.begins(cells)
        click.echo(f"{claims} claim{'s' * (claims != 1)}, {cells} arm{'s' * (cells != 1)} to compute", err=True)

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Say how far all is, if it was long ago that anything was said."""
        self._tally.moves(cell, fraction)
        if time.monotonic() - self._said >= PLAIN_LINE_SECONDS:
            self._said = time.monotonic()
            click.echo(f"  {self._tally.place}, {self._tally.left}: {cell.claim}, {cell.arm}, {note}", err=True)

    def cell_ends(self, cell: Cell) -> None:
        """Count it."""
        self._tally.cell_ends(cell)

    def says(self, text: str) -> None:
        """Say it."""
        say(text)

    def claim_ends(self, record: ClaimRecord) -> None:
        """Say how the claim came out."""
        self._judged += 1
        text = f"[{self._judged}/{self._claims}] {record.id}: {record.verdict} ({duration(record.seconds)})"
        click.echo(text, err=True)


class Live:
    """A bar that is drawn again and again, with the claim, the arm, how far it is, and the time left."""

    def __init__(self) -> None:
        self._tally = _Tally()
        self._progress = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.description}"),
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

    def begins(self, claims: int, cells: int) -> None:  # noqa: ARG002  the watchers' signature
        """Begin the bar."""
        self._tally.begins(cells)
        self._task = self._progress.add_task("", total=max(cells, 1))

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Move the bar."""
        self._tally.moves(cell, fraction)
        if self._task is not None:
            text = f"{self._tally.place}, {self._tally.left}: {cell.claim}, {cell.arm}, {note}"
            self._progress.update(self._task, completed=self._tally.done, description=text)

    def cell_ends(self, cell: Cell) -> None:
        """Count it."""
        self._tally.cell_ends(cell)

    def says(self, text: str) -> None:
        """Say it, above the bar."""
        self._progress.console.print(harmless(visible(text)), markup=False)

    def claim_ends(self, record: ClaimRecord) -> None:
        """Say how the claim came out, above the bar."""
        self._progress.console.print(f"{record.id}: {record.verdict} ({duration(record.seconds)})", markup=False)


class _Tally:
    """How many cells are done, and how far the others are."""

    def __init__(self) -> None:
        self._cells, self._ended = 0, 0
        self._parts: dict[tuple[str, str], float] = {}
        self._started = time.monotonic()

    def begins(self, cells: int) -> None:
        self._cells = cells
        self._started = time.monotonic()

    def moves(self, cell: Cell, fraction: float) -> None:
        self._parts[cell.claim, cell.arm] = fraction

    def cell_ends(self, cell: Cell) -> None:
        self._parts.pop((cell.claim, cell.arm), None)
        self._ended += 1

    @property
    def done(self) -> float:
        """Cells done, with the parts of those that run."""
        return self._ended + sum(self._parts.values())

    @property
    def place(self) -> str:
        """How many arms are done, of how many."""
        return f"{self._ended}/{self._cells} arms done"

    @property
    def left(self) -> str:
        """The time left, if the arms to come are like those behind."""
        if self.done <= 0:
            return "time left unknown"
        elapsed = time.monotonic() - self._started
        return f"about {duration(elapsed * (self._cells - self.done) / self.done)} left"


def watcher(quiet: bool) -> Quiet | Lines | Live:
    """Who shows a run, as standard error allows."""
    if quiet:
        return Quiet()
    return Live() if sys.stderr.isatty() else Lines()
