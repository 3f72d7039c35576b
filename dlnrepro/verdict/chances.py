"""How likely the tests of a report decide wrongly, all together.

The probabilities are those of `dlnrepro.verdict.operating`, which computes them exactly. By the union bound, the chance
that any of n tests goes wrong is at most n times the chance of one, whether or not the tests share runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlnrepro.verdict.judge import Judged
from dlnrepro.verdict.operating import operation
from dlnrepro.verdict.rule import BAD, GOOD

Extent = tuple[int, int]
"""The number of runs of an arm at the first decision, and the largest number of its runs."""


@dataclass(frozen=True)
class Chances:
    """The chances of a wrong decision in the tests of almost all runs whose arms have the same numbers of runs.

    A test is one criterion or assumption in one arm or control.

    Attributes:
        first_runs: the number of runs of an arm at the first decision.
        most_runs: the largest number of its runs.
        tests: the number of tests.
        good_share: the share of runs as required, 0.98, from which on a test should be passed.
        one_good_fails: the chance that a test with this share ends broken or undecided.
        any_good_fails: the bound on the chance that any of the tests does; 1 if the bound says nothing.
        bad_share: the share of runs as required, 0.80, up to which a test should not be passed.
        one_bad_passes: the chance that a test with that share is passed.
    """

    first_runs: int
    most_runs: int
    tests: int
    good_share: float
    one_good_fails: float
    any_good_fails: float
    bad_share: float
    one_bad_passes: float


def chances_of(claims: Iterable[tuple[Extent, Sequence[Judged]]]) -> list[Chances]:
    """The chances of wrong decisions in some claims, for each extent of their arms; the most tests come first.

    Args:
        claims: the extent of each claim's arms, and its criteria and assumptions.
    """
    tests: Counter[Extent] = Counter()
    for extent, items in claims:
        for item in items:
            checks = (*item.holds_in, *item.fails_in) if item.runs == "almost all" else item.fails_in
            tests[extent] += sum(bool(check.seeds) for check in checks)
    found = []
    for (first, most), count in tests.most_common():
        if count:
            one, passes = 1 - operation(GOOD, first, most).holds, operation(BAD, first, most).holds
            found.append(Chances(first, most, count, GOOD, one, min(1.0, count * one), BAD, passes))
    return found
