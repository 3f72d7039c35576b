"""Figures of measured weights: the spectra of one file's layers and their alignment, or both along a series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from dlnrepro.report.drawing.axes import Sheet, dress, panel, span
from dlnrepro.report.drawing.canvas import TEXT, WIDTH, drawn_file
from dlnrepro.report.drawing.colours import COLOURS, TESTED
from dlnrepro.report.words.others.ignored import ignored_words

if TYPE_CHECKING:
    from dlnrepro.dynamics.checkpoints.measured import MeasuredChain, MeasuredFile

MOST_CHAINS = 6
"""Chains of layers that are drawn."""

MOST_LINES = 12
"""Layers or singular values that are named in a legend."""

NOTE_LETTERS = 90
"""Letters in a line of a note."""

_NOTE_LINE = 12.0
_LEFT, _RIGHT, _BODY, _GAP = 40.0, 10.0, 130.0, 44.0


def measured_figure(
    files: Sequence[MeasuredFile], steps: Sequence[float], suffix: str, ignored: Sequence[Sequence[Sequence[str]]]
) -> bytes:
    """The figure of one file of weights, or of a series of checkpoints, as the content of a file.

    For one file: the singular values of each layer and of the product, and the alignment of neighbours. For a series:
    the leading singular values of the product, and the alignments, against the step.

    Args:
        files: the measured files in their order.
        steps: the step of each.
        suffix: the format, such as `.png`.
        ignored: the biases of each chain of each file that are not zero and that its measures ignore.
    """
    names = list(dict.fromkeys(chain.layers.names for file in files for chain in file.chains))[:MOST_CHAINS]
    rows = [
        [
            (step, chain)
            for step, file in zip(steps, files, strict=True)
            for chain in file.chains
            if chain.layers.names == of
        ]
        for of in names
    ]
    notes = _notes(files, ignored)
    lines = sum(len(wrap(notes.get(of, ""), NOTE_LETTERS)) for of in names)
    height = max(len(rows), 1) * (2 * (_BODY + _GAP) + 16) + 8 + lines * _NOTE_LINE
    draw_one = _one if len(files) == 1 else _series

    def draw(page: Figure) -> None:
        sheet, top = Sheet(page), height - 12
        if not rows:
            sheet.text(_LEFT, top, "no linear layer", fontsize=TEXT)
        for row in rows:
            widths = " → ".join(map(str, row[0][1].layers.widths))
            sheet.text(6, top - 4, f"{len(row[0][1].layers.names)} linear layers, widths {widths}", fontweight="bold")
            top -= 16
            if said := notes.get(row[0][1].layers.names):
                for line in wrap(said, NOTE_LETTERS):
                    sheet.text(6, top - 4, line, fontsize=TEXT - 1)
                    top -= _NOTE_LINE
            upper, lower = (
                panel(page, _LEFT, top - part * (_BODY + _GAP) - _BODY - 14, WIDTH - _LEFT - _RIGHT, _BODY)
                for part in (0, 1)
            )
            texts = draw_one(row, upper, lower)
            for part, (above, below) in enumerate(texts):
                place = top - part * (_BODY + _GAP)
                sheet.text(6, place - 9, above, color=COLOURS["muted"])
                sheet.text((_LEFT + WIDTH - _RIGHT) / 2, place - _BODY - 36, below, ha="center", color=COLOURS["muted"])
            top -= 2 * (_BODY + _GAP)

    return drawn_file(suffix, height, draw)


def _notes(files: Sequence[MeasuredFile], ignored: Sequence[Sequence[Sequence[str]]]) -> dict[tuple[str, ...], str]:
    """What is said of the ignored biases of each chain, by the names of its layers."""
    biases: dict[tuple[str, ...], dict[str, None]] = {}
    for file, of_chains in zip(files, ignored, strict=True):
        for chain, found in zip(file.chains, of_chains, strict=True):
            biases.setdefault(chain.layers.names, {}).update(dict.fromkeys(found))
    return {names: ignored_words(list(found)) for names, found in biases.items()}


_Row = Sequence[tuple[float, "MeasuredChain"]]
_Texts = list[tuple[str, str]]


def _one(row: _Row, upper: Axes, lower: Axes) -> _Texts:
    """The spectra of one chain's layers, and the alignment of its neighbours."""
    chain = row[0][1]
    named = list(zip(chain.layers.names, chain.measures.layers, strict=True))
    lines = [(name, item.singular_values) for name, item in named]
    if len(named) > 1:
        lines.append(("product", chain.measures.product.singular_values))
    _lines(upper, [(name, list(range(1, len(values) + 1)), values) for name, values in lines], counted=True)
    gaps = [pair.alignment_gap for pair in chain.measures.neighbours]
    _lines(lower, [("", list(range(1, len(gaps) + 1)), gaps)] if gaps else [], counted=True)
    return [
        ("singular values", "number of the singular value"),
        ("1 − alignment of the layers l and l + 1 (0: aligned)", "layer l"),
    ]


def _series(row: _Row, upper: Axes, lower: Axes) -> _Texts:
    """The leading singular values of the product of a chain, and the alignments of its neighbours, along a series."""
    steps = [step for step, _ in row]
    spectra = [chain.measures.product.singular_values for _, chain in row]
    leading = range(min(min(map(len, spectra)), MOST_LINES // 2))
    _lines(upper, [(f"σ{k + 1}", steps, [values[k] for values in spectra]) for k in leading])
    pairs = range(len(row[0][1].measures.neighbours))
    gaps = [
        (f"layers {k + 1}, {k + 2}", steps, [chain.measures.neighbours[k].alignment_gap for _, chain in row])
        for k in pairs
    ]
    _lines(lower, gaps)
    return [("leading singular values of the product", "step"), ("1 − alignment of neighbours (0: aligned)", "step")]


def _lines(axes: Axes, lines: Sequence[tuple[str, Sequence[float], Sequence[float]]], counted: bool = False) -> None:
    """Draw lines with marks on a logarithmic scale, each with its name in a legend.

    Args:
        axes: the axes.
        lines: the name, the places and the values of each line.
        counted: whether the places are whole numbers, so that no tick stands between them.
    """
    x = span((place for _, places, _ in lines for place in places), False, 0.04)
    y = span((value for _, _, values in lines for value in values), True, 0.08)
    if x is None or y is None:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color=COLOURS["muted"])
        return
    dress(axes, "x", x, False)
    dress(axes, "y", y, True)
    if counted:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    for number, (name, places, values) in enumerate(lines):
        look: dict[str, Any] = {"color": COLOURS[TESTED[number % len(TESTED)]], "marker": "o", "markersize": 3}
        if name == "product":
            look |= {"color": COLOURS["ink"], "linestyle": "--"}
        shown = [value if value > 0 else math.nan for value in values]
        axes.plot(places, shown, linewidth=1.1, label=name if number < MOST_LINES else "", **look)
    if any(name for name, _, _ in lines):
        axes.legend(fontsize=TEXT - 1.5, frameon=False, ncols=2)
