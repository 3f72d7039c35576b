"""Values that a runner's parameters admit, for a first claim of a runner that has none yet."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel

from dlnrepro.claimfile.messages import model_schema, parameter_faults


def placeholders(params: type[BaseModel]) -> dict[str, Any]:
    """A value for every parameter, inside its range as far as its schema says it."""
    schema = model_schema(params)
    return {key: _value(node, schema.get("$defs", {})) for key, node in schema.get("properties", {}).items()}


def another(params: type[BaseModel], setup: dict[str, Any]) -> dict[str, Any]:
    """A change of one parameter that the runner admits, for a control; nothing if none is found."""
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
    """A number inside the bounds of a schema: 1 if it is, or else one between the bounds or next to one of them."""
    step = node.get("multipleOf", 1 if whole else 0)
    low, high = node.get("minimum"), node.get("maximum")
    below, above = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    low = low if below is None else below + step
    high = high if above is None else above - step

    def inside(value: float) -> bool:
        """Whether a number keeps all bounds."""
        over = (low is None or value >= low) and (below is None or value > below)
        return over and (high is None or value <= high) and (above is None or value < above)

    middle = (low + high) / 2 if low is not None and high is not None else None
    beside = [low + 1 if low is not None else None, high - 1 if high is not None else None]
    tried = [step or 1, 1, low, high, middle, *beside]
    values = [value for value in tried if value is not None]
    if "multipleOf" in node:
        values = [math.ceil(value / step) * step for value in values]
    found = next((value for value in values if inside(value)), 1)
    return int(found) if whole else float(found)
