"""Pydantic's errors in the words of this project: where, what was expected, what was found, and the nearest word."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel, PydanticInvalidForJsonSchema, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from dlnrepro.claimfile.document import Place
from dlnrepro.errors import Fault, shortened, unknown
from dlnrepro.settings.numerals import numeral

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
RULE = "rule"
"""The type of pydantic's errors that have the expected and the found value in their context."""

BLANK = r"\S"
"""The pattern of a text that is not blank."""

_REMOVED = {
    "misses": "'runs: almost all' (the default) if some runs may lie outside, or 'runs: every' if none may",
}
"""Keys of a criterion that were removed -> what to write in their place."""

_MISSING = {
    ("criteria", "holds_in"): "the arms in which the criterion must hold",
    ("criteria", "fails_in"): "the controls, that is, the arms in which the criterion must fail",
    ("assumptions", "holds_in"): "the arms in which the assumption must hold",
}
"""Keys that a beginner leaves out -> what they mean."""

_LIMITS = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "a number of at least {}"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "a number of at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
    "too_short": ("min_length", "a list of length {} or more"),
    "too_long": ("max_length", "a list of length {} or less"),
    "string_too_short": ("min_length", "text of at least {} character"),
    "string_pattern_mismatch": ("pattern", "text of the form {}"),
    "literal_error": ("expected", "one of {}"),
}


def rule(expected: str, found: str, key: str | None = None, suggestion: str | None = None) -> PydanticCustomError:
    """The error that a validator raises for a rule of this project: `explained` gives its parts as they are.

    Args:
        expected: what was expected.
        found: what was found.
        key: the key with the fault, if a whole model is validated; `at_its_key` places the error.
        suggestion: what was probably meant, if that is known.
    """
    context = {"expected": expected, "found": found} | ({"key": key} if key else {})
    context |= {"suggestion": suggestion} if suggestion else {}
    return PydanticCustomError(RULE, "expected {expected}, found {found}", context)


def at_its_key(error: PydanticCustomError) -> PydanticCustomError | ValidationError:
    """The error of a rule as the validator of a model must raise it, so that it is reported at its key."""
    if not (key := (error.context or {}).get("key")):
        return error
    return ValidationError.from_exception_data("rule", [InitErrorDetails(type=error, loc=(key,), input=None)])


def own_errors(error: ValidationError) -> list[ErrorDetails]:
    """The errors without those for lists that are long enough, because pydantic does not count items with a fault."""
    return [
        detail
        for detail in _one_for_each_value(error.errors(include_url=False))
        if detail["type"] != "too_short" or len(detail["input"]) < detail["ctx"]["min_length"]
    ]


def _one_for_each_value(details: Sequence[ErrorDetails]) -> Iterator[ErrorDetails]:
    """The errors, with one for a value that may be one of several sets of words, or a word or a number.

    Pydantic gives an error for each of these choices, and adds the choice to the place of its error.
    """
    chosen = {detail["loc"][:-1] for detail in details if _words_of(detail) is not None}
    seen: set[tuple[int | str, ...]] = set()
    for detail in details:
        place = detail["loc"][:-1]
        if place not in chosen or not detail["loc"]:
            yield detail
        elif place not in seen:
            seen.add(place)
            yield _of_all_choices([other for other in details if other["loc"][:-1] == place])


def _words_of(detail: ErrorDetails) -> list[object] | None:
    """The words of an error of one set of words among several choices; None for another error."""
    last = str(detail["loc"][-1]) if detail["loc"] else ""
    if detail["type"] != "literal_error" or not last.startswith("literal["):
        return None
    try:
        return list(ast.literal_eval(last.removeprefix("literal")))
    except (ValueError, SyntaxError):  # members of an enumeration are no words
        return None


def _of_all_choices(details: Sequence[ErrorDetails]) -> ErrorDetails:
    """One error in place of those of all choices for a value."""
    first = details[0]
    words = [str(word) for detail in details for word in _words_of(detail) or ()]
    kinds = [_EXPECTED[detail["type"]] for detail in details if detail["type"] in _EXPECTED]
    found = first["input"]
    fault = unknown(str(found), words)
    near = fault.suggestion if isinstance(found, str) else None
    expected = " or ".join(dict.fromkeys([str(fault.expected), *kinds]))
    context: dict[str, Any] = {"expected": expected, "found": shown(found), "suggestion": near}
    return {"type": RULE, "loc": first["loc"][:-1], "msg": fault.wording, "input": found, "ctx": context}


def place_of(detail: ErrorDetails) -> Place:
    """The place of one of pydantic's errors."""
    return tuple(part for part in detail["loc"] if part != "[key]")


