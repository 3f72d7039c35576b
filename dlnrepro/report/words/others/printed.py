"""Numbers that others have printed, next to ours, in words: rows of a table, sentences and counts.

`dlnrepro.verdict.printed` says when two numbers agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from dlnrepro.claimfile.printed.numerals import significant_digits
from dlnrepro.claimfile.schema import Criterion
from dlnrepro.settings.numerals import numeral

if TYPE_CHECKING:
    # Only for annotations: `dlnrepro show` has no report, and this import takes a third of its time.
    from dlnrepro.archive.record import ClaimRecord
    from dlnrepro.verdict.printed import PrintedNumber

PRINTED_HEADS = ("printed number", "printed", "ours (range of runs)", "units of the last printed digit", "agreement")

_LONGEST_FRACTION = 15
"""Decimal places of the smallest number that is written without a power of ten."""

_DIGITS = 4
"""The least number of significant digits of a number that is written with a power of ten."""

_LARGEST = 1e12
"""Numbers from here on are written with a power of ten."""


def printed_counts(records: Iterable[ClaimRecord]) -> str | None:
    """How many printed numbers there are and how many agree with ours, in words; None if there is none."""
    found = [item.agreement for record in records for item in record.printed]
    if not found:
        return None
    total = f"{len(found)} printed number{'s' * (len(found) > 1)}"
    exact, inside = found.count("to the last digit"), found.count("within the runs")
    agree = exact + inside
    parts = []
    if agree:
        how = {
            (True, True): f"{exact} to the last digit, {inside} within the runs",
            (True, False): "to the last digit",
            (False, True): "within the runs",
        }[bool(exact), bool(inside)]
        parts.append(f"{agree} agree{'s' * (agree == 1)} ({how})")
    if differ := found.count("differs"):
        parts.append(f"{differ} differ{'s' * (differ == 1)}")
    if left := found.count("not compared"):
        parts.append(f"{left} not compared")
    return f"{total}, {', '.join(parts)}"


def printed_differences(record: ClaimRecord) -> list[str]:
    """The printed numbers of a claim that differ from ours, in a sentence each."""
    return [f"{sentence(item)}; this does not change the verdict" for item in record.printed if differs(item)]


def differs(item: PrintedNumber) -> bool:
    """Whether a printed number differs from ours."""
    return item.agreement == "differs"


def of_criterion(record: ClaimRecord, criterion: str) -> list[PrintedNumber]:
    """The printed numbers of a criterion that a report shows: all of them, or none if no number is compared."""
    if all(item.agreement == "not compared" for item in record.printed):
        return []
    return [item for item in record.printed if item.criterion == criterion]


def row(item: PrintedNumber) -> tuple[str, str, str, str, str]:
    """A printed number in the words of its table: what it is, its text, our number, the difference, the agreement."""
    return name(item), item.printed, ours_words(item), units_words(item), agreement_words(item)


def sentence(item: PrintedNumber) -> str:
    """A printed number with its place and ours, as a sentence without its end."""
    printed = f"{item.printed} is printed for {name(item)} ({item.where})"
    if item.units is None:
        return f"{printed}: {agreement_words(item)}"
    difference = f"a difference of {units_words(item)} units of the last printed digit"
    return f"{printed}, and ours is {ours_words(item)}, {difference}: {agreement_words(item)}"


def sources(items: Iterable[PrintedNumber]) -> list[str]:
    """Where some numbers are printed, each place once, with its note."""
    lines = [f"printed in {item.where}{f'. {_flowing(item.note)}' if item.note else ''}" for item in items]
    return list(dict.fromkeys(lines))


def name(item: PrintedNumber) -> str:
    """What a printed number is, such as `cosine at 3 in my-arm`."""
    return _name(item.measure, item.at, item.arm, item.runs)


def ours_words(item: PrintedNumber) -> str:
    """Our number with one digit more than the printed one, and the range of our runs if they differ."""
    if item.ours is None or item.low is None or item.high is None:
        return "none"
    ours, low, high = (_like(value, item.printed) for value in (item.ours, item.low, item.high))
    return ours if low == high == ours else f"{ours} ({low} … {high})"


def units_words(item: PrintedNumber) -> str:
    """Our number minus the printed one in units of its last digit, with its sign, such as `+0.4` or `-12`."""
    if item.units is None:
        return "none"
    if abs(item.units) < 0.05:
        return "0"
    if abs(item.units) < 9.95:
        return f"{item.units:+.1f}"
    return f"{item.units:+.0f}" if abs(item.units) < _LARGEST else f"{'+' * (item.units > 0)}{numeral(item.units, 3)}"


def agreement_words(item: PrintedNumber) -> str:
    """Whether a printed number agrees with ours, and within how many units if the claim allows more than one."""
    if item.agreement == "differs":
        return "differs"
    if item.agreement == "not compared":
        return "not compared"
    if item.agreement == "within the runs":
        return f"agrees {_INTERVALS[item.runs]}"
    if item.allowed == 1:
        return "agrees to the last digit"
    return f"agrees within {numeral(item.allowed)} units"


_INTERVALS = {
    "one": "within the runs",
    "mean": "within two standard errors of the mean",
    "median": "within the 95 % interval of the median",
}


def why_not_compared(record: ClaimRecord) -> str | None:
    """Why numbers of a claim are not compared; None if all are."""
    if not any(item.agreement == "not compared" for item in record.printed):
        return None
    if record.variation.quick or record.variation.overrides:
        return "printed numbers are not compared, because this result has other settings than the claim file"
    return "printed numbers without a number of ours are not compared"


def stated_in_file(criterion: Criterion) -> list[str]:
    """The printed numbers of a criterion of a claim file, without ours, in a line per place."""
    lines = []
    for printed in criterion.printed or ():
        arms = ", ".join(printed.arm or criterion.holds_in[: 1 if printed.series is None else 0])
        points = f" at {', '.join(map(numeral, printed.at))}" if printed.at else ""
        what = printed.series or ", ".join(printed.measure or (criterion.measure,))
        kind = {"every": "", "one": " (one run)", "mean": " (mean of runs)", "median": " (median of runs)"}[
            printed.runs
        ]
        note = f". {_flowing(printed.note)}" if printed.note else ""
        place = f"{what}{points}{f' in {arms}' if arms else ''}{kind}"
        lines.append(f"printed elsewhere: {', '.join(printed.value)} for {place}, in {printed.where}{note}")
    return lines


def _name(measure: str, at: float | None, arm: str, runs: str) -> str:
    """What a printed number is, with the point of a series and the arm."""
    kind = {"every": "", "one": "one run of ", "mean": "mean of ", "median": "median of "}[runs]
    return f"{kind}{measure}{'' if at is None else f' at {numeral(at)}'} in {arm}"


def _like(value: float, printed: str) -> str:
    """A number with one digit more than a printed number has."""
    exponent = int(Decimal(printed).as_tuple().exponent)
    if -_LONGEST_FRACTION < exponent <= 0 and abs(value) < _LARGEST:
        return f"{value:.{1 - exponent}f}"
    return numeral(value, max(_DIGITS, significant_digits(printed) + 1))


def _flowing(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())
