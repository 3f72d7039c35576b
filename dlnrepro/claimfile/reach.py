"""Which arms `-s` changes: `KEY=VALUE` changes every arm that does not set KEY itself, `ARM.KEY=VALUE` one arm.

The value of a parameter in an arm is the last of these: the setup; the quick profile; `KEY=VALUE`; the change of the
arm itself; `ARM.KEY=VALUE`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlnrepro.claimfile.parameters import settled
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import shortened
from dlnrepro.settings.numerals import setting


@dataclass(frozen=True)
class Reach:
    """One override and the arms of a claim that it changes.

    Attributes:
        word: `KEY` or `ARM.KEY`, as it was given.
        key: the parameter.
        value: its value.
        reached: the arms that take the value.
        kept: the other arms, each with the value that it keeps.
    """

    word: str
    key: str
    value: Any
    reached: tuple[str, ...]
    kept: Mapping[str, Any]


def split(word: str) -> tuple[str | None, str]:
    """The arm and the parameter that a word names; no arm if it names only a parameter."""
    arm, _, key = word.rpartition(".")
    return arm or None, key


def reach(claim: Claim, overrides: Mapping[str, Any], arms: Sequence[str] | None = None) -> list[Reach]:
    """Which arms each override reaches, in the order in which the overrides were given.

    Args:
        claim: the claim.
        overrides: `KEY` or `ARM.KEY` -> value.
        arms: the arms that are run; by default all arms that the claim uses.
    """
    run = claim.used_arms if arms is None else arms
    found = []
    for word, value in overrides.items():
        named, key = split(word)
        if named is not None:
            reached, kept = tuple(arm for arm in run if arm == named), {}
        else:
            by_name = {arm: overrides[f"{arm}.{key}"] for arm in run if f"{arm}.{key}" in overrides}
            kept = {arm: claim.arms[arm][key] for arm in run if key in claim.arms[arm]} | by_name
            reached = tuple(arm for arm in run if arm not in kept)
        found.append(Reach(word, key, value, reached, kept))
    return found


def arm_values(claim: Claim, arm: str, overrides: Mapping[str, Any], quick: bool) -> dict[str, Any]:
    """The settings of an arm as they are run; `dlnrepro.claimfile.parameters` makes numbers of their formulas."""
    profile = claim.quick.setup if quick else {}
    everywhere = {word: value for word, value in overrides.items() if split(word)[0] is None}
    here = {split(word)[1]: value for word, value in overrides.items() if split(word)[0] == arm}
    return {**claim.settings, **profile, **everywhere, **claim.arms[arm], **here}


def origins(claim: Claim, arm: str, overrides: Mapping[str, Any], quick: bool) -> dict[str, tuple[Any, str]]:
    """The differences of an arm from the setup: parameter -> its value, and its origin: `arm`, `quick` or `-s`."""
    values = arm_values(claim, arm, overrides, quick)
    by_s = {reached.key for reached in reach(claim, overrides, [arm]) if reached.reached}
    own, profile = claim.arms[arm], claim.quick.setup if quick else {}
    changed = dict.fromkeys((*own, *profile, *by_s))
    # A set has no order, so the parameters are given in the claim's order, which a reader expects.
    ordered = [key for key in values if key in changed]
    return {key: (values[key], "-s" if key in by_s else "arm" if key in own else "quick") for key in ordered}


def departures(claim: Claim, arm: str, values: Mapping[str, Any], quick: bool) -> dict[str, Any]:
    """The parameters of a recorded arm that differ from the claim and its profile, so that `-s` has changed them."""
    if arm not in claim.arms:
        return dict(values)
    own = arm_values(claim, arm, {}, quick)
    # The value of a formula is no change either: a record has the value in its place.
    known = settled(own)
    return {key: value for key, value in values.items() if key not in own or value not in (own[key], known[key])}


def setters(claim: Claim) -> dict[str, list[str]]:
    """Parameter -> the arms that set it themselves, which `-s KEY=VALUE` does not reach."""
    found: dict[str, list[str]] = {}
    for arm, changes in claim.arms.items():
        for key in changes:
            found.setdefault(key, []).append(arm)
    return found


def unreached(claim: Claim, overrides: Mapping[str, Any], arms: Sequence[str], quick: bool = False) -> list[str]:
    """A line for each override that does not reach every arm, or that changes none of the arms that it reaches."""
    lines = []
    for found in reach(claim, overrides, arms):
        given = f"-s {found.word}={shortened(setting(found.value))}: {claim.id}: "
        if all(arm_values(claim, arm, {}, quick).get(found.key) == found.value for arm in found.reached):
            lines.append(f"{given}changes nothing, since every arm that it applies to already has this value")
        if split(found.word)[0] is None and found.kept:
            kept = {arm: f"{arm} ({shortened(setting(value))})" for arm, value in found.kept.items()}
            own = [text for arm, text in kept.items() if f"{arm}.{found.key}" not in overrides]
            named = [text for arm, text in kept.items() if f"{arm}.{found.key}" in overrides]
            reasons = [f"the arms that set {found.key} themselves: {', '.join(own)}"] * bool(own)
            reasons += [f"the arms that another -s names: {', '.join(named)}"] * bool(named)
            start = f"{given}applies to {len(found.reached)} of {len(arms)} arms"
            lines.append(
                f"{start}, but not to {'; and not to '.join(reasons)} (-s ARM.{found.key}=... applies to one arm)"
            )
    return lines
