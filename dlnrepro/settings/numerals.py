"""Numbers and values as text, the same everywhere: in messages, intervals, tables, pages and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping


def numeral(value: float, digits: int | None = None) -> str:
    """A number as a claim file writes it, such as `0.1`, `1e-5`, `4` or `1e7`.

    Args:
        value: the number.
        digits: the number of significant digits; without it, enough digits to read the same number again.
    """
    if isinstance(value, int):
        return str(value)
    if digits is None:
        # Six digits are enough for most numbers that people write; 17 always are.
        texts = (f"{value:.{count}g}" for count in range(6, 18))
        text = next(text for text in texts if float(text) == value or not math.isfinite(value))
    else:
        text = f"{value:.{digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def setting(value: object) -> str:
    """A value as a claim file writes it, such as `[2, 1e-5]`, `true` or `steady`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(setting, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {setting(inner)}' for key, inner in value.items())}}}"
    if value is None:
        return "null"
    return numeral(value) if isinstance(value, float) else str(value)
