"""Sentences that only the page has: which arms fail, and what a reduced result leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.words.shares import uncounted_words
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged, passes
from dlnrepro.verdict.outcome import BATCH


def failing_arms(record: ClaimRecord) -> list[str]:
    """Every arm in which an assumption or criterion is not as it must be, and every control that does not fail.

    Nothing where the verdict's own sentence says it all.
    """
    lines = [f"{arm}: error: {outcome.fault}" for arm, outcome in record.outcomes.items() if outcome.fault]
    for item in (*record.assumptions, *record.criteria):
        lines += _shortcomings(item)
    return lines if record.verdict == "not reproduced" or len(lines) > 1 else []


def uninformative(item: Judged) -> bool:
    """Whether some control passes a criterion."""
    return any(passes(check) for check in item.fails_in)


def runs_per_arm(record: ClaimRecord) -> str:
    """How many runs the arms of this result have, such as `16` or `16 to 48`; an arm at fault has none."""
    return _extent([len(outcome.seeds) for outcome in record.outcomes.values() if outcome.seeds] or [0])


def reduced_report(report: Report) -> str | None:
    """How many results of a report come from the quick profile; None where all are full ones."""
    reduced = [record for record in report.claims if "toy" in record.stamps]
    if not reduced:
        return None
    runs = [len(outcome.seeds) for record in reduced for outcome in record.outcomes.values() if outcome.seeds]
    small, whole = _extent(runs or [0]), _extent([record.claim["seeds"] for record in reduced])
    if len(reduced) < len(report.claims):
        which = f"{len(reduced)} of {len(report.claims)} results {'comes' if len(reduced) == 1 else 'come'}"
    else:
        which = "The result comes" if len(reduced) == 1 else "All results come"
    look = "It is only a first look." if len(reduced) == 1 else "They are only a first look."
    few = f" With fewer than {BATCH} runs, a criterion holds if no run fails, which shows little." * (
        max(runs, default=0) < BATCH
    )
    return f"{which} from the quick profile, with {small} instead of {whole} runs per arm. {look}{few}"


def _shortcomings(item: Judged) -> Iterator[str]:
    """What is not as it must be in a criterion or assumption, arm by arm."""
    name = f"{item.id} ({item.measure} {item.interval_text})"
    outside = [check for check in item.holds_in if check.broken]
    if outside:
        yield f"{name} fails in {_counted(outside, [check.outside for check in outside], 'outside')}"
    undecided = [check for check in item.holds_in if check.seeds and not check.holds and not check.broken]
    if undecided:
        yield f"{name} is undecided in {_counted(undecided, [check.inside for check in undecided], 'inside')}"
    in_doubt = [check for check in item.fails_in if check.seeds and not check.holds and not passes(check)]
    if in_doubt:
        counts = _counted(in_doubt, [check.outside for check in in_doubt], "outside")
        yield f"{name} is undecided in the control {counts}"
    passing = [check for check in item.fails_in if passes(check)]
    if passing:
        counts = _counted(passing, [check.inside for check in passing], "inside")
        yield f"{name} is uninformative, because it does not fail in the control {counts}"


def _counted(checks: Sequence[Check], counts: Sequence[int], where: str) -> str:
    """Arms by name, each with the number of its runs that are inside or outside, and that do not count."""
    pairs = zip(checks, counts, strict=True)
    return ", ".join(
        f"{check.arm} ({', '.join(filter(None, [f'{count} of {check.counted} runs {where}', uncounted_words(check)]))})"
        for check, count in pairs
    )


def _extent(counts: Sequence[int]) -> str:
    """One number, or the least and the greatest of several."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"
