"""Thresholds that are formulas: what their names stand for, and whether they have values in every arm.

A name is a parameter of the runner, as the arm has it, or a measure of the run itself. A parameter that is neither a
number nor a list of numbers in an arm is not a name there.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import PydanticCustomError

from dlnrepro.claimfile.document import Place, unknown
from dlnrepro.claimfile.formula import Value, evaluate, formula, misuse
from dlnrepro.claimfile.interval import interval
from dlnrepro.claimfile.messages import shown
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.schema import Bounded, Claim, Criterion
from dlnrepro.errors import Fault
from dlnrepro.runner import Declared


def numbers(params: Mapping[str, Any]) -> dict[str, Value]:
    """The parameters of an arm that are numbers or lists of numbers."""
    return {
        name: value
        for name, value in params.items()
        if _is_number(value) or (isinstance(value, list | tuple) and all(map(_is_number, value)))
    }


def value_of(bound: float | str, names: Mapping[str, Value]) -> float:
    """A threshold with these numbers for its names; NaN if it has no value."""
    return evaluate(formula(bound), names) if isinstance(bound, str) else bound


def measures_of(claim: Claim, known: Declared) -> Collection[str]:
    """The measures of a claim's runner.

    If they are known only from the first result, they are those that the claim names: the measures of its criteria and
    assumptions, and the names in their formulas that are not parameters.
    """
    if known.measures is not None:
        return known.measures
    tests = (*claim.assumptions, *claim.criteria)
    return dict.fromkeys(
        name
        for item in tests
        for name in (item.measure, *item.names)
        if name not in claim.setup or name == item.measure
    )


def threshold_faults(claim: Claim, measures: Collection[str]) -> Iterator[tuple[Place, Fault]]:
    """The faults of all thresholds that are formulas, each once: in the arms, in the quick profile, under the audit.

    Args:
        claim: a claim whose arms and parameters exist.
        measures: the measures of its runner.
    """
    settings: list[tuple[str, Mapping[str, Any], bool]] = [("", {}, False), (" of the quick profile", {}, True)]
    for kind, named in (("harmless change", claim.audit.harmless), ("flaw", _flawed(claim))):
        settings += [(f" under the {kind} '{name}'", changed, False) for name, changed in named.items()]
    for place, bounded in _members(claim):
        seen = set()
        for key, text in _formulas(bounded).items():
            if (fault := _name_fault(text, claim.setup, measures)) is not None:
                seen.add(key)
                yield (*place, key), fault
        for where, changes, quick in () if seen else settings:
            for arm in _arms(bounded) if not changes else bounded.holds_in:
                for key, fault in faults_in(bounded, arm_values(claim, arm, changes, quick), measures):
                    if key not in seen:
                        seen.add(key)
                        in_arm = replace(fault, expected=f"{fault.expected} in the arm '{arm}'{where}")
                        yield (*place, *((key,) if key else ())), in_arm


def tests_in(claim: Claim, arm: str) -> list[tuple[str, Bounded]]:
    """The criteria and assumptions in which an arm must hold or fail: the id, or the measure, of each, and itself."""
    named: list[tuple[str, Bounded]] = [(item.measure, item) for item in claim.assumptions]
    named += [(item.id, item) for item in claim.criteria]
    return [(name, item) for name, item in named if arm in _arms(item)]


def faults_in(bounded: Bounded, params: Mapping[str, Any], measures: Collection[str]) -> Iterator[tuple[str, Fault]]:
    """The faults of the thresholds of a criterion, or an assumption, in an arm: the key of each, and itself.

    Args:
        bounded: a criterion or assumption whose formulas have only names that exist.
        params: every parameter of the arm.
        measures: the measures of the runner.
    """
    names, wrong = numbers(params), False
    for key, text in _formulas(bounded).items():
        if (fault := _fault(text, params, names, measures)) is not None:
            wrong = True
            yield key, fault
    if not wrong and any(isinstance(bound, str) for bound in bounded.bounds.values()):
        yield from _empty(bounded.bounds, names)


def _formulas(bounded: Bounded) -> dict[str, str]:
    """The thresholds that are formulas, by their keys."""
    allowed = bounded.theory_allows if isinstance(bounded, Criterion) else None
    return {key: text for key, text in (*bounded.bounds.items(), ("theory_allows", allowed)) if isinstance(text, str)}


def _name_fault(text: str, params: Mapping[str, Any], measures: Collection[str]) -> Fault | None:
    """The fault of a formula with a name that does not exist, or that stands for two things; or None."""
    words = [*params, *(name for name in measures if name not in params)]
    for name in formula(text).names:
        if name not in words:
            return unknown(name, words)
        if name in params and name in measures:
            return Fault(expected="the name of a parameter or of a measure", found=f"'{name}', which is both")
    return None


def _fault(text: str, params: Mapping[str, Any], names: Mapping[str, Value], measures: Collection[str]) -> Fault | None:
    """The fault of a formula in an arm, or None."""
    known = formula(text)
    for name in known.names:
        if name in params and name not in names:
            return Fault(expected="a number or a list of numbers", found=f"'{name}', which is {shown(params[name])}")
    if (fault := misuse(known, names, measures)) is not None:
        return fault
    if set(known.names) <= names.keys() and math.isnan(evaluate(known, names)):
        return Fault(expected="a formula with a finite value", found=f"'{text}' without one")
    return None


def _empty(bounds: Mapping[str, float | str], names: Mapping[str, Value]) -> Iterator[tuple[str, Fault]]:
    """The fault of an interval without a number in it, if its thresholds are known without a run."""
    values = {key: value_of(bound, names) for key, bound in bounds.items()}
    if math.isnan(values.get("equals", 0.0)):
        values["equals"] = 0.0  # the interval has a width whatever its middle is
    if any(map(math.isnan, values.values())):
        return
    try:
        interval(**values)
    except PydanticCustomError as error:
        context = error.context or {}
        yield str(context.get("key", "")), Fault(expected=str(context["expected"]), found=str(context["found"]))


def _members(claim: Claim) -> Iterator[tuple[Place, Bounded]]:
    """The assumptions and the criteria of a claim with their places."""
    for index, assumption in enumerate(claim.assumptions):
        yield ("assumptions", index), assumption
    for index, criterion in enumerate(claim.criteria):
        yield ("criteria", index), criterion


def _arms(bounded: Bounded) -> list[str]:
    """The arms in which a criterion must hold or fail."""
    return [*bounded.holds_in, *(bounded.fails_in if isinstance(bounded, Criterion) else ())]


def _flawed(claim: Claim) -> dict[str, dict[str, Any]]:
    """The settings that the flaws of a claim change."""
    return {name: flawed.settings for name, flawed in claim.audit.flaws.items() if flawed.settings}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
