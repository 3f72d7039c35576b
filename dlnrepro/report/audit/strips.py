"""The runs of an arm as a row of text: the more runs, the higher the block; a bar marks each threshold.

If the runs have different thresholds, each run is placed relative to its own threshold (`dlnrepro.verdict.distances`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dlnrepro.report.words.numbers import number
from dlnrepro.verdict.audit import placed
from dlnrepro.verdict.audited import CriterionAudit
from dlnrepro.verdict.sharpness import on_scale

_BLOCKS = "▁▂▃▄▅▆▇█"
THRESHOLD = "|"


def strips(item: CriterionAudit, columns: int) -> tuple[list[str], str] | None:
    """A row for each arm and each control, and the axis below them; None without the numbers of single runs.

    Args:
        item: the criterion.
        columns: how many columns a row has.
    """
    axis, of_arms = placed(item)
    values = [value for found in of_arms for value in found]
    if axis is None or not values:
        return None
    ends = [end for end in (axis.interval.low, axis.interval.high) if math.isfinite(end)]
    place = on_scale(item.scale, [*values, *ends])
    places = [place(value) for value in (*values, *ends)]
    low, high = min(places), max(places)
    if high <= low:
        low, high = low - 1.0, high + 1.0

    def column(value: float) -> int:
        """The column of a value, from 0."""
        return min(columns - 1, int((place(value) - low) / (high - low) * columns))

    marks = {column(end) for end in ends}
    rows = [_row([column(value) for value in found], marks, columns) for found in of_arms]
    left, right = (number(10**end if item.scale == "logarithmic" else end) for end in (low, high))
    blanks = " " * max(1, columns - len(left) - len(right))
    return rows, f"{left}{blanks}{right}"


def _row(places: Sequence[int], marks: set[int], columns: int) -> str:
    """One row: blocks where runs lie, and bars where thresholds are and no run lies."""
    counts = [places.count(column) for column in range(columns)]
    most = max(counts)
    signs = []
    for column, count in enumerate(counts):
        if count:
            signs.append(_BLOCKS[round((len(_BLOCKS) - 1) * math.sqrt(count / most))])
        else:
            signs.append(THRESHOLD if column in marks else " ")
    return "".join(signs)
