"""A claim's record in a few plain words, the same in every format: runs passed, the closest criterion, controls."""

from __future__ import annotations

import math

from dlnrepro.check import Check, share_lower_bound
from dlnrepro.interval import Interval, interval
from dlnrepro.record import ClaimRecord, Report
from dlnrepro.report.numbers import number
from dlnrepro.verdict import Judged

SIGNS = {"reproduced": "✓", "not reproduced": "✗", "inconclusive": "?", "error": "!"}
MARKS = {"pass": "✓", "fail": "✗", "undecided": "?"}
ARM_HEADS = ("", "runs in", "share", "median", "range")


def signed(record: ClaimRecord) -> str:
    """The verdict with its sign."""
    return f"{SIGNS[record.verdict]} {record.verdict}"


def passing_runs(record: ClaimRecord) -> tuple[int, int]:
    """How many runs of the arms that must hold pass everything that is asked of them, of how many."""
    passing: dict[str, list[bool]] = {}
    for item in (*record.assumptions, *record.criteria):
        bounds = _interval(item)
        for check in item.holds_in:
            runs = passing.setdefault(check.arm, [True] * len(check.seeds))
            for index, value in enumerate(check.values):
                runs[index] &= value is not None and bounds.contains(value)
    return sum(map(sum, passing.values())), sum(map(len, passing.values()))


def closest(record: ClaimRecord) -> str:
    """The worst run of the criterion that is closest to its bound, beside its threshold."""
    tightest = max(record.criteria, key=_use, default=None)
    if tightest is None or tightest.worst is None:
        return "none"
    text = tightest.interval_text
    wanted = text if text[0] in "<>≤≥" else f"in {text.replace(' ', '')}"
    return f"{number(tightest.worst)} {wanted}"


def controls_told(record: ClaimRecord) -> tuple[int, int]:
    """How many controls told, of how many."""
    controls = [control for item in record.criteria for control in item.fails_in]
    return sum(control.tells for control in controls), len(controls)


def arm_words(check: Check, control: bool) -> tuple[str, str, str, str, str]:
    """One arm: its name, runs inside, the bound on their share (or what a control tells), median, range."""
    name = f"control {check.arm}" if control else check.arm
    if control:
        share = "tells" if check.tells else "blind" if check.inside else "undecided"
    else:
        share = f"≥ {check.share_lower_bound:.2f}"
    if check.undecided:
        name += f" ({check.undecided} undecided)"
    spread = "none" if check.min is None else f"{number(check.min)} … {number(check.max)}"
    return name, f"{check.inside}/{len(check.seeds)}", share, number(check.median), spread


def gap_words(item: Judged) -> str | None:
    """How far apart the arms and their controls are, or None where there is nothing to compare."""
    if item.gap is None:
        return None
    if item.gap > 0:
        return f"gap from the worst run to the nearest run of a control: {number(item.gap)}"
    return f"the worst run and a control overlap by {number(-item.gap)}"


def evidence(report: Report) -> str | None:
    """What the number of runs shows, and no more; None where no claim was reproduced."""
    checks = (check for record in report.claims for item in record.criteria for check in item.holds_in)
    runs = max((len(check.seeds) for check in checks), default=0)
    if not runs or not report.counts["reproduced"]:
        return None
    bound = share_lower_bound(runs, runs)
    return f"{runs} of {runs} runs show that at least {bound:.2f} of all runs pass (95 % confidence), no more."


def _interval(item: Judged) -> Interval:
    """The interval of a judged criterion."""
    return interval(**item.interval)


def _use(item: Judged) -> float:
    """How much of its tolerance the worst run uses up: 0 none, 1 all, above 1 too much."""
    bounds = _interval(item)
    if item.worst is None:
        return -1.0
    if math.isfinite(bounds.low) and math.isfinite(bounds.high):
        half = (bounds.high - bounds.low) / 2
        return abs(item.worst - (bounds.low + half)) / half if half else float(item.worst != bounds.low)
    bound = bounds.high if math.isfinite(bounds.high) else bounds.low
    if bound == 0 or item.worst * bound <= 0:
        return 0.0 if bounds.contains(item.worst) else math.inf
    ratio = item.worst / bound
    return ratio if math.isfinite(bounds.high) == (bound > 0) else 1 / ratio


def allowance(misses: int) -> str:
    """How many runs of an arm a criterion lets miss, behind its interval; nothing if all must pass."""
    return f", {misses} {'run' if misses == 1 else 'runs'} may miss" if misses else ""
