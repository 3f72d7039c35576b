"""What the rule for almost all draws (`dlnrepro.verdict.rule`) decides, computed exactly for a share of passing runs.

The runs are independent, and each passes with probability p. After every batch the number of failing runs has a
distribution, from which the decided part is taken away; the sum over batches is exact up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb

from dlnrepro.verdict.outcome import BATCH
from dlnrepro.verdict.rule import MOST_RUNS, almost_all


@dataclass(frozen=True)
class Operation:
    """What the rule does with a criterion that a share of all runs passes.

    Attributes:
        share: the share p of runs that pass.
        holds: the probability that the criterion holds.
        broken: the probability that it is broken.
        undecided: the probability that it is undecided at the largest number of runs.
        ends: the probability that the test ends after each number of batches, from one batch on.
        batch: the number of runs of a batch.
    """

    share: float
    holds: float
    broken: float
    undecided: float
    ends: tuple[float, ...]
    batch: int

    @property
    def runs(self) -> float:
        """The mean number of runs."""
        return sum((place + 1) * self.batch * chance for place, chance in enumerate(self.ends))


@cache
def operation(share: float, batch: int = BATCH, most: int = MOST_RUNS) -> Operation:
    """What the rule does with a criterion that a share of all runs passes, in batches, up to a number of runs."""
    batches = max(1, most // batch)
    failing = {0: 1.0}
    decided = {"holds": 0.0, "broken": 0.0, "undecided": 0.0}
    ends = []
    more = [comb(batch, fails) * (1 - share) ** fails * share ** (batch - fails) for fails in range(batch + 1)]
    for place in range(1, batches + 1):
        after: dict[int, float] = {}
        for before, chance in failing.items():
            for fails, probability in enumerate(more):
                after[before + fails] = after.get(before + fails, 0.0) + chance * probability
        failing, ended = {}, 0.0
        for fails, chance in after.items():
            found = almost_all(place * batch - fails, fails, 0, last=place == batches)
            if found == "open":
                failing[fails] = chance
            else:
                decided[found] += chance
                ended += chance
        ends.append(ended)
    return Operation(share, decided["holds"], decided["broken"], decided["undecided"], tuple(ends), batch)


def expected_runs(shares: Sequence[float], batch: int = BATCH, most: int = MOST_RUNS) -> float:
    """The mean number of runs of an arm in which several independent criteria are tested until all are decided."""
    ends = [operation(share, batch, most).ends for share in shares]
    if not ends:
        return float(batch)
    mean, all_ended = 0.0, 0.0
    for place in range(len(ends[0])):
        by_now = 1.0
        for chances in ends:
            by_now *= sum(chances[: place + 1])
        mean += (by_now - all_ended) * (place + 1) * batch
        all_ended = by_now
    return mean


def chance_of_wrong_rejection(tests: int, share: float) -> float:
    """The largest probability that at least one of several tests does not hold although each share is this large."""
    return min(1.0, tests * (1 - operation(share).holds))
