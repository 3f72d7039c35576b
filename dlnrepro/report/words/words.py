"""Sentences and short words of a written report."""

from __future__ import annotations

import statistics

from dlnrepro.report.words.numbers import number
from dlnrepro.verdict.judge import Judged

STAMPS = {
    "modified": "with other parameters or seeds than the claim file's",
    "toy": "in the toy profile, for a first look",
    "no-controls": "without negative controls",
    "cuda": "on a GPU",
    "cached": "with numbers that were computed before, by the same code",
    "dirty": "with code that had uncommitted changes",
    "unknown code": "with code whose state git does not give",
    "stale": "with numbers that other code or versions made, which are not used",
}


def evidence_of_criterion(item: Judged) -> str:
    """What a criterion's runs and controls showed, in a sentence or two."""
    runs = sum(len(check.seeds) for check in item.holds_in)
    inside = sum(check.inside for check in item.holds_in)
    undecided = sum(check.undecided for check in (*item.holds_in, *item.fails_in))
    arms = f" in {len(item.holds_in)} arms" if len(item.holds_in) > 1 else ""
    bound = min((check.share_lower_bound for check in item.holds_in), default=0.0)
    text = f"{inside} of {runs} runs{arms} lie inside"
    each = " in each arm" if len(item.holds_in) > 1 else ""
    text += f", so{each} at least {bound:.2f} of all runs do (95 % confidence)" if item.holds else ""
    values = [value for check in item.holds_in for value in check.values if value is not None]
    if values:
        text += f"; median {number(statistics.median(values))}, worst run {number(item.worst)}"
    if item.fails_in:
        failing = sum(check.tells for check in item.fails_in)
        controls = "controls fail" if len(item.fails_in) > 1 else "control fails"
        text += f". {failing} of {len(item.fails_in)} {controls} as required"
    if item.gap is not None:
        between = "the gap between them and the runs is" if item.gap > 0 else "they and the runs overlap by"
        text += f"; {between} {number(abs(item.gap))}"
    return text + (f". {undecided} runs are undecided." if undecided else ".")


def size(count: int) -> str:
    """Bytes as MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
