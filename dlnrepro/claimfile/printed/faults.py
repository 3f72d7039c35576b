"""Printed numbers of a claim file that cannot be compared with ours, and their texts as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from dlnrepro.claimfile.document import Document, Place
from dlnrepro.claimfile.printed.numerals import SERIES_DIGITS, significant_digits
from dlnrepro.claimfile.schema import Claim, Criterion, Printed
from dlnrepro.errors import Fault, one_of, unknown


def with_printed_texts(document: Document) -> dict[str, Any]:
    """The values of a file, with the texts of printed numbers in their place: zeros at the end are digits too."""
    value: dict[str, Any] = document.value
    written = {place: text for place, text in document.numerals.items() if _is_printed(place)}
    if not written:
        return value
    value = {**value, "criteria": deepcopy(value["criteria"])}
    for place, text in written.items():
        inside: Any = value
        for part in place[:-1]:
            inside = inside[part]
        inside[place[-1]] = text
    return value


def _is_printed(place: Place) -> bool:
    """Whether a place holds a printed number: the value, or one of the values, of a criterion's key `printed`."""
    return tuple(part for part in place if isinstance(part, str)) == ("criteria", "printed", "value")


def printed_faults(claim: Claim) -> Iterable[tuple[Place, Fault]]:
    """Faults for printed numbers without an arm, in an arm that has no such number, or with too many digits."""
    for criterion, place, printed in _printed(claim):
        known = alone = [*criterion.holds_in, *criterion.fails_in]
        what = "an arm of the criterion"
        if printed.series is None:
            alone = [*criterion.holds_in]
        else:
            figures = [figure for figure in claim.figures if printed.series in figure.y]
            known = alone = list(dict.fromkeys(arm for figure in figures for arm in figure.arms))
            what = f"an arm in which a figure shows the series '{printed.series}'"
            if not known:
                yield (*place, "series"), Fault(expected="a series that a figure shows", found=f"'{printed.series}'")
                continue
            yield from _too_precise(place, printed)
        if printed.arm is None and len(alone) > 1:
            yield (*place, "arm"), Fault(expected=f"{what}: {one_of(known, '')}", found="none")
        for arm in printed.arm or ():
            if arm not in known:
                fault = unknown(arm, known)
                yield (*place, "arm"), replace(fault, expected=f"{what}: {fault.expected}")


def unknown_printed_measures(claim: Claim, measures: Sequence[str]) -> Iterable[tuple[Place, Fault]]:
    """Faults for printed numbers of measures that are not there."""
    for _, place, printed in _printed(claim):
        for name in printed.measure or ():
            if name not in measures:
                yield (*place, "measure"), unknown(name, measures)


def _printed(claim: Claim) -> Iterable[tuple[Criterion, Place, Printed]]:
    """The printed numbers of all criteria, each with its criterion and its place."""
    for index, criterion in enumerate(claim.criteria):
        for number, printed in enumerate(criterion.printed or ()):
            yield criterion, ("criteria", index, "printed", number), printed


def _too_precise(place: Place, printed: Printed) -> Iterable[tuple[Place, Fault]]:
    """Faults for numbers with more digits than a series has."""
    for number, text in enumerate(printed.value):
        if (digits := significant_digits(text)) > SERIES_DIGITS:
            expected = f"at most {SERIES_DIGITS} digits, with which series are stored"
            yield (*place, "value", number), Fault(expected=expected, found=f"{digits} digits")
