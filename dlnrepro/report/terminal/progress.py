"""The progress of the program, on standard error: a live line on a terminal, plain lines elsewhere, nothing if quiet.

What a runner says of its progress is data from elsewhere: a note may be any object, a fraction any number, and neither
may end the program or break the display.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.live import Live as Display
from rich.text import Text

from dlnrepro.archive.record import ClaimRecord
from dlnrepro.compute.cell import Cell
from dlnrepro.report.terminal.terminal_page import plain_terminal
from dlnrepro.report.words.digest import outcome
from dlnrepro.report.words.numbers import duration
from dlnrepro.settings.numerals import setting
from dlnrepro.visible import harmless, in_a_line, say, visible

REDRAWN_SECONDS = 0.2
"""How often a live line is drawn."""

PLAIN_LINE_SECONDS = 5.0
"""How often a plain line says how far the program is."""

LEAST_SHARE, LEAST_SECONDS = 0.05, 3.0
"""From which share of the work, and after how many seconds, the rest is estimated: before that it is a guess."""

LONGEST_NOTE = 200
"""Letters of a note that are looked at: a note may be a table of a million numbers."""

LONGEST_REASON = 160
"""Letters of the reason of an error that a line shows; the report has all of it."""

BAR = 20
"""Columns of the bar; half or a quarter of them where there is little room for the time left."""

Seconds = Mapping[str, float]
"""How long each arm that will be computed took the last time, by the key of its cell."""


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begins(self, claims: int, cells: int, seconds: Seconds | None = None, stored: int = 0) -> None:
        """Show nothing."""

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Show nothing."""

    def says(self, text: str) -> None:
        """Say it anyway."""
        say(text)

    def waits(self) -> None:
        """Show nothing."""

    def goes_on(self, cells: Sequence[Cell]) -> None:
        """Show nothing."""

    def cell_ends(self, cell: Cell) -> None:
        """Show nothing."""

    def tells(self, text: str) -> None:
        """Show nothing."""

    def claim_ends(self, record: ClaimRecord) -> None:
        """Show nothing."""


