"""What a control changes: one hypothesis, several settings, or only the formula that a measure is compared with.

A setting with the name `law`, or with a name that begins with `law_`, belongs to the formula alone: it changes no
network, no data and no training. An arm that differs from an arm of `holds_in` in such settings alone is a wrong
formula. It shows that a measure notices another formula, but it breaks no hypothesis.

The constants of a claim belong to the formula too, unless a setting is a formula of them and has another value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dlnrepro.claimfile.parameters import CONSTANTS, settled
from dlnrepro.claimfile.schema import Claim, Criterion

FORMULA = "law"
"""The name of a setting of the formula, or the beginning of it."""


@dataclass(frozen=True)
class Difference:
    """How a control differs from the nearest arm in which its criterion must hold.

    Attributes:
        control: the control.
        arm: the arm of `holds_in` from which it differs in the fewest settings, not counting those of the formula.
        settings: the settings in which the two differ, without those of the formula.
        formula: the settings of the formula in which they differ.
    """

    control: str
    arm: str
    settings: tuple[str, ...]
    formula: tuple[str, ...]

    @property
    def wrong_formula(self) -> bool:
        """Whether the control changes only the formula."""
        return bool(self.formula) and not self.settings


def is_of_formula(setting: str) -> bool:
    """Whether a setting belongs to the formula that a measure is compared with."""
    return setting in (FORMULA, CONSTANTS) or setting.startswith(f"{FORMULA}_")


def difference(claim: Claim, criterion: Criterion, control: str) -> Difference:
    """How a control of a criterion differs from the nearest arm in which the criterion must hold."""
    found = [_between(claim, control, arm) for arm in criterion.holds_in]
    return min(found, key=lambda item: (len(item.settings), len(item.formula)))


def _between(claim: Claim, control: str, arm: str) -> Difference:
    """How a control differs from one arm."""
    first, second = ({**claim.setup, **claim.arms[name]} for name in (control, arm))
    changed = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    if CONSTANTS in changed:
        values, others = settled(first), settled(second)
        changed += [key for key in values if key not in changed and values[key] != others.get(key)]
    settings = tuple(key for key in changed if not is_of_formula(key))
    return Difference(control, arm, settings, tuple(key for key in changed if is_of_formula(key)))


def differences(claim: Claim) -> Iterator[tuple[Criterion, Difference]]:
    """Each criterion with each of its controls."""
    for criterion in claim.criteria:
        for control in criterion.fails_in:
            yield criterion, difference(claim, criterion, control)


def wrong_formulas(claim: Claim, criterion: Criterion) -> frozenset[str]:
    """The controls of a criterion that change only the formula."""
    return frozenset(arm for arm in criterion.fails_in if difference(claim, criterion, arm).wrong_formula)


def kinds(claim: Claim) -> dict[str, str]:
    """Each arm in which no criterion must hold -> `wrong formula` if it is one for each criterion, else `control`."""
    tested = {arm for criterion in claim.criteria for arm in criterion.holds_in}
    found: dict[str, set[bool]] = {}
    for _, item in differences(claim):
        found.setdefault(item.control, set()).add(item.wrong_formula)
    return {arm: "wrong formula" if found.get(arm) == {True} else "control" for arm in claim.arms if arm not in tested}
