"""The measures and series that a claim declares itself, checked against what its runner records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from dlnrepro.claimfile.document import Place
from dlnrepro.claimfile.parameters import CONSTANTS, DECLARED, constant_names, numbers, parameter_errors, resolved
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import Fault, unknown
from dlnrepro.runner import Runner
from dlnrepro.settings.declared.measures import DeclaredMeasure, DeclaredSeries
from dlnrepro.settings.declared.quantities import Quantities, Quantity, formula_faults
from dlnrepro.settings.formula import Value


def needless_blocks(claim: Claim, params: type[BaseModel]) -> Iterator[tuple[Place, Fault]]:
    """Faults for blocks that a runner does not take, and for arms and setups that set what a block declares."""
    for key, block in (("measures", claim.measures), ("series", claim.series)):
        if block and key not in params.model_fields:
            expected = f"no such key, since the runner '{claim.runner}' has {key} of its own"
            yield (key,), Fault(expected=expected, found=f"'{key}'")
    if not (claim.measures or claim.series):
        return
    groups: list[tuple[Place, Mapping[str, Any]]] = [(("setup",), claim.setup), (("quick", "setup"), claim.quick.setup)]
    groups += [(("arms", arm), changes) for arm, changes in claim.arms.items()]
    for place, values in groups:
        for key in DECLARED:
            if key in values:
                expected = "no such key here, since the claim declares its measures and series once for all arms"
                yield (*place, key), Fault(expected=expected, found=f"'{key}'")


def new_constants(claim: Claim, params: type[BaseModel]) -> Iterator[tuple[Place, Fault]]:
    """Faults for constants that only an arm or another change has: they are misspelt, or no formula uses them."""
    if not _has_constants(params):
        return
    own = constant_names(claim.setup)
    changes: list[tuple[Place, Mapping[str, Any]]] = [(("quick", "setup"), claim.quick.setup)]
    changes += [(("arms", arm), values) for arm, values in claim.arms.items()]
    changes += [(("audit", "harmless", name), values) for name, values in claim.audit.harmless.items()]
    changes += [(("audit", "flaws", name, "settings"), flawed.settings) for name, flawed in claim.audit.flaws.items()]
    for place, values in changes:
        for name in constant_names(values):
            if name not in own:
                absent = Fault(expected="a constant that the setup has too", found=f"'{name}'")
                yield (*place, CONSTANTS, name), unknown(name, own) if own else absent


def with_all_constants(claim: Claim, params: type[BaseModel]) -> Claim:
    """A claim in which each change of constants has those of the setup too that it does not name."""
    own = claim.setup.get(CONSTANTS)
    if not _has_constants(params) or not isinstance(own, Mapping):
        return claim

    def joined(changes: dict[str, Any]) -> dict[str, Any]:
        more = changes.get(CONSTANTS)
        return {**changes, CONSTANTS: {**own, **more}} if isinstance(more, Mapping) else changes

    flaws = {
        name: flawed.model_copy(update={"settings": joined(flawed.settings)})
        for name, flawed in claim.audit.flaws.items()
    }
    harmless = {name: joined(changes) for name, changes in claim.audit.harmless.items()}
    return claim.model_copy(
        update={
            "arms": {arm: joined(changes) for arm, changes in claim.arms.items()},
            "quick": claim.quick.model_copy(update={"setup": joined(claim.quick.setup)}),
            "audit": claim.audit.model_copy(update={"harmless": harmless, "flaws": flaws}),
        }
    )


def _has_constants(params: type[BaseModel]) -> bool:
    """Whether a claim of a runner may have constants; a function may have a parameter of this name for itself."""
    return CONSTANTS in params.model_fields and DECLARED[0] in params.model_fields


def without_inherited(claim: Claim, params: type[BaseModel]) -> Claim:
    """A claim in which each arm undoes the settings that it inherits and that have no meaning with its own changes.

    Only a runner knows such settings: its `Params.without_meaning` gives them with the values that stand for their
    absence.
    """
    if not hasattr(params, "without_meaning"):
        return claim
    inherited = {**claim.setup, **claim.quick.setup}
    arms = {arm: {**changes, **params.without_meaning(inherited, changes)} for arm, changes in claim.arms.items()}
    return claim if arms == claim.arms else claim.model_copy(update={"arms": arms})


def whole_settings(claim: Claim, params: type[BaseModel]) -> dict[str, Any]:
    """The settings of the setup; if only the arms complete it, those of the first arm that is used."""
    if not parameter_errors(params, claim.settings):
        return claim.settings
    return {**claim.settings, **next((claim.arms[arm] for arm in claim.used_arms), {})}


def declared_faults(claim: Claim, runner: Runner) -> Iterator[tuple[Place, Fault]]:
    """Faults in the formulas of declared measures and series, each once, by what the runner records in each arm."""
    if not (claim.measures or claim.series) or not hasattr(runner, "quantities"):
        return
    quantities: Callable[[Any], Quantities] = runner.quantities
    seen: set[Place] = set()
    arms = [(f" in the arm '{arm}'", {**claim.settings, **claim.arms[arm]}) for arm in claim.used_arms]
    for where, settings in (("", whole_settings(claim, runner.Params)), *arms):
        values = resolved(runner.Params, settings).values
        known = numbers(values)
        given = {name: Quantity("", *_shape(value)) for name, value in known.items()}
        params = runner.Params.model_validate(values)
        measures = {name: DeclaredMeasure.model_validate(item) for name, item in values.get("measures", {}).items()}
        series = {name: DeclaredSeries.model_validate(item) for name, item in values.get("series", {}).items()}
        offered = {**given, **quantities(params)}
        for place, fault in formula_faults(measures, series, offered, known, _elsewhere(runner, params)):
            if place not in seen:
                seen.add(place)
                yield _in_figure(claim, place), replace(fault, expected=f"{fault.expected}{where}")


def _elsewhere(runner: Runner, params: BaseModel) -> Mapping[str, str]:
    """The quantities that a runner records only for other settings, if it says so -> for which settings."""
    found: Mapping[str, str] = runner.elsewhere(params) if hasattr(runner, "elsewhere") else {}
    return found


def _shape(value: Value) -> tuple[int, bool, tuple[int, ...]]:
    """The number of indices of a setting, that it is not recorded, and the length of a list."""
    return (0, False, ()) if isinstance(value, int | float) else (1, False, (len(value),))


def _in_figure(claim: Claim, place: Place) -> Place:
    """The place in the file of a declared formula; a series that only a figure names is in the figure."""
    if place[0] != "series" or place[1] in claim.series:
        return place
    for index, figure in enumerate(claim.figures):
        for key, names in (("y", figure.y), ("x", (figure.x,)), ("reference", (figure.reference,))):
            if place[1] in names:
                return "figures", index, key
    return place
