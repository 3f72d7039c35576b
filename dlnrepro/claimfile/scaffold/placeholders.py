"""Values that a runner accepts for its parameters, for the first claim of this runner."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from dlnrepro.claimfile.messages import model_schema
from dlnrepro.claimfile.parameters import parameter_faults

_LADDER = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 16, 20, 32, 50, 100, 200, 1000, 10_000)
"""Numbers that are tried for a parameter whose first value contradicts other parameters."""


def placeholders(params: type[BaseModel]) -> dict[str, Any]:
    """A value inside its range for every parameter; the values fit together if such values are found."""
    schema = model_schema(params)
    nodes, definitions = schema.get("properties", {}), schema.get("$defs", {})
    setup = {key: _value(node, definitions) for key, node in nodes.items()}
    others = {key: list(_others(node, definitions)) for key, node in nodes.items()}
    for _ in nodes:
        if (better := _better(params, setup, others)) is None:
            break
        setup = better
    return setup


def _better(params: type[BaseModel], setup: dict[str, Any], others: dict[str, list[Any]]) -> dict[str, Any] | None:
    """The setup with one other value, which has fewer faults; None if there are no faults, or no such value."""
    wrong = _keys_at_fault(params, setup)
    # A parameter with a fault is changed first; even with as many faults, a new value may uncover hidden faults.
    for key in [*dict.fromkeys(wrong), *(key for key in others if key not in wrong)] if wrong else []:
        for value in others.get(key, []):
            changed = {**setup, key: value}
            left = _keys_at_fault(params, changed)
            if len(left) < len(wrong) or (key in wrong and key not in left and len(left) == len(wrong)):
                return changed
    return None


def _keys_at_fault(params: type[BaseModel], setup: dict[str, Any]) -> list[str]:
    """The parameter of every fault that a setup has."""
    return [str(place[0]) if place else "" for place, _ in parameter_faults(params, setup)]


def _others(node: dict[str, Any], definitions: dict[str, Any]) -> Iterator[Any]:
    """Other values that a JSON schema admits, the most ordinary first; none if one word is the usual value."""
    if "$ref" in node:
        yield from _others(definitions.get(node["$ref"].rsplit("/", 1)[-1], {}), definitions)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in node:
            yield from _others(node[key][0], definitions)
    kind = node.get("type")
    if "enum" in node:
        yield from node["enum"][1:]
    elif kind in {"integer", "number"}:
        yield from _numbers(node, whole=kind == "integer")
        yield from [0] * _inside(node, 0)
    elif kind == "array":
        items = node.get("prefixItems") or [node.get("items", {})] * max(node.get("minItems", 1), 1)
        kinds = [item.get("type") for item in items]
        ladders = [_numbers(item, whole=kind == "integer") for item, kind in zip(items, kinds, strict=True)]
        if set(kinds) <= {"integer", "number"} and all(ladder == ladders[0] for ladder in ladders):
            steps = sorted(ladders[0])
            runs = [steps[first : first + len(items)] for first in range(len(steps) - len(items) + 1)]
            runs.sort(key=lambda run: abs(math.log(run[0] * run[-1])))
            yield from (values for run in runs for values in (run, run[::-1]))
        if not node.get("minItems", 0) and "prefixItems" not in node:
            yield []


def _numbers(node: dict[str, Any], whole: bool) -> list[float]:
    """Numbers of the ladder inside the bounds of a schema, those of order one first."""
    step = node.get("multipleOf")
    values = [int(value) if whole else float(value) for value in _LADDER if not whole or value >= 1]
    admitted = [value for value in values if _inside(node, value) and (not step or value % step == 0)]
    return sorted(admitted, key=lambda value: abs(math.log(value)))


def _inside(node: dict[str, Any], value: float) -> bool:
    """Whether a number keeps all bounds of a schema."""
    low, high = node.get("minimum", -math.inf), node.get("maximum", math.inf)
    below, above = node.get("exclusiveMinimum", -math.inf), node.get("exclusiveMaximum", math.inf)
    return bool(low <= value <= high and below < value < above)


def another(params: type[BaseModel], setup: dict[str, Any]) -> dict[str, Any]:
    """A change of one parameter that the runner accepts, for a control; empty if no change is found."""
    for key, value in setup.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for number in (2 * value, value + 1, value / 2, value - 1):
            changed = type(value)(number)
            if changed != value and not parameter_faults(params, {**setup, key: changed}):
                return {key: changed}
    return {}


def _value(node: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """A value that a JSON schema admits."""
    if "$ref" in node:
        return _value(definitions.get(node["$ref"].rsplit("/", 1)[-1], {}), definitions)
    for key in ("default", "const"):
        if key in node:
            return node[key]
    if "examples" in node:
        return node["examples"][0]
    if "enum" in node:
        return node["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in node:
            return _value(node[key][0], definitions)
    kind = node.get("type")
    if kind in {"integer", "number"}:
        return _number(node, whole=kind == "integer")
    if kind == "array":
        items = node.get("prefixItems") or [node.get("items", {})] * max(node.get("minItems", 1), 1)
        return [_value(item, definitions) for item in items]
    if kind == "object":
        return {key: _value(inner, definitions) for key, inner in node.get("properties", {}).items()}
    return {"boolean": False, "null": None}.get(str(kind), "text")


def _number(node: dict[str, Any], whole: bool) -> float:
    """A number inside the bounds of a schema: 1, or 2 if whole, or else one between the bounds or near one of them."""
    step = node.get("multipleOf", 1 if whole else 0)
    low, high = node.get("minimum"), node.get("maximum")
    below, above = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    low = low if below is None else below + step
    high = high if above is None else above - step
    middle = (low + high) / 2 if low is not None and high is not None else None
    beside = [low + 1 if low is not None else None, high - 1 if high is not None else None]
    # A width of 2 leaves room for two modes.
    tried = [2 * step or 1, step or 1, 1, low, high, middle, *beside]
    values = [value for value in tried if value is not None]
    if "multipleOf" in node:
        values = [math.ceil(value / step) * step for value in values]
    found = next((value for value in values if _inside(node, value)), 1)
    return int(found) if whole else float(found)
