"""Sentences and short words of a written report."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from dlnrepro.report.words.digest import BASES, ONLY_FORMULAS, OWN_BASIS, only_formulas
from dlnrepro.report.words.margins import distance_words, slack_words
from dlnrepro.report.words.numbers import number
from dlnrepro.report.words.shares import interval_words
from dlnrepro.verdict.judge import Judged

STAMPS = {
    "modified": "with other parameters or seeds than those of the claim file",
    "fixed-seeds": "with a fixed number of runs per arm, so that an arm in doubt got no further runs",
    "toy": "with the quick profile of the claim: fewer runs and smaller settings, for a first look",
    "no-controls": "without the negative controls",
    "cuda": "on a GPU",
    "cached": "with numbers that were computed before, by the same code",
    "dirty": "with code that had uncommitted changes",
    "unknown code": "with code whose state git does not give",
    "stale": "with numbers that were made by other code or other versions, and are not used",
}
"""The meaning of each label of a result."""


KINDS = {"theory": "from theory", "derived": "derived here", "pilot": "from a pilot"}
"""The word with which a reason begins -> the origin of the threshold."""


def basis_words(basis: str | None) -> str:
    """The basis of a claim and what it means, such as `abstract (the criteria rest on an abstract)`."""
    basis = basis or OWN_BASIS
    return f"{basis} (the criteria rest on {BASES[basis]})" if basis in BASES else basis


def reason_words(why: str) -> str:
    """The reason of a threshold as a reader sees it, such as `threshold from theory: the limit is 2`."""
    kind, colon, rest = " ".join(why.split()).partition(": ")
    return f"threshold {KINDS[kind]}: {rest}" if colon and kind in KINDS else f"threshold: {' '.join(why.split())}"


def evidence_of_criterion(item: Judged) -> str:
    """The result of a criterion's runs and controls, in a few sentences."""
    sentences = [_runs(item)]
    sentences += _share(item)
    if item.fails_in:
        failing, controls = sum(check.holds for check in item.fails_in), len(item.fails_in)
        if controls == 1:
            sentences.append(f"The control {'fails as required' if failing else 'does not fail as required'}.")
        else:
            number_of = f"All {controls}" if failing == controls else f"{failing} of {controls}"
            sentences.append(f"{number_of} controls fail as required.")
    if only_formulas(item):
        sentences.append(f"{ONLY_FORMULAS[:1].upper()}{ONLY_FORMULAS[1:]}.")
    if distance := distance_words(item):
        sentences.append(f"The {distance.removeprefix('the ')}.")
    if slack := slack_words(item):
        sentences.append(f"S{slack[1:]}.")
    if undecided := sum(check.undecided for check in (*item.holds_in, *item.fails_in)):
        sentences.append(f"{undecided} {'run is' if undecided == 1 else 'runs are'} undecided.")
    if left_out := sum(check.left_out for check in (*item.holds_in, *item.fails_in)):
        counted = f"{left_out} {'run is' if left_out == 1 else 'runs are'}"
        sentences.append(f"{counted} left out, because an assumption does not hold there.")
    return " ".join(sentences)


def _share(item: Judged) -> Iterator[str]:
    """The widest 95 % interval of the share inside, over the arms in which a criterion must hold."""
    counted = [check for check in item.holds_in if check.counted]
    if counted:
        widest = min(counted, key=lambda check: check.share_low)
        arm = f" in {widest.arm}, where it is the lowest," if len({check.share_low for check in counted}) > 1 else ""
        each = " in each arm" if len(counted) > 1 and not arm else ""
        yield f"The 95 % interval of the share inside{arm} is {interval_words(widest)} %{each}."


def _runs(item: Judged) -> str:
    """How many runs lie inside, of how many, and their median and worst value."""
    runs = sum(check.counted for check in item.holds_in)
    inside = sum(check.inside for check in item.holds_in)
    each = {check.counted for check in item.holds_in}
    arms = len(item.holds_in)
    split = f" ({arms} arms{f', {each.pop()} runs each' if len(each) == 1 else ''})" if arms > 1 else ""
    counted = f"All {runs} runs{split}" if inside == runs and runs else f"{inside} of {runs} runs{split}"
    text = f"{counted} lie inside"
    values = [value for check in item.holds_in for value in check.values if value is not None]
    return (
        f"{text}; median {number(statistics.median(values))}, worst run {number(item.worst)}." if values else f"{text}."
    )


def size(count: int) -> str:
    """Bytes as MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
