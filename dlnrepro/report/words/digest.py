"""A report in a few plain words, the same in every format: runs passed, the tightest criterion, controls, time."""

from __future__ import annotations

import math

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.claimfile.interval import Interval, interval
from dlnrepro.errors import Unjudged
from dlnrepro.report.words.numbers import duration, number
from dlnrepro.settings.numerals import setting
from dlnrepro.signals import name_of
from dlnrepro.verdict.check import Check, share_lower_bound
from dlnrepro.verdict.judge import Judged
from dlnrepro.visible import in_a_line

SIGNS = {"reproduced": "✓", "not reproduced": "✗", "inconclusive": "?", "error": "!"}
MARKS = {"pass": "✓", "fail": "✗", "undecided": "?"}
ARM_HEADS = ("arm", "inside", "share", "median", "range")
LEGEND = (
    ("runs", "those that passed, of all runs in the arms where the criteria must hold"),
    ("controls", "those that failed as required, of all negative controls"),
    ("time", "computing time, summed over the arms; cached: an earlier run spent some"),
    ("below", "the tightest criterion, its worst run, and the interval required"),
)
"""What the words of a summary mean."""


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


def tightest(record: ClaimRecord) -> str:
    """The criterion whose worst run uses up most of its interval: its id, its measure in that run, and the interval."""
    item = max(record.criteria, key=_use, default=None)
    if item is None or item.worst is None:
        return "none"
    return f"{item.id}: worst {item.measure} {number(item.worst)}, required {item.interval_text}"


def computing_time(record: ClaimRecord) -> str:
    """How long the claim's arms took together, and whether part of that is stored from an earlier run."""
    return duration(record.seconds) + (" cached" if "cached" in record.stamps else "")


def interruption(report: Report) -> str | None:
    """Which signal ended a run before all its claims were judged; None for a run that came to its end."""
    if not report.interrupted:
        return None
    ended = f"ended by {name_of(report.exit_code)}" if report.exit_code > 128 else "interrupted"
    return f"{ended}: claims not listed did not finish"


def unjudged_words(item: Unjudged) -> str:
    """What could not be judged, and why, in a line; the line and column of a fault follow the path at once."""
    path = in_a_line(item.path or "")
    place = "" if item.line is None else f":{item.line}:{item.column or 1}"
    return f"{path}{place}: " * bool(path) + in_a_line(item.text)


def verdict_counts(report: Report) -> str:
    """How many claims came out in each way, and how much was not judged."""
    counts = [f"{count} {word}" for word, count in report.counts.items() if count] or ["no claim finished"]
    return ", ".join(counts + ([f"{len(report.unjudged)} not judged"] if report.unjudged else []))


def failed_controls(record: ClaimRecord) -> tuple[int, int]:
    """How many controls failed as required, of how many."""
    controls = [control for item in record.criteria for control in item.fails_in]
    return sum(control.tells for control in controls), len(controls)


def arm_words(check: Check, control: bool) -> tuple[str, str, str, str, str]:
    """One arm: its name, runs inside, the bound on their share (or whether a control fails), median, range."""
    name = f"control {check.arm}" if control else check.arm
    share = control_words(check) if control else f"≥ {check.share_lower_bound:.2f}"
    if check.undecided:
        name += f" ({check.undecided} undecided)"
    spread = "none" if check.min is None else f"{number(check.min)} … {number(check.max)}"
    return name, f"{check.inside}/{len(check.seeds)}", share, number(check.median), spread


def control_words(check: Check) -> str:
    """Whether a control fails as required."""
    return "fails as required" if check.tells else "does not fail" if check.inside else "undecided"


def gap_words(item: Judged) -> str | None:
    """How far apart the arms and their controls are, or None where there is nothing to compare."""
    if item.gap is None:
        return None
    if item.gap > 0:
        return f"gap from the worst run to the nearest run of a control: {number(item.gap)}"
    return f"the worst run and a control overlap by {number(-item.gap)}"


def evidence_of_report(report: Report) -> str | None:
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


def departures(record: ClaimRecord) -> list[str]:
    """Each parameter that has another value than the claim file says, with the arms that have it and those that do not.

    An arm that sets a parameter itself keeps its value when the setup's value is changed. The toy profile is part of
    the claim file, so what it changes is no departure.
    """
    setup, arms = record.claim.get("setup", {}), record.claim.get("arms", {})
    if "toy" in record.stamps:
        setup = {**setup, **record.claim.get("quick", {}).get("setup", {})}
    changed: dict[tuple[str, str, str], list[str]] = {}
    for arm, params in record.params.items():
        written = {**setup, **arms.get(arm, {})}
        for key, value in params.items():
            if key in written and _plain(value) != _plain(written[key]):
                changed.setdefault((key, setting(value), setting(written[key])), []).append(arm)
    lines = []
    for (key, value, before), reached in changed.items():
        affected = {arm for (name, _, _), members in changed.items() if name == key for arm in members}
        keeping = [arm for arm in record.params if arm not in affected]
        kept = f"; not in {', '.join(keeping)}" if keeping else ""
        lines.append(f"{key} = {value} in place of {before} in {', '.join(reached)}{kept}")
    return lines


def _plain(value: object) -> object:
    """A parameter's value with lists for all series, so that equal ones are equal."""
    return list(map(_plain, value)) if isinstance(value, list | tuple) else value


def allowance(misses: int) -> str:
    """How many runs of an arm a criterion lets miss, behind its interval; nothing if all must pass."""
    return f", {misses} {'run' if misses == 1 else 'runs'} may miss" if misses else ""
