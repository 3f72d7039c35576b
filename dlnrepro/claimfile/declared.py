"""The measures and series that a claim declares itself, checked against what its runner records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from dlnrepro.claimfile.document import Place
from dlnrepro.claimfile.parameters import numbers, resolved
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import Fault
from dlnrepro.runner import Runner
from dlnrepro.settings.declared.measures import DeclaredMeasure, DeclaredSeries
from dlnrepro.settings.declared.quantities import Quantities, Quantity, formula_faults


def needless_blocks(claim: Claim, params: type[BaseModel]) -> Iterator[tuple[Place, Fault]]:
    """Faults for measures and series that a claim declares for a runner that has its own."""
    for key, block in (("measures", claim.measures), ("series", claim.series)):
        if block and key not in params.model_fields:
            expected = f"no such key, since the runner '{claim.runner}' has {key} of its own"
            yield (key,), Fault(expected=expected, found=f"'{key}'")


def declared_faults(claim: Claim, runner: Runner) -> Iterator[tuple[Place, Fault]]:
    """Faults in the formulas of declared measures and series, each once, by what the runner records in each arm."""
    if not (claim.measures or claim.series) or not hasattr(runner, "quantities"):
        return
    quantities: Callable[[Any], Quantities] = runner.quantities
    seen: set[Place] = set()
    for changes in ({}, *(claim.arms[arm] for arm in claim.used_arms)):
        values = resolved(runner.Params, {**claim.settings, **changes}).values
        given = {name: Quantity("", int(not _is_number(value)), False) for name, value in numbers(values).items()}
        params = runner.Params.model_validate(values)
        measures = {name: DeclaredMeasure.model_validate(item) for name, item in values.get("measures", {}).items()}
        series = {name: DeclaredSeries.model_validate(item) for name, item in values.get("series", {}).items()}
        for place, fault in formula_faults(measures, series, {**given, **quantities(params)}):
            if place not in seen:
                seen.add(place)
                yield _in_figure(claim, place), fault


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _in_figure(claim: Claim, place: Place) -> Place:
    """The place in the file of a declared formula; a series that only a figure names is in the figure."""
    if place[0] != "series" or place[1] in claim.series:
        return place
    for index, figure in enumerate(claim.figures):
        for key, names in (("y", figure.y), ("x", (figure.x,)), ("reference", (figure.reference,))):
            if place[1] in names:
                return "figures", index, key
    return place
