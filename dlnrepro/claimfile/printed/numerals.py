"""A number with all its printed digits, zeros at the end included: 0.640 has three."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from dlnrepro.claimfile.messages import rule, shown
from dlnrepro.settings.numerals import numeral

LONGEST_NUMERAL = 40
"""The most characters of a printed number."""

SERIES_DIGITS = 6
"""The most significant digits of a number that is compared with a series, since reports keep six digits of a series."""

_NUMERAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)


def as_printed(value: Any) -> str:
    """A number as it is printed: the text of a claim file as it is, and a number in its shortest form.

    Raises:
        PydanticCustomError: the value is not a number, too long or too large.
    """
    text = numeral(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    expected = f"a number as it is printed, such as 0.640, of at most {LONGEST_NUMERAL} characters"
    if not isinstance(text, str) or len(text) > LONGEST_NUMERAL or not _NUMERAL.fullmatch(text):
        raise rule(expected, shown(value))
    if not math.isfinite(float(text)):
        raise rule("a finite number", shown(value))
    return text


def last_unit(text: str) -> float:
    """The unit of the last digit of a printed number: 0.001 for `0.640`, 1 for `25`, 100 for `1.0e3`."""
    return float(Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent)))


def significant_digits(text: str) -> int:
    """The number of significant digits of a printed number: 3 for `0.640`."""
    return len(Decimal(text).as_tuple().digits)
