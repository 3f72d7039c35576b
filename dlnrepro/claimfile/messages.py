"""Pydantic's errors in the words of this project: where, what was expected, what was found, and the nearest word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, PydanticInvalidForJsonSchema, ValidationError
from pydantic_core import ErrorDetails

from dlnrepro.claimfile.document import Place, one_of, shortened, suggestion
from dlnrepro.errors import one_line
from dlnrepro.signals import Ended

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "finite_number": "a finite number",
}
BLANK = r"\S"
"""The pattern of a text that is not blank."""

_LIMITS = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "a number of at least {}"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "a number of at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
    "too_short": ("min_length", "at least {} of them"),
    "too_long": ("max_length", "at most {} of them"),
    "string_too_short": ("min_length", "text of at least {} character"),
    "string_pattern_mismatch": ("pattern", "text of the form {}"),
    "literal_error": ("expected", "one of {}"),
}


def parameter_faults(params: type[BaseModel], values: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """What keeps values from being a runner's parameters: the place of each fault, and its text."""
    return [explained(params, detail) for detail in parameter_errors(params, values)]


def parameter_errors(params: type[BaseModel], values: Mapping[str, Any]) -> list[ErrorDetails]:
    """What keeps values from being a runner's parameters, in pydantic's words; `explained` puts one into ours."""
    try:
        params.model_validate(values)
    except ValidationError as error:
        return error.errors(include_url=False)
    except (KeyboardInterrupt, Ended):
        raise
    except BaseException as error:
        # The model is the runner's own code: what its validators raise, SystemExit too, is a fault of these values.
        found = ValueError(f"expected values that Params admits, found: {one_line(error)}")
        return [{"type": "value_error", "loc": (), "msg": str(found), "input": values, "ctx": {"error": found}}]
    return []


def explained(model: type[BaseModel], detail: ErrorDetails) -> tuple[Place, str]:
    """The place and the text of one of pydantic's errors, in the words of this project."""
    place, kind, found = tuple(detail["loc"]), detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        word = str(place[-1])
        known = _keys_at(model, place[:-1])
        text = f"expected {one_of(known, word)}, found '{shortened(word)}'{suggestion(word, known)}"
    elif kind == "missing":
        text = "expected this key, found nothing"
    elif kind == "value_error":
        text = str(context["error"])
    elif kind == "string_pattern_mismatch" and context["pattern"] == BLANK:
        text = f"expected text that is not blank, found {shown(found)}"
    elif kind in _LIMITS:
        name, form = _LIMITS[kind]
        near = suggestion(found, _choices(context)) if kind == "literal_error" and isinstance(found, str) else ""
        limit = context[name]
        text = (
            f"expected {form.format(f'{limit:g}' if isinstance(limit, float) else limit)}, found {shown(found)}{near}"
        )
    elif kind in _EXPECTED:
        text = f"expected {_EXPECTED[kind]}, found {shown(found)}"
    else:
        text = f"expected otherwise: {detail['msg'].lower()}, found {shown(found)}"
    return tuple(part for part in place if part != "[key]"), text


def _choices(context: Mapping[str, Any]) -> list[str]:
    """The words that a literal admits, from pydantic's own sentence."""
    return [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]


def shown(value: Any) -> str:
    """A value as it may stand in a message: short, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {dict: "a mapping", list: "a list", tuple: "a list", type(None): "nothing"}
    if type(value) in kinds and not (isinstance(value, list | tuple) and len(value) < 6):
        return kinds[type(value)]
    text = repr(list(value)) if isinstance(value, tuple) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys_at(model: type[BaseModel], place: Iterable[str | int]) -> list[str]:
    """The keys that a model admits at a place inside it."""
    schema = model_schema(model)
    definitions = schema.get("$defs", {})
    node: dict[str, Any] = schema
    for part in place:
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
        if "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[-1]]
    return [key for key in node.get("properties", {}) if key != "id" or node is not schema]


@cache
def model_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model; of one that has none, the names of its fields."""
    try:
        return model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return {"properties": {key: {} for key in model.model_fields}}
