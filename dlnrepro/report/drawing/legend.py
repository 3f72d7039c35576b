"""The stroke of each arm, and the legend, which stands below the axes so that it covers nothing.

An arm has one colour in all figures of its claim. Colour never stands alone: each arm has a dash and a mark of its own
too. Arms that only serve as controls are grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlnrepro.archive.figure_data import Drawing
from dlnrepro.archive.record import ClaimRecord
from dlnrepro.report.drawing.axes import Sheet
from dlnrepro.report.drawing.canvas import TEXT, WIDTH
from dlnrepro.report.drawing.colours import COLOURS, CONTROLS, TESTED
from dlnrepro.report.words.digest import FORMULA
from dlnrepro.report.words.typeset import picture_lines, shortened
from dlnrepro.settings.numerals import numeral

_DASHES: list[Any] = [
    "-",
    (0, (5, 1.6)),
    (0, (1.5, 1.3)),
    (0, (6, 1.6, 1.4, 1.6)),
    (0, (9, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
]
_MARKS = "osD^vP"
_ROW, _LEFT, _SAMPLE, _LETTER = 12.0, 6.0, 22.0, 0.57


@dataclass(frozen=True)
class Stroke:
    """How the line of one series of one arm looks."""

    colour: str
    mark: int
    dashes: int
    control: bool

    @staticmethod
    def dash(index: int) -> Any:
        """The dash pattern of this index."""
        return _DASHES[index % len(_DASHES)]

    @property
    def order(self) -> float:
        """The drawing order: controls are in front, because they are thin and often short."""
        return 5.0 if self.control else 3.0

    @property
    def look(self) -> dict[str, Any]:
        """The stroke as options of matplotlib."""
        return {
            "color": self.colour,
            "linestyle": self.dash(self.dashes),
            "linewidth": 1.2 if self.control else 1.6,
            "marker": _MARKS[self.mark % len(_MARKS)],
            "markersize": 3.4,
            "markerfacecolor": "none" if self.control else self.colour,
            "markeredgewidth": 0.8,
        }


@dataclass(frozen=True)
class Entry:
    """An entry of the legend: a sample and its words, at a place in points."""

    words: str
    sample: dict[str, Any]
    left: float
    bottom: float

    def draw(self, sheet: Sheet) -> None:
        """Draw it."""
        if self.sample:
            sheet.sample(self.left, _SAMPLE, self.bottom + 2.6, **self.sample)
        sheet.text(self.left + _SAMPLE + 5, self.bottom, self.words, fontsize=TEXT - 0.5)


def controls(record: ClaimRecord) -> set[str]:
    """The arms drawn as controls: the first criterion with the arm, and most of its criteria, require it to fail."""
    roles: dict[str, list[bool]] = {}
    for item in record.criteria:
        for check in item.holds_in:
            roles.setdefault(check.arm, []).append(False)
        for check in item.fails_in:
            roles.setdefault(check.arm, []).append(True)
    return {arm for arm, fails in roles.items() if fails[0] and 2 * sum(fails) > len(fails)}


def formulas(record: ClaimRecord) -> set[str]:
    """The controls that are a wrong formula for each of their criteria."""
    found: dict[str, bool] = {}
    for item in record.criteria:
        for check in item.fails_in:
            found[check.arm] = found.get(check.arm, True) and check.wrong_formula
    return {arm for arm, wrong in found.items() if wrong}


def strokes(record: ClaimRecord, drawing: Drawing) -> dict[tuple[str, str], Stroke]:
    """The stroke of each (arm, series) of a figure."""
    grey = controls(record)
    drawn = {line.arm for figure in record.drawings for line in figure.lines}
    arms = [arm for arm in dict.fromkeys([*record.claim["arms"], *sorted(drawn)]) if arm in drawn]
    tested, untested = [arm for arm in arms if arm not in grey], [arm for arm in arms if arm in grey]
    found = {}
    for line in drawing.lines:
        control = line.arm in grey
        place = (untested if control else tested).index(line.arm)
        colours = CONTROLS if control else TESTED
        several = len(drawing.y) > 1
        dashes = drawing.y.index(line.series) if several else place + control
        found[line.arm, line.series] = Stroke(COLOURS[colours[place % len(colours)]], place, dashes, control)
    return found


def legends(record: ClaimRecord, drawing: Drawing, styles: dict[tuple[str, str], Stroke]) -> list[Entry]:
    """The legend of a figure: its arms in columns, then the curves and levels that they are compared with."""
    arms: dict[str, Stroke] = {}
    for (arm, _), stroke in styles.items():
        arms.setdefault(arm, stroke)
    wrong = formulas(record)
    role = {arm: f" ({FORMULA if arm in wrong else 'control'})" for arm, stroke in arms.items() if stroke.control}
    named = [(shortened(f"{arm}{role.get(arm, '')}", 60), stroke.look) for arm, stroke in arms.items()]
    notes = _notes(record, drawing)
    width = max((len(words) for words, _ in named), default=0) * TEXT * _LETTER + _SAMPLE + 14
    columns = max(1, min(len(named) or 1, int((WIDTH - _LEFT) // width)))
    rows = -(-len(named) // columns)
    whole = rows + len(notes)
    entries = [
        Entry(words, sample, _LEFT + index % columns * width, _ROW * (whole - 1 - index // columns) + 4)
        for index, (words, sample) in enumerate(named)
    ]
    return entries + [
        Entry(words, sample, _LEFT, _ROW * (len(notes) - 1 - row) + 4) for row, (words, sample) in enumerate(notes)
    ]


def legend_height(entries: list[Entry]) -> float:
    """The height of a legend, in points."""
    return max((entry.bottom for entry in entries), default=0.0) + _ROW


def _notes(record: ClaimRecord, drawing: Drawing) -> list[tuple[str, dict[str, Any]]]:
    """The entries for lines that do not belong to an arm: theory's curve, and the level."""
    notes: list[tuple[str, dict[str, Any]]] = []
    if drawing.references:
        meaning = record.meanings.get(drawing.references[0].series, drawing.references[0].series)
        first, *rest = picture_lines(meaning, 66, name="theory")
        notes.append((first, {"color": COLOURS["ink"], "linewidth": 0.9, "linestyle": (0, (3, 2))}))
        notes += [(row, {}) for row in rest]
    if drawing.level is not None:
        dotted = {"color": COLOURS["ink"], "linewidth": 0.8, "linestyle": (0, (1, 1.5))}
        notes.append((f"level {numeral(drawing.level)}", dotted))
    return notes
