"""The parameters of a sweep and their values, from words such as `depth=2,3,4` and `step_ratio=0.5:2.5:21`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlnrepro.claimfile.document import parse
from dlnrepro.errors import UsageError, shortened

MOST_VALUES = 1000
"""The most values of one parameter."""

MOST_POINTS = 10_000
"""The most points of a sweep."""

MOST_AXES = 2

FORMS = "KEY=A,B,C, KEY=LOW:HIGH:COUNT or KEY=LOW:HIGH:COUNT:log"

_RANGE = re.compile(r"\s*([^:\[\]{}\"']*):([^:\[\]{}\"']*):([^:\[\]{}\"']*)(?::([^:]*))?")
_DIGITS = 12


@dataclass(frozen=True)
class Axis:
    """One parameter of a sweep.

    Attributes:
        key: the parameter, or ARM.KEY.
        values: its values in their order.
        logarithmic: whether the values are evenly spaced in the logarithm.
    """

    key: str
    values: tuple[Any, ...]
    logarithmic: bool = False

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)


def read_axes(settings: Sequence[str]) -> tuple[list[Axis], list[str]]:
    """The axes in the words of `-s`, and the words that give a parameter one value.

    Raises:
        UsageError: a range cannot be read, or there are no axes, or too many, or too many points.
    """
    axes, fixed, wrong = [], [], []
    for word in settings:
        key, _, text = word.partition("=")
        try:
            axis = _axis(key, text)
        except UsageError as error:
            wrong.append(f"-s {shortened(word)}: {error}")
            continue
        if axis is None:
            fixed.append(word)
        else:
            axes.append(axis)
    if wrong:
        raise UsageError(*wrong)
    if len(keys := [axis.key for axis in axes]) != len(set(keys)):
        raise UsageError(f"-s: expected each parameter once, found '{shortened(keys[0])}' again")
    if not 1 <= len(axes) <= MOST_AXES:
        raise UsageError(f"-s: expected one or two parameters with several values ({FORMS}), found {len(axes)}")
    points = math.prod(len(axis.values) for axis in axes)
    if points > MOST_POINTS:
        raise UsageError(f"-s: expected at most {MOST_POINTS:,} points, found {points:,}")
    return axes, fixed


def _axis(key: str, text: str) -> Axis | None:
    """The axis that `KEY=TEXT` describes, or None if the text is one value."""
    if found := _RANGE.fullmatch(text):
        return _range(key, *found.groups())
    if len(ends := text.split(":")) == 2 and None not in map(_number, ends):
        raise UsageError(f"expected LOW:HIGH:COUNT or LOW:HIGH:COUNT:log, found '{shortened(text)}'")
    if "," not in text or text.lstrip()[:1] in ("[", "{", '"', "'"):
        return None
    values = []
    for part in text.split(","):
        document = parse(part)
        if document.faults or not part.strip():
            raise UsageError(f"expected a value between the commas, found '{shortened(part.strip())}'")
        values.append(document.value)
    if len(values) != len({str(value) for value in values}):
        raise UsageError("expected different values, found one of them again")
    return Axis(key, tuple(values[:MOST_VALUES]))


def _range(key: str, low: str, high: str, count: str, spacing: str | None) -> Axis:
    """The axis of `LOW:HIGH:COUNT` or `LOW:HIGH:COUNT:log`."""
    first, last = _number(low), _number(high)
    if first is None or last is None or first == last:
        raise UsageError(f"expected two different numbers LOW and HIGH, found '{shortened(f'{low}:{high}')}'")
    if not re.fullmatch(r"[0-9]{1,6}", count.strip()) or not 2 <= int(count) <= MOST_VALUES:
        raise UsageError(f"expected a whole number of values from 2 to {MOST_VALUES}, found '{shortened(count)}'")
    if spacing not in (None, "log"):
        raise UsageError(f"expected nothing or log after LOW:HIGH:COUNT, found '{shortened(str(spacing))}'")
    if spacing == "log" and min(first, last) <= 0:
        raise UsageError("expected LOW and HIGH above 0 for values evenly spaced in the logarithm")
    spaced = np.geomspace if spacing == "log" else np.linspace
    values = tuple(rounded(float(value)) for value in spaced(first, last, int(count)))
    return Axis(key, values, spacing == "log")


def rounded(value: float) -> int | float:
    """A number to twelve digits; a whole one as an integer, since 3 and 3.0 are the same setting."""
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 10**_DIGITS else short


def _number(text: str) -> float | None:
    """The finite number that a text is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
