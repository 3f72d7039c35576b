"""Numbers, times and curves as short words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dlnrepro.settings.numerals import numeral

_BLOCKS = "▁▂▃▄▅▆▇█"


def number(value: float | None) -> str:
    """A measured number with four significant digits, or `none`."""
    return "none" if value is None else numeral(value, 4)


def percent(share: float) -> str:
    """A share as a whole number of percent, such as `83 %`."""
    return f"{100 * share:.0f} %"


def duration(seconds: float) -> str:
    """A time such as `0.3 s`, `12 s` or `3 min 20 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60} s"


def sparkline(values: Sequence[float | None], logarithmic: bool, scale: Sequence[float | None]) -> str:
    """A curve as a row of blocks, with a blank at each point without a value.

    Args:
        values: the curve.
        logarithmic: whether heights are logarithms; a value that is not positive then has no place and stays blank.
        scale: the values whose smallest and largest are the lowest and the highest block.
    """

    def height(value: float | None) -> float | None:
        """The height of a value on the axis, or None where it has no place."""
        # A record from another program may have NaN or infinity, which have no place on an axis.
        if value is None or not math.isfinite(value) or (logarithmic and value <= 0):
            return None
        return math.log10(value) if logarithmic else value

    known = [found for value in scale if (found := height(value)) is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    unit = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    heights = [height(value) for value in values]
    return "".join(" " if value is None else _BLOCKS[round((value - low) * unit)] for value in heights)
