"""The rule that decides, from the numbers of passing and failing runs of an arm, whether almost all draws pass.

Let p be the share of all possible runs that pass. Wald's sequential test compares p >= 0.98 with p <= 0.80. With k
failing runs among n, the logarithm of the likelihood ratio of p = 0.98 to p = 0.80 is

    L = (n - k) ln(0.98 / 0.80) + k ln(0.02 / 0.20).

The criterion holds if L >= ln((1 - 1e-4) / 0.04) = 3.219, and is broken if L <= ln(1e-4 / 0.96) = -9.170. Otherwise 16
more runs are made, up to 256 in all; then it is undecided. 16 passing runs of 16 decide at once.

By Ville's inequality, L falls to -9.170 at any time with a probability of at most 1.05e-4 if p >= 0.98, and rises to
3.219 at any time with a probability of at most 0.04 if p <= 0.80, however many runs are made and whenever one stops. So
an arm that has more runs, because another criterion needed them, is judged with all of its runs.
`dlnrepro.verdict.operating` computes the probabilities themselves.

The constants are those of this project's design. A. Wald, Sequential Tests of Statistical Hypotheses, Annals of
Mathematical Statistics 16 (1945), has the test.
"""

from __future__ import annotations

import math
from typing import Literal

from dlnrepro.verdict.outcome import BATCH

GOOD, BAD = 0.98, 0.80
"""The share of passing runs of a criterion that holds, and of a criterion that does not."""

WRONG_BREACH, WRONG_PASS = 1e-4, 0.04
"""The nominal probabilities that a good criterion is broken, and that a bad criterion holds."""

PASSING, FAILING = math.log(GOOD / BAD), math.log((1 - GOOD) / (1 - BAD))
"""What a passing and a failing run add to L: 0.2029 and -2.3026."""

HOLDS_FROM = math.log((1 - WRONG_BREACH) / WRONG_PASS)
BROKEN_FROM = math.log(WRONG_BREACH / (1 - WRONG_PASS))
"""The values of L from which a criterion holds (3.219), or is broken (-9.170)."""

MOST_RUNS = 256
"""The number of runs of an arm at which the test ends undecided."""

MOST_UNDECIDED = 0.2
"""The largest share of runs without a number with which an arm can be decided."""

Decision = Literal["holds", "broken", "open", "undecided"]
"""`open` means that further runs would decide; `undecided` means that no further runs are made."""


def evidence(passing: int, failing: int) -> float:
    """L, the logarithm of the likelihood ratio of a share of 0.98 to a share of 0.80."""
    return passing * PASSING + failing * FAILING


def almost_all(passing: int, failing: int, undecided: int, last: bool) -> Decision:
    """Whether almost all draws pass, as far as some runs show it.

    Args:
        passing: runs inside the interval; for a control, runs outside it.
        failing: the other runs with a number.
        undecided: runs without a number, which count for neither side.
        last: whether no further runs will be made. With fewer than 16 runs (`--seeds`, `--quick`) a criterion then
            holds if no run fails, because so few runs cannot show more; it is broken by the rule alone.
    """
    everything = passing + failing + undecided
    if undecided > MOST_UNDECIDED * everything:
        # Where more than half of the runs have no number, further runs would not change that.
        return "undecided" if last or 2 * undecided > everything or everything >= MOST_RUNS else "open"
    found = evidence(passing, failing)
    if found >= HOLDS_FROM or (last and everything < BATCH and passing and not failing):
        return "holds"
    if found <= BROKEN_FROM:
        return "broken"
    return "undecided" if last or everything >= MOST_RUNS else "open"


def every(passing: int, failing: int, undecided: int) -> Decision:
    """Whether every draw passes, as far as some runs show it: one failing run refutes it."""
    if failing:
        return "broken"
    return "holds" if passing and undecided <= MOST_UNDECIDED * (passing + undecided) else "undecided"
