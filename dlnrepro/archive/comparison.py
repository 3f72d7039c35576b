"""The comparison of two reports: verdicts, settings, numbers, times, and where the numbers were computed.

If something cannot be compared, the comparison says so and never counts it as equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dlnrepro.archive.record import ClaimRecord, Report, labelled, origin, repeated_claims
from dlnrepro.compute.arithmetic import UNKNOWN
from dlnrepro.errors import UsageError
from dlnrepro.verdict.outcome import Outcome

CHANGED, NOT_COMPARED = 1, 4
"""Exit codes: a verdict has changed, or a number by more than a given tolerance; or something is missing."""

MOST_NAMED = 3
"""The number of claims that are named if they were computed elsewhere than the other claims."""


@dataclass(frozen=True)
class Difference:
    """A measure of an arm whose numbers differ by more than the tolerances.

    Attributes:
        runs: how many runs of the arm differ; a number in only one report counts as a difference.
        first, second: the two numbers of the run with the largest difference.
    """

    arm: str
    measure: str
    runs: int
    first: float | None
    second: float | None


@dataclass(frozen=True)
class ClaimComparison:
    """One claim that both reports contain.

    Attributes:
        variations: the names of the variations of the first and the second report.
        verdicts: the verdicts of the first and the second report.
        settings: the differences of the claim's contents, parameters or seeds, in words.
        missing: the parts that only one report has, in words.
        compared: how many numbers were compared.
        differences: the measures that differ by more than the tolerances.
        identical: whether all that was compared is bitwise identical, the series included.
        seconds: the computing times of the first and the second report.
    """

    id: str
    variations: tuple[str, str]
    verdicts: tuple[str, str]
    settings: list[str]
    missing: list[str]
    compared: int
    differences: list[Difference]
    identical: bool
    seconds: tuple[float, float]

    @property
    def label(self) -> str:
        """The claim's id, with its variation if both reports have the same."""
        return labelled((self.id, self.variations[0])) if len(set(self.variations)) == 1 else self.id

    @property
    def alike(self) -> bool:
        """Whether everything could be compared, and nothing differs by more than the tolerances."""
        return self.verdicts[0] == self.verdicts[1] and not (self.settings or self.missing or self.differences)


@dataclass(frozen=True)
class Comparison:
    """The comparison of two reports.

    Attributes:
        only_first, only_second: the claims of one report alone: their ids, with their variations.
        origins: what differs in versions, commit, processor, device and modes of the math libraries, in words.
    """

    claims: list[ClaimComparison]
    only_first: list[str]
    only_second: list[str]
    origins: list[str]

    def exit_code(self, numbers_count: bool, subset: bool) -> int:
        """1 for a change, else 4 if something could not be compared, else 0.

        Args:
            numbers_count: whether a number that differs by more than the tolerances is a change.
            subset: whether the second report may leave claims of the first one out.
        """
        changed = any(claim.verdicts[0] != claim.verdicts[1] for claim in self.claims)
        if changed or (numbers_count and any(claim.differences for claim in self.claims)):
            return CHANGED
        lacking = not self.claims or self.only_second or (self.only_first and not subset)
        return NOT_COMPARED if lacking or any(claim.missing for claim in self.claims) else 0


def compare(first: Report, second: Report, absolute: float, relative: float) -> Comparison:
    """The comparison of two reports.

    Args:
        first: the first report.
        second: the second report.
        absolute: numbers a and b are equal if |a - b| <= absolute + relative |a|.
        relative: as above; it is multiplied by |a|.

    Raises:
        UsageError: a report has a claim twice in one variation, so it is unclear which one to compare.
    """
    for report, which in ((first, "first"), (second, "second")):
        if repeated := repeated_claims(report):
            raise UsageError(f"{which} report: expected each claim once per variation, found '{repeated[0]}' again")
    pairs = _pairs(first.claims, second.claims)
    paired = {record.identity for record, _ in pairs}, {record.identity for _, record in pairs}
    return Comparison(
        [compare_claim(*pair, absolute, relative) for pair in pairs],
        [record.label for record in first.claims if record.identity not in paired[0]],
        [record.label for record in second.claims if record.identity not in paired[1]],
        _origins(first, second, pairs),
    )