class Lines:
    """A plain line when a claim is judged, and now and then how far the arms are."""

    def __init__(self, unit: str = "arm", points: bool = False) -> None:
        self._claims, self._judged = 0, 0
        self._unit, self._points = unit, points
        self._tally = _Tally(unit)
        self._said = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begins(self, claims: int, cells: int, seconds: Seconds | None = None, stored: int = 0) -> None:
        """Say how much is ahead."""
        self._claims, self._judged = claims, 0
        self._tally.begins(cells, seconds)
        cached = f"; {stored} more {'is' if stored == 1 else 'are'} cached" if stored else ""
        arms = f"{cells} {self._unit}{'s' * (cells != 1)} to compute"
        whole = "point" if self._points else "claim"
        controls = "" if self._points else " (controls included)"
        say(f"{claims} {whole}{'s' * (claims != 1)}: {arms}{controls}{cached}")

    def goes_on(self, cells: Sequence[Cell]) -> None:
        """Say which arms get further runs."""
        self._tally.goes_on(len(cells))
        if cells:
            say(further_words(cells))

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Say how far all is, if it was long ago that anything was said."""
        self._tally.moves(cell, fraction)
        if time.monotonic() - self._said >= PLAIN_LINE_SECONDS:
            self._said = time.monotonic()
            say(f"  {', '.join(filter(None, [self._tally.place, self._tally.left, *_details(cell, note)]))}")

    def waits(self) -> None:
        """Say nothing."""

    def cell_ends(self, cell: Cell) -> None:
        """Count it."""
        self._tally.cell_ends(cell)

    def says(self, text: str) -> None:
        """Say it."""
        say(text)

    def tells(self, text: str) -> None:
        """Say it."""
        say(text)

    def claim_ends(self, record: ClaimRecord) -> None:
        """Say how the claim came out."""
        self._judged += 1
        say(f"[{self._judged}/{self._claims}] {_outcome(record, self._points)}")


class Live:
    """A bar that is drawn again and again, with how far all is, the time left, the claim, the arm and its note."""

    def __init__(self, unit: str = "arm", points: bool = False) -> None:
        self._tally = _Tally(unit)
        self._points = points
        self._details: list[str] = []
        self._drawn = 0.0
        self._ascii_only = not (sys.stderr.encoding or "ascii").lower().replace("-", "").startswith("utf")
        self._display = Display(
            get_renderable=self._line,
            console=Console(file=sys.stderr, highlight=False, markup=False, emoji=False, force_jupyter=False),
            # No thread draws it: processes are forked of this one, and a thread could hold a lock at that moment.
            auto_refresh=False,
            transient=True,
        )

    def __enter__(self) -> Live:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def begins(self, claims: int, cells: int, seconds: Seconds | None = None, stored: int = 0) -> None:  # noqa: ARG002  the watchers' signature
        """Begin the bar."""
        self._tally.begins(cells, seconds)

    def goes_on(self, cells: Sequence[Cell]) -> None:
        """Say which arms get further runs, above the bar."""
        self._tally.goes_on(len(cells))
        if cells:
            self.says(further_words(cells))

    def moves(self, cell: Cell, fraction: float, note: str) -> None:
        """Move the bar."""
        self._tally.moves(cell, fraction)
        self._details = _details(cell, note)
        self.waits()

    def cell_ends(self, cell: Cell) -> None:
        """Count it."""
        self._tally.cell_ends(cell)

    def waits(self) -> None:
        """Draw the line again, if it was long ago that it was drawn."""
        if time.monotonic() - self._drawn >= REDRAWN_SECONDS:
            self._drawn = time.monotonic()
            self._display.refresh()

    def says(self, text: str) -> None:
        """Say it, above the bar."""
        self._display.console.print(Text(harmless(visible(text))))

    def tells(self, text: str) -> None:
        """Say it, above the bar."""
        self.says(text)

    def claim_ends(self, record: ClaimRecord) -> None:
        """Say how the claim came out, above the bar."""
        self.says(_outcome(record, self._points))

    def _line(self) -> Text:
        """The line as it is now; nothing before it is known how much there is to do."""
        tally = self._tally
        if not tally.cells:
            return Text("")
        parts = [*filter(None, [tally.place, tally.left, tally.passed]), *self._details]
        # The last column stays free: some terminals begin a new line when it is written.
        line = bar_line(tally.share, parts, self._display.console.width - 1, self._ascii_only)
        return Text(line, no_wrap=True, overflow="crop")


def bar_line(share: float, parts: Iterable[str], width: int, ascii_only: bool = False) -> str:
    """A bar and, after it, as many of some parts as there is room for; the last one that has room may be cut.

    Args:
        share: how much is done, in [0, 1].
        parts: what to say, the most important first.
        width: columns of the whole line.
        ascii_only: whether the bar is drawn with signs that every encoding has.
    """
    long = min(BAR if width >= 60 else BAR // 2 if width >= 48 else BAR // 4, width)
    full = round(share * long)
    line = ("#" * full + "-" * (long - full)) if ascii_only else ("━" * full + "╌" * (long - full))
    for part in parts:
        room = width - cell_len(line) - 2
        if cell_len(part) > room:
            return f"{line}  {set_cell_size(part, room - 1).rstrip()}…" if room >= 12 and not ascii_only else line
        line += f"  {part}"
    return line


class _Tally:
    """How many cells are done, how far the running cells are, and how much time is left."""

    def __init__(self, unit: str) -> None:
        self.cells, self._ended = 0, 0
        self._unit = unit
        self._seconds: Seconds = {}
        self._usual = 1.0
        self._ended_work = 0.0
        self._parts: dict[str, float] = {}
        self._started = time.monotonic()

    def begins(self, cells: int, seconds: Seconds | None) -> None:
        self.cells = cells
        self._seconds = {key: value for key, value in (seconds or {}).items() if 0 < value < math.inf}
        # An arm whose time is not known counts as much as the mean of the others.
        self._usual = sum(self._seconds.values()) / len(self._seconds) if self._seconds else 1.0
        self._started = time.monotonic()

    def goes_on(self, cells: int) -> None:
        self.cells += cells

    def moves(self, cell: Cell, fraction: object) -> None:
        self._parts[cell.key] = _fraction(fraction)

    def cell_ends(self, cell: Cell) -> None:
        self._parts.pop(cell.key, None)
        self._ended += 1
        self._ended_work += self._work(cell.key)

    def _work(self, key: str) -> float:
        """How much work an arm is, in the seconds that it took the last time."""
        return self._seconds.get(key, self._usual)

    @property
    def share(self) -> float:
        """How much of the work is done, in [0, 1]."""
        unknown = max(0, self.cells - len(self._seconds))
        whole = sum(self._seconds.values()) + unknown * self._usual
        done = self._ended_work + sum(self._work(key) * part for key, part in self._parts.items())
        return min(1.0, done / whole) if whole > 0 else 0.0

    @property
    def place(self) -> str:
        """How many arms are done, of how many."""
        return f"{self._ended}/{self.cells} {self._unit}s done"

    @property
    def passed(self) -> str:
        """How long the program has run so far."""
        return f"{duration(time.monotonic() - self._started)} passed"

    @property
    def left(self) -> str:
        """How long the rest will take, if it goes on as it did; nothing before that is known well enough."""
        elapsed = time.monotonic() - self._started
        if self.share < LEAST_SHARE or elapsed < LEAST_SECONDS or self._ended >= self.cells:
            return ""
        return f"about {duration(max(0.1, elapsed * (1 - self.share) / self.share))} left"


def further_words(cells: Sequence[Cell]) -> str:
    """Which arms are in doubt, so that further runs are made, in a line."""
    arms: dict[str, list[str]] = {}
    for cell in cells:
        arms.setdefault(cell.claim, []).append(cell.arm)
    named = "; ".join(f"{claim}: {', '.join(found)}" for claim, found in arms.items())
    return in_a_line(f"in doubt, so further runs are made: {named}")


def watcher(quiet: bool, unit: str = "arm", points: bool = False) -> Quiet | Lines | Live:
    """What shows a run, as standard error allows.

    Args:
        quiet: whether nothing is shown.
        unit: what a cell is called.
        points: whether each result is a point of a sweep of one claim, and is called by its settings.
    """
    if quiet:
        return Quiet()
    return (Live if sys.stderr.isatty() and not plain_terminal() else Lines)(unit, points)


def _outcome(record: ClaimRecord, by_settings: bool = False) -> str:
    """How a claim came out, and the computing time of its arms; of an error the first reason in its place."""
    overrides = record.variation.overrides
    name = ", ".join(f"{key}={setting(value)}" for key, value in overrides.items()) if by_settings else ""
    name = name or record.id
    if faults := [found.fault for found in record.outcomes.values() if found.fault]:
        reason = in_a_line(faults[0])
        cut = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 3]}..."
        return in_a_line(f"{name}: {outcome(record)} ({cut})")
    cached = ", cached" if "cached" in record.stamps else ""
    return in_a_line(f"{name}: {outcome(record)} (computing time {duration(record.seconds)}{cached})")


def _details(cell: Cell, note: object) -> list[str]:
    """The claim, the arm, and what the runner says, each in a line of its own making."""
    return [in_a_line(part)[:LONGEST_NOTE] for part in (cell.claim, cell.arm, _note(note)) if part]


def _note(note: object) -> str:
    """What a runner says, as text: it may be any object, also one that cannot be shown."""
    if note is None:
        return ""
    try:
        return note[:LONGEST_NOTE] if isinstance(note, str) else str(note)[:LONGEST_NOTE]
    except Exception:  # a runner's object may raise anything, and a note is worth no run
        return "?"


def _fraction(fraction: object) -> float:
    """How far a runner is, in [0, 1]; NaN, and anything that is not a number, counts as 0."""
    try:
        value = float(fraction)  # type: ignore[arg-type]
    except Exception:  # a runner's object may raise anything, and a fraction is worth no run
        return 0.0
    return 0.0 if math.isnan(value) else min(1.0, max(0.0, value))
