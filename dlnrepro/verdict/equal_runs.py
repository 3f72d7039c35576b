"""Runs with the same numbers: either nothing random is in a statement, or a runner does not use its seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dlnrepro.verdict.outcome import Outcome


def equal_arms(outcomes: Mapping[str, Outcome]) -> list[str]:
    """The arms with several runs, all of which have the same numbers in every measure, and not only NaN."""
    return [arm for arm, outcome in outcomes.items() if _all_equal(outcome)]


def _all_equal(outcome: Outcome) -> bool:
    """Whether several runs have the same numbers."""
    if len(outcome.seeds) < 2:
        return False
    found = set()
    for row in outcome.measures.values():
        values = {None if value is None or math.isnan(value) else value for value in row}
        if len(values) > 1:
            return False
        found |= values
    return bool(found - {None})