def same_as(detail: ErrorDetails) -> tuple[Place, str, str, str]:
    """A key that is equal for two of pydantic's errors that say the same about the same place."""
    # The input of these errors is the whole model, which differs between arms.
    whole = detail["type"] in {RULE, "value_error", "missing"}
    return place_of(detail), detail["type"], detail["msg"], "" if whole else shown(detail["input"])


def explained(model: type[BaseModel], detail: ErrorDetails) -> tuple[Place, Fault]:
    """The place of one of pydantic's errors, and the error as a fault in the words of this project.

    If the value is that of a formula, the formula is the entry `formula` of the error's context.
    """
    place, fault = _explained(model, detail)
    text = detail.get("ctx", {}).get("formula")
    if text is None or fault.found is None:
        return place, fault
    return place, replace(fault, found=f"{fault.found}, the value of '{shortened(text)}'")


def _explained(model: type[BaseModel], detail: ErrorDetails) -> tuple[Place, Fault]:
    """The place of an error, and its fault, which does not say of which formula the value is."""
    place, kind, found = place_of(detail), detail["type"], shown(detail["input"])
    context = detail.get("ctx", {})
    if kind == "extra_forbidden" and place[0] == "criteria" and place[-1] in _REMOVED:
        return place, Fault(expected=_REMOVED[str(place[-1])], found=f"'{place[-1]}', which is no longer a key")
    if kind == "extra_forbidden":
        return place, unknown(str(place[-1]), _keys_at(model, place[:-1]))
    if kind == RULE and "expected" in context:
        near = context.get("suggestion")
        return place, Fault(
            expected=str(context["expected"]),
            found=str(context["found"]) if "found" in context else None,
            suggestion=None if near is None else str(near),
            cited=context.get("cited") is True,
        )
    if kind == "value_error":
        return place, Fault(text=str(context["error"]))
    if kind == "missing":
        said = _MISSING.get((str(place[0]), str(place[-1])))
        return place, Fault(expected=f"this key{f' ({said})' if said else ''}", found="nothing")
    if kind == "string_pattern_mismatch" and context["pattern"] == BLANK:
        return place, Fault(expected="text that is not blank", found=found)
    if kind == "literal_error" and isinstance(detail["input"], str) and (words := _words_at(model, place)):
        return place, unknown(detail["input"], words)
    if kind in _LIMITS:
        name, form = _LIMITS[kind]
        limit = context[name]
        if found == "a list" and context.get("actual_length") is not None:
            found = f"a list of length {context['actual_length']}"
        shown_limit = numeral(limit) if isinstance(limit, float) else str(limit)
        return place, Fault(expected=form.format(shown_limit), found=found)
    return place, Fault(expected=_EXPECTED.get(kind, f"otherwise: {detail['msg'].lower()}"), found=found)


def shown(value: Any) -> str:
    """A value as text for a message: short, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {dict: "a mapping", list: "a list", tuple: "a list", type(None): "nothing"}
    if type(value) in kinds and not (isinstance(value, list | tuple) and len(value) < 6):
        return kinds[type(value)]
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(shown, value))}]"
    elif isinstance(value, float):
        text = numeral(value)
        # This is not a whole number, even if it has the value of one.
        text += ".0" * text.lstrip("-").isdigit()
    else:
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that a model admits at a place inside it; the id of a claim is the name of its file."""
    return [key for key in _schema_at(model, place).get("properties", {}) if key != "id" or place]


def _words_at(model: type[BaseModel], place: Place) -> list[str]:
    """The words that a model admits at a place inside it, if it admits only certain words."""
    schema = _schema_at(model, place)
    return [word for word in schema.get("enum", [schema.get("const")]) if isinstance(word, str)]


def _schema_at(model: type[BaseModel], place: Place) -> dict[str, Any]:
    """The JSON schema of the values that a model admits at a place inside it."""
    schema = model_schema(model)
    node: dict[str, Any] = schema
    for part in place:
        if isinstance(part, int) and "properties" in node:
            continue  # the schema admits a model alone in place of a list, and its keys are those of the list's items
        node = node.get("items", {}) if isinstance(part, int) else _of_key(node, str(part))
        # A key that may be left out admits a model or certain words, or nothing.
        node = next((one for one in node.get("anyOf", []) if "$ref" in one or "enum" in one), node)
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def _of_key(node: dict[str, Any], key: str) -> dict[str, Any]:
    """The schema of the value of a key, which may be any key of a mapping with values of one kind."""
    # The names of such keys may have a pattern.
    of_pattern = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    found = node.get("properties", {}).get(key, of_pattern[0])
    return found if isinstance(found, dict) else {}


@cache
def model_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model; if it has none, only the names of its fields."""
    try:
        return model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return {"properties": {key: {} for key in model.model_fields}}
