"""What the runs of an arm show: the share that is as required, the decision, and why there are further runs.

A run is as required if it lies inside the interval in an arm where the criterion must hold, or outside in a control.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dlnrepro.claimfile.schema import Claim
from dlnrepro.report.words.numbers import percent
from dlnrepro.settings.numerals import numeral
from dlnrepro.verdict.check import Check, Quantifier
from dlnrepro.verdict.judge import judge, passes
from dlnrepro.verdict.outcome import Outcome
from dlnrepro.verdict.rule import BAD, GOOD

if TYPE_CHECKING:
    # Only for annotations: `dlnrepro show` has no report, and this import takes a third of its time.
    from dlnrepro.archive.record import ClaimRecord

TESTED = f"at least {percent(GOOD)} against at most {percent(BAD)}"
"""The two shares that the rule for almost all runs compares."""

SIGNS_OF_ARMS = {"holds": "✓", "broken": "✗", "open": "?", "undecided": "?"}


def quantifier_words(runs: Quantifier) -> str:
    """The runs that a criterion speaks of, as a clause that follows its interval."""
    return " in every run" if runs == "every" else f" for almost all runs: {TESTED}"


def inside_words(check: Check) -> str:
    """How many runs lie inside, of the counted runs, such as `31/32`."""
    return f"{check.inside}/{check.counted}"


def uncounted_words(check: Check) -> str:
    """How many runs count for neither side, such as `2 undecided, 1 left out`; nothing if all runs count."""
    parts = ((check.undecided, "undecided"), (check.left_out, "left out"))
    return ", ".join(f"{count} {word}" for count, word in parts if count)


def share_words(check: Check) -> str:
    """The share of the counted runs that are as required, with its exact 95 % interval, such as `97 % (83–100)`."""
    if not check.seeds:
        return "not run"
    if check.share is None:
        return "none"
    return f"{_percent(check.share)} % ({interval_words(check)})"


def interval_words(check: Check) -> str:
    """The exact 95 % interval of a share in percent, rounded outwards, such as `83–100`."""
    low, high = math.floor(100 * check.share_low + 1e-9), math.ceil(100 * check.share_high - 1e-9)
    return f"{low}–{high}"


def decision_words(check: Check) -> str:
    """The decision on a criterion in an arm, or on a control."""
    if not check.seeds:
        return "not run"
    if check.control:
        return "fails as required" if check.holds else "passes too" if passes(check) else "undecided"
    return "holds" if check.holds else "broken" if check.broken else "undecided"


def further_runs(record: ClaimRecord) -> list[str]:
    """Why arms have more runs than their first batch, a clause for each arm; empty if no arm has more."""
    runs = {arm: len(outcome.seeds) for arm, outcome in record.outcomes.items()}
    most = max(runs.values(), default=0)
    if record.variation.fixed or most <= int(record.claim.get("seeds", most)):
        return []
    # `dlnrepro show` needs no numpy, which this module imports and which takes a fifth of its time.
    from dlnrepro.compute.parts import following

    claim = Claim.model_validate(record.claim)
    doubts: dict[str, tuple[int, list[str]]] = {}
    done = first = record.variation.batch(claim)
    while done < most:
        outcomes = {arm: _cut(outcome, done) for arm, outcome in record.outcomes.items()}
        verdict = judge(claim, outcomes, record.variation.controls, last=False, params=record.params)
        in_doubt: dict[str, list[str]] = {}
        for item in (*verdict.assumptions, *verdict.criteria):
            for check in (*item.holds_in, *item.fails_in):
                if check.decision == "open" and runs[check.arm] > done:
                    in_doubt.setdefault(check.arm, []).append(item.id)
        doubts |= {arm: (done, names) for arm, names in in_doubt.items()}
        done += following(first, done)
    return [
        f"{arm}: {runs[arm]} runs, because after {done} the share was in doubt ({', '.join(names)})"
        for arm, (done, names) in doubts.items()
    ]


def _cut(outcome: Outcome, runs: int) -> Outcome:
    """The outcome of the first runs of an arm."""
    return Outcome(outcome.seeds[:runs], {name: list(values)[:runs] for name, values in outcome.measures.items()})


def _percent(share: float) -> str:
    """A share in percent with the digits that distinguish it from 0 and 1."""
    whole = f"{100 * share:.0f}"
    return numeral(100 * share, 3) if (whole in ("0", "100")) and 0 < share < 1 else whole
