"""How likely a verdict is wrong: the sentences that a report gives for all its tests together.

The probabilities are those of `dlnrepro.verdict.operating`, which computes them exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlnrepro.archive.record import ClaimRecord, chances_in, has_draws
from dlnrepro.report.words.digest import is_tested
from dlnrepro.report.words.numbers import percent
from dlnrepro.settings.numerals import numeral
from dlnrepro.verdict.chances import Chances
from dlnrepro.verdict.check import Check, share_interval
from dlnrepro.verdict.outcome import BATCH
from dlnrepro.verdict.rule import BAD, GOOD


def chance_words(records: Sequence[ClaimRecord]) -> list[str]:
    """The chance of a wrong verdict in a report, in a few sentences; none without numbers, or without any draw."""
    records = [record for record in records if has_draws(record) and is_tested(record)]
    of_every = [item for record in records for item in (*record.assumptions, *record.criteria) if item.runs == "every"]
    every = sum(bool(check.seeds) for item in of_every for check in item.holds_in)
    sentences = [_of_almost_all(found) for found in chances_in(records)]
    if every:
        said = "One test is" if every == 1 else f"{every} tests are"
        sentences.append(f"{said} made of every run, and one run outside refutes the criterion.")
    return [*sentences, *_limit(records)]


def _of_almost_all(found: Chances) -> str:
    """The two chances of a wrong decision for the tests of almost all runs in arms of the same extent."""
    first, most, tests, one = found.first_runs, found.most_runs, found.tests, found.one_good_fails
    runs = str(most) if first == most else f"{first} to {most}"
    said = "One test is" if tests == 1 else f"{tests} tests are"
    each = "in it" if tests == 1 else "in each of them"
    fails = "it ends" if tests == 1 else "any of them ends"
    product = f"{tests} × {_chance(one)}"
    bound = _chance(one) if tests == 1 else f"{product} = {_chance(tests * one)}"
    known = f"at most {bound}" if tests * one < 1 else f"not bounded, since {product} is more than 100 %"
    return (
        f"{said} made of almost all runs, with {runs} run{'s' * (most != 1)} per arm; a test is one criterion or "
        f"assumption in one arm or control. If {percent(GOOD)} or more of all possible runs are as required {each}, "
        f"the chance that {fails} broken or undecided is {known}. If {percent(BAD)} or less are, a test still passes "
        f"with a chance of at most {_chance(found.one_bad_passes)}."
    )


def _limit(records: Sequence[ClaimRecord]) -> Iterator[str]:
    """What the runs of an arm cannot exclude even if all are as required."""
    counted = [check.counted for check in _checks(records) if check.holds and check.share == 1]
    if counted:
        runs = min(counted)
        said = "1 run that is" if runs == 1 else f"{runs} runs that all are"
        low = percent(share_interval(runs, runs)[0])
        few = f" (fewer than {BATCH} runs show little)" if runs < BATCH else ""
        yield f"With 95 % confidence, {said} as required leave{'s' * (runs == 1)} a share above {low} possible{few}."


def _checks(records: Sequence[ClaimRecord]) -> Iterator[Check]:
    """All checks of some claims."""
    for record in records:
        for item in (*record.assumptions, *record.criteria):
            yield from (*item.holds_in, *item.fails_in)


def _chance(probability: float) -> str:
    """A probability in percent with two digits."""
    return f"{numeral(100 * probability, 2)} %"