def _pairs(first: Sequence[ClaimRecord], second: Sequence[ClaimRecord]) -> list[tuple[ClaimRecord, ClaimRecord]]:
    """The results to compare, in the order of the first report: those with the same claim and the same variation.

    If each report has one further result of a claim, these two are compared as well: their settings differ, and the
    comparison says how.
    """
    exact = {record.identity: record for record in second}
    shared = {record.identity for record in first if record.identity in exact}
    rest: tuple[dict[str, list[ClaimRecord]], dict[str, list[ClaimRecord]]] = ({}, {})
    for records, by_id in zip((first, second), rest, strict=True):
        for record in records:
            if record.identity not in shared:
                by_id.setdefault(record.id, []).append(record)
    pairs = []
    for record in first:
        others = [exact[record.identity]] if record.identity in shared else rest[1].get(record.id, [])
        if record.identity in shared or (len(others) == len(rest[0][record.id]) == 1):
            pairs.append((record, others[0]))
    return pairs


def compare_claim(first: ClaimRecord, second: ClaimRecord, absolute: float, relative: float) -> ClaimComparison:
    """One claim of two reports side by side."""
    missing: dict[str, str] = {}
    differences, compared = [], 0
    for arm in {**first.outcomes, **second.outcomes}:
        one, other = first.outcomes.get(arm), second.outcomes.get(arm)
        if one is None or other is None:
            missing[arm] = f"it is only in the {'first' if other is None else 'second'} report"
            continue
        if lack := _lack(one, other):
            missing[arm] = lack
            continue
        if one.seeds != other.seeds:
            missing[arm] = _unshared(one, other)
            one, other = _shared(one, other), _shared(other, one)
        for measure in one.measures:
            compared += len(one.seeds)
            if found := _difference(arm, measure, one, other, absolute, relative):
                differences.append(found)
    return ClaimComparison(
        first.id,
        (first.variation.name, second.variation.name),
        (first.verdict, second.verdict),
        _settings(first, second),
        _by_arms(missing.items(), len(first.outcomes)),
        compared,
        differences,
        _identical(first, second) and not missing,
        (first.seconds, second.seconds),
    )


def _identical(first: ClaimRecord, second: ClaimRecord) -> bool:
    """Whether all measures of all arms, and the digests of all series, are bitwise identical."""
    return first.digests == second.digests and _bits(first.outcomes) == _bits(second.outcomes)


def same_bits(first: ClaimRecord, second: ClaimRecord, arm: str) -> bool:
    """Whether the measures and series of an arm are bitwise identical in two records."""
    one, other = ({arm: record.outcomes[arm]} for record in (first, second))
    return first.digests.get(arm) == second.digests.get(arm) and _bits(one) == _bits(other)


