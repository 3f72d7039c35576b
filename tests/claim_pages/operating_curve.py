"""The figure and the table of what the rule for almost all runs decides, for the README: all numbers are computed."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlnrepro.report.drawing.axes import Sheet, dress, panel
from dlnrepro.report.drawing.canvas import TEXT, WIDTH, Picture, picture
from dlnrepro.report.drawing.colours import COLOURS
from dlnrepro.report.words.numbers import percent
from dlnrepro.settings.numerals import numeral
from dlnrepro.verdict.operating import Operation, operation
from dlnrepro.verdict.rule import BAD, GOOD

NAME = "almost-all-runs"
"""The name of the figure's file, without its suffix."""

SHARES = (1.0, 0.995, 0.98, 0.95, 0.9, 0.8, 0.5)
"""The shares of the table."""

_DRAWN = [0.5 + place / 200 for place in range(101)]
_LEFT, _RIGHT = 40.0, 10.0
_CURVES: tuple[tuple[str, str, str, Callable[[Operation], float]], ...] = (
    ("holds", "tested-1", "-", lambda found: found.holds),
    ("is broken", "tested-2", "--", lambda found: found.broken),
    ("is undecided", "control-1", ":", lambda found: found.undecided),
)


def table() -> str:
    """The probabilities of each decision and the mean number of runs for some shares, in Markdown."""
    lines = [
        "| share of runs as required | holds | broken | undecided | mean number of runs |",
        "|--:|--:|--:|--:|--:|",
    ]
    for share in SHARES:
        found = operation(share)
        chances = map(_probability, (found.holds, found.broken, found.undecided))
        lines.append(f"| {numeral(share, 3)} | {' | '.join(chances)} | {found.runs:.0f} |")
    return "\n".join(lines) + "\n"


def curve() -> Picture:
    """The probabilities of each decision and the mean number of runs, against the share of runs as required."""
    found = [operation(share) for share in _DRAWN]
    height = 330.0

    def draw(page: Figure) -> None:
        sheet = Sheet(page)
        sheet.text(6, height - 12, "The test of almost all runs", fontsize=TEXT + 1.5, fontweight="bold")
        words = f"Dotted vertical lines: the two shares that the test compares, {percent(BAD)} and {percent(GOOD)}."
        sheet.text(6, height - 24, words, fontsize=TEXT - 1, color=COLOURS["muted"])
        sheet.text(6, height - 40, "probability that the criterion ...")
        for place, (name, colour, line, _) in enumerate(_CURVES):
            sheet.sample(150 + 66 * place, 16, height - 37.5, color=COLOURS[colour], linestyle=line, linewidth=1.6)
            sheet.text(169 + 66 * place, height - 40, name)
        decided = panel(page, _LEFT, 148, WIDTH - _LEFT - _RIGHT, 132)
        dress(decided, "y", (-0.02, 1.02), False)
        for _, colour, line, value in _CURVES:
            decided.plot(_DRAWN, list(map(value, found)), color=COLOURS[colour], linestyle=line, linewidth=1.6)
        sheet.text(6, 122, "mean number of runs")
        runs = panel(page, _LEFT, 36, WIDTH - _LEFT - _RIGHT, 80)
        dress(runs, "y", (0.0, 110.0), False)
        runs.plot(_DRAWN, [item.runs for item in found], color=COLOURS["tested-3"], linewidth=1.6)
        for axes in (decided, runs):
            dress(axes, "x", (0.5, 1.003), False)
            _compared(axes)
        sheet.text((_LEFT + WIDTH - _RIGHT) / 2, 8, "share of all possible runs that are as required", ha="center")

    label = (
        "The probabilities that a criterion for almost all runs holds, is broken or is undecided, and the mean number "
        "of runs, against the share of all possible runs that are as required."
    )
    return picture("rule", label, height, draw)


def _compared(axes: Axes) -> None:
    """Mark the two shares that the test compares."""
    for share in (BAD, GOOD):
        axes.axvline(share, color=COLOURS["ink"], linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1.5)


def _probability(chance: float) -> str:
    """A probability with the digits that distinguish it from 0 and 1."""
    if chance in (0.0, 1.0):
        return f"{chance:.0f}"
    if min(chance, 1 - chance) >= 1e-3:
        return f"{chance:.3f}"
    if chance < 0.5:
        return numeral(chance, 2) if chance > 1e-9 else "< 1e-9"
    return f"{chance:.5f}" if 1 - chance > 1e-5 else f"1 - {numeral(1 - chance, 2)}"
