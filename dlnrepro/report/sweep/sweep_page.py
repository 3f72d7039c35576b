"""A sweep in the terminal: a line for each value of one parameter, or a map of two."""

from __future__ import annotations

import math
from collections import Counter

from rich.text import Text

from dlnrepro.report.sweep.swept import MARKS, Swept, place
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.session.sweeps.points import Point
from dlnrepro.settings.numerals import numeral, setting

STYLES = {"reproduced": "green", "not reproduced": "red", "inconclusive": "yellow", "error": "bold red"}
DIGITS = 3

SHOWN_REFUSALS = 3
"""How many settings at which the claim cannot be run are shown with their reason."""


def sweep_page(page: TerminalPage, swept: Swept) -> None:
    """Lay out a sweep."""
    keys = " and ".join(axis.key for axis in swept.axes)
    page.line((swept.claim, "bold"), f" over {keys}: {len(swept.points)} points{swept.labels}", hang=2)
    page.line()
    if len(swept.axes) == 1:
        _list(page, swept)
    else:
        _map(page, swept)
    page.line()
    counts = Counter(point.verdict for point in swept.points)
    page.line(", ".join(f"{counts[word]} {word}" for word in MARKS if counts[word]))
    for change in swept.changes:
        page.line((swept.change_line(change), "bold"), hang=2)
    if line := swept.distance_line():
        page.line(line, hang=2)
    refused = [point for point in swept.points if point.refused]
    for point in refused[:SHOWN_REFUSALS]:
        page.line(f"{place(swept.axes, point.values)} cannot be run: {point.refused}", hang=2)
    if len(refused) > SHOWN_REFUSALS:
        page.line(f"{len(refused) - SHOWN_REFUSALS} other points cannot be run either")


def _list(page: TerminalPage, swept: Swept) -> None:
    """A line for each value: the verdict, and the worst measure of each criterion."""
    rows: list[list[str | Text]] = [
        [setting(point.values[0]), _word(point), *(_number(point.worst(name)) for name in swept.criteria)]
        for point in swept.points
    ]
    heads = [swept.axes[0].key, "verdict", *(name.replace("-", "-\n") for name in swept.criteria)]
    page.table(rows, right=(0, *range(2, len(heads))), heads=_bottom(heads), spaces=2)


def _map(page: TerminalPage, swept: Swept) -> None:
    """A sign for each point, with the first parameter to the right and the second one upwards."""
    across, upwards = swept.values(0), swept.values(1)
    by_place = {point.values: point for point in swept.points}
    labels = [setting(value) for value in upwards]
    width = max(len(label) for label in (*labels, swept.axes[1].key))
    room = max(page.width - width - 5, 1)
    wide = 2 if 2 * len(across) <= room else 1
    every = math.ceil(len(across) / room)
    ends = f"{setting(across[0])} … {setting(across[-1])}"
    across = across[::every]
    page.line(swept.axes[1].key, indent=2)
    for value, label in zip(reversed(upwards), reversed(labels), strict=True):
        parts: list[tuple[str, str]] = [(f"{label:>{width}} │", "")]
        for first in across:
            point = by_place.get((first, value))
            word = "not run" if point is None else point.verdict
            parts.append((f"{MARKS[word]:>{wide}}", STYLES.get(word, "dim")))
        page.line(*parts, indent=2)
    page.line(f"{'':>{width}} └{'─' * (wide * len(across))}", indent=2)
    page.line(f"{'':>{width}}   {swept.axes[0].key}: {ends}", indent=2)
    if every > 1:
        page.line(f"(one of {every} values is shown, as this page is narrow; -o FILE writes all of them)", indent=2)
    shown = dict.fromkeys(point.verdict for point in swept.points)
    page.line(", ".join(f"{MARKS[word]} {word}" for word in MARKS if word in shown and word != "not run"), indent=2)


def _word(point: Point) -> Text:
    return Text(f"{MARKS[point.verdict]} {point.verdict}", style=STYLES.get(point.verdict, "dim"))


def _number(value: float) -> str:
    return "" if math.isnan(value) else numeral(value, DIGITS)


def _bottom(heads: list[str]) -> list[str]:
    """Heads whose last lines stand side by side."""
    most = max(head.count("\n") for head in heads)
    return ["\n" * (most - head.count("\n")) + head for head in heads]