def _bits(outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """All numbers of some arms, with the seeds of each arm, as texts in which -0 and 0 differ and NaN equals NaN."""
    return {
        arm: (outcome.seeds, {name: [_hex(value) for value in values] for name, values in outcome.measures.items()})
        for arm, outcome in outcomes.items()
    }


def _hex(value: float | None) -> str | None:
    """A number as an exact text, or None if there is no number."""
    known = _known(value)
    return None if known is None else known.hex()


def _known(value: float | None) -> float | None:
    """The number, or None if it is not finite: a stored report has neither NaN nor infinity."""
    return value if value is not None and math.isfinite(value) else None


def _lack(first: Outcome, second: Outcome) -> str | None:
    """Why two outcomes of an arm cannot be compared, or None."""
    for outcome, which in ((first, "first"), (second, "second")):
        if outcome.fault:
            return f"it failed in the {which} report ({outcome.fault})"
        if outcome.spent:
            return f"it was stopped by its budget in the {which} report"
    if not set(first.seeds) & set(second.seeds):
        return "the seeds differ"
    if only := sorted(first.measures.keys() ^ second.measures.keys()):
        return f"only one report has the measures {', '.join(only)}"
    return None


def _unshared(first: Outcome, second: Outcome) -> str:
    """Which report has runs of an arm that the other one lacks, and how many: an arm in doubt has further runs."""
    counts = [len(set(one.seeds) - set(other.seeds)) for one, other in ((first, second), (second, first))]
    if not any(counts):
        return "the runs are in another order, and were compared by their seeds"
    more = [
        f"the {which} report has {count} run{'s' * (count != 1)} more"
        for count, which in zip(counts, ("first", "second"), strict=True)
        if count
    ]
    return f"{' and '.join(more)}, and only the runs of both were compared"


def _shared(outcome: Outcome, other: Outcome) -> Outcome:
    """The runs of an outcome that another one has as well, in the order of their seeds."""
    both = set(other.seeds)
    places = sorted((place for place, seed in enumerate(outcome.seeds) if seed in both), key=outcome.seeds.__getitem__)
    measures = {
        name: [values[place] if place < len(values) else None for place in places]
        for name, values in outcome.measures.items()
    }
    return replace(outcome, seeds=tuple(outcome.seeds[place] for place in places), measures=measures)


def _difference(
    arm: str, measure: str, first: Outcome, second: Outcome, absolute: float, relative: float
) -> Difference | None:
    """What differs in one measure of one arm, or None."""
    farthest, runs, worst = -1.0, 0, (None, None)
    for left, right in zip(first.measures[measure], second.measures[measure], strict=True):
        one, other = _known(left), _known(right)
        if one is None or other is None:
            gap = 0.0 if one is other else math.inf
        else:
            gap = max(0.0, abs(one - other) - absolute - relative * abs(one))
        if gap > 0:
            runs += 1
            if gap > farthest:
                farthest, worst = gap, (one, other)  # type: ignore[assignment]
    return Difference(arm, measure, runs, *worst) if runs else None


def _settings(first: ClaimRecord, second: ClaimRecord) -> list[str]:
    """What differs in the claim's contents, its parameters and its seeds, in words."""
    changes = [
        f"the claim's {key} has changed"
        for key in {**first.claim, **second.claim}
        if first.claim.get(key) != second.claim.get(key)
    ]
    pairs = {arm: (one, second.params[arm]) for arm, one in first.params.items() if arm in second.params}
    moved = [
        (arm, f"{key} was {one.get(key)} and is now {other.get(key)}")
        for arm, (one, other) in pairs.items()
        for key in {**one, **other}
        if one.get(key) != other.get(key)
    ]
    changes += _by_arms(moved, len(pairs))
    if first.runner_hash != second.runner_hash:
        changes.append("the source of the runner, or of a module that it uses, has changed")
    return changes


def _by_arms(texts: Iterable[tuple[str, str]], arms: int) -> list[str]:
    """One line per text, with all arms to which the text applies."""
    groups: dict[str, list[str]] = {}
    for arm, text in texts:
        groups.setdefault(text, []).append(arm)
    named = {text: f"arm{'s' * (len(names) > 1)} {', '.join(names)}" for text, names in groups.items()}
    return [f"{'every arm' if len(groups[text]) == arms > 1 else who}: {text}" for text, who in named.items()]


def _origins(first: Report, second: Report, pairs: Sequence[tuple[ClaimRecord, ClaimRecord]]) -> list[str]:
    """How the origins of two reports differ, in words, with the claims that differ unless all claims do."""
    groups: dict[str, list[str]] = {}
    for left, right in pairs:
        for text in _changes(origin(first, left), origin(second, right)):
            groups.setdefault(text, []).append(left.label)
    return [text if len(found) == len(pairs) else f"{text} ({_named(found)})" for text, found in groups.items()]


def _named(names: Sequence[str]) -> str:
    """Some claims in a few words: their ids, or how many there are."""
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} claims"


def _changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """How the origins of two records of a claim differ, in words; entries that only one record has are left out."""
    changes = []
    one, other = first.get("versions") or {}, second.get("versions") or {}
    changes += [f"{key} {one.get(key)} and {other.get(key)}" for key in one | other if one.get(key) != other.get(key)]
    places = ("commit", "processor", "platform", "device", "arithmetic")
    # Records without a device were computed on the processor; older records lack the modes of the math libraries.
    older = {"device": "cpu", "arithmetic": UNKNOWN}
    one, other = {**older, **first}, {**older, **second}
    both = [key for key in places if key in one and key in other]
    return changes + [f"{key} {one[key]} and {other[key]}" for key in both if one[key] != other[key]]
