"""The parameters of a runner as the settings of an arm give them: formulas become numbers, and the runner checks them.

A text is a formula where the parameter takes a number and no text, such as `step_size: 2 / strengths[1]`. Its names are
the other settings of the arm that are numbers or lists of numbers, after all changes of the arm; the name of a setting
in a group has a dot (`start.scale`). A setting that is left out has the runner's default.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dlnrepro.claimfile.document import Place, dotted
from dlnrepro.claimfile.messages import RULE, explained, model_schema, own_errors, shown
from dlnrepro.errors import Fault, one_line, unknown
from dlnrepro.settings.formula import Formula, FormulaError, Value, evaluate, formula, misuse
from dlnrepro.settings.numerals import numeral
from dlnrepro.signals import Ended

DECLARED = ("measures", "series")
"""The parameters that a claim writes as blocks outside its setup; a formula cannot name the numbers in them."""

CONSTANTS = "constants"
"""The parameter that holds numbers of the claim's own, which are named with a dot: `constants.rate`."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Derived:
    """A setting that is a formula, and its value in an arm."""

    formula: str
    value: float


@dataclass(frozen=True)
class Resolved:
    """The settings of an arm with a number in place of each formula.

    Attributes:
        values: every setting; a formula with a fault stays as it is.
        formulas: the place of each formula -> its text.
        faults: the faults of formulas, with their places.
    """

    values: dict[str, Any]
    formulas: dict[Place, str] = field(default_factory=dict)
    faults: list[tuple[Place, Fault]] = field(default_factory=list)

    @property
    def derived(self) -> dict[str, Derived]:
        """The name of each setting, or of its part, that is a formula with a value -> both."""
        wrong = {place for place, _ in self.faults}
        found = {place: text for place, text in self.formulas.items() if place not in wrong}
        return {dotted(place): Derived(text, float(_at(self.values, place))) for place, text in found.items()}


def numbers(params: Mapping[str, Any]) -> dict[str, Value]:
    """The parameters of an arm that are numbers or lists of numbers; those of a group have names with a dot."""
    found: dict[str, Value] = {}
    for name, value in params.items():
        if _is_number(value) or (isinstance(value, list | tuple) and all(map(_is_number, value))):
            found[name] = value
        elif isinstance(value, Mapping) and name not in DECLARED:
            found |= {f"{name}.{inner}": number for inner, number in numbers(value).items()}
    return found


def resolved(params: type[BaseModel], values: Mapping[str, Any]) -> Resolved:
    """The settings of an arm with numbers in place of formulas, by the types of a runner's parameters."""
    texts = {place: text for place, text in _texts(values) if place[0] not in DECLARED}
    kinds = {place: _kinds_at(params, place) for place in texts}
    formulas = {
        place: text for place, text in texts.items() if kinds[place] & _NUMBERS and "string" not in kinds[place]
    }
    # A word that is no setting is no formula either: the runner says which value it expects there.
    defaults = _defaults(params)
    known = {*defaults, *numbers(values), *(dotted(place).partition("[")[0] for place in formulas)}
    formulas = {place: text for place, text in formulas.items() if not _is_word(text) or text in known}
    if not formulas:
        return Resolved(dict(values))
    whole = {place for place in formulas if "number" not in kinds[place]}
    return _Resolution(values, formulas, whole, defaults).result()


def settled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an arm with numbers in place of texts that are formulas of settings, without asking the runner.

    This is for names in thresholds and for readers; a runner gets the settings that `resolved` gives.
    """
    return resolved_by_text(values).values


def resolved_by_text(values: Mapping[str, Any]) -> Resolved:
    """The settings of an arm, where each text is a formula that can be read as a formula of the other settings."""
    texts = [(place, text) for place, text in _texts(values) if place[0] not in DECLARED]
    own = {f"{CONSTANTS}.{name}" for name in constant_names(values)}
    formulas = {place: text for place, text in texts if text in own or (not _is_word(text) and _reads(text))}
    return _Resolution(values, formulas, set(), {}).result() if formulas else Resolved(dict(values))


def constant_names(values: Mapping[str, Any]) -> list[str]:
    """The names of the constants among some settings; none if the constants are not a mapping."""
    constants = values.get(CONSTANTS)
    return [*constants] if isinstance(constants, Mapping) else []


def with_values(written: Any, value: Any) -> Any:
    """A setting as it is written, with the value after each formula in it, such as `2 / depth = 0.5`."""
    if isinstance(written, str) and _is_number(value):
        return f"{written} = {numeral(value, 6)}"
    if isinstance(written, Mapping) and isinstance(value, Mapping):
        return {key: with_values(inner, value.get(key)) for key, inner in written.items()}
    if isinstance(written, list | tuple) and isinstance(value, list | tuple) and len(written) == len(value):
        return [with_values(inner, own) for inner, own in zip(written, value, strict=True)]
    return written


def validated(params: type[Model], values: Mapping[str, Any]) -> Model:
    """The parameters of a runner, with numbers in place of formulas.

    Raises:
        ValidationError: they do not fit; `parameter_faults` has the reasons in words.
    """
    return params.model_validate(resolved(params, values).values)


def parameter_faults(params: type[BaseModel], values: Mapping[str, Any]) -> list[tuple[Place, Fault]]:
    """The reasons why values cannot be a runner's parameters: each fault with its place."""
    return [explained(params, detail) for detail in parameter_errors(params, values)]


def parameter_errors(params: type[BaseModel], values: Mapping[str, Any]) -> list[ErrorDetails]:
    """The reasons why values cannot be a runner's parameters, as pydantic's errors; `explained` rewords an error."""
    found = resolved(params, values)
    errors = [_as_error(place, fault) for place, fault in found.faults]
    wrong = {place for place, _ in found.faults}
    for detail in _errors(params, found.values):
        place = tuple(detail["loc"])
        if any(place[: len(one)] == one for one in wrong):
            continue
        text = next((text for one, text in found.formulas.items() if place[: len(one)] == one), None)
        if text is not None and errors and detail.get("input") == text:
            continue  # the formula has no number, because another one that it needs has a fault
        if text is not None:
            detail["ctx"] = {**detail.get("ctx", {}), "formula": text}
        errors.append(detail)
    return errors


def _errors(params: type[BaseModel], values: Mapping[str, Any]) -> list[ErrorDetails]:
    """Pydantic's errors of settings without formulas."""
    try:
        params.model_validate(values)
    except ValidationError as error:
        return own_errors(error)
    except (KeyboardInterrupt, Ended):
        raise
    except BaseException as error:
        # The model is the runner's own code: every exception of its validators, also SystemExit, is a fault.
        found = one_line(error)
        context = {"expected": "values that Params admits", "found": found, "cited": True}
        return [{"type": RULE, "loc": (), "msg": found, "input": None, "ctx": context}]
    return []


def _as_error(place: Place, fault: Fault) -> ErrorDetails:
    """The fault of a formula in the form of pydantic's errors."""
    context: dict[str, Any] = {"expected": fault.expected, "found": fault.found, "suggestion": fault.suggestion}
    return {"type": RULE, "loc": place, "msg": fault.wording, "input": None, "ctx": context}


class _Resolution:
    """The computation of the formulas among some settings, each when another one needs it."""

    def __init__(
        self, values: Mapping[str, Any], formulas: Mapping[Place, str], whole: set[Place], defaults: Mapping[str, Value]
    ) -> None:
        self._values = {key: _copied(value) for key, value in values.items()}
        self._formulas = formulas
        self._whole = whole
        self._defaults = {name: value for name, value in defaults.items() if name not in values}
        self._waiting: list[Place] = []
        self._done: set[Place] = set()
        self._faults: dict[Place, Fault] = {}

    def result(self) -> Resolved:
        """The settings with the numbers of their formulas."""
        for place in self._formulas:
            self._compute(place)
        return Resolved(self._values, dict(self._formulas), list(self._faults.items()))

    def _compute(self, place: Place) -> None:
        """Put the number of one formula in its place, or keep its fault."""
        if place in self._done:
            return
        self._waiting.append(place)
        try:
            found = self._number(place, self._formulas[place])
        except FormulaError as error:
            found = error.fault
        self._waiting.pop()
        self._done.add(place)
        if isinstance(found, Fault):
            self._faults.setdefault(place, found)
        elif found is not None:
            _put(self._values, place, int(found) if place in self._whole and found.is_integer() else found)

    def _number(self, place: Place, text: str) -> float | Fault | None:
        """The number of a formula, or its fault; None if the fault is that of another formula."""
        known = formula(text)
        for name in known.names:
            if (fault := self._prepare(place, name)) is not None:
                return fault
        if any(self._concerns(other, name) for other in self._faults for name in known.names):
            return None
        names = {**numbers(self._values), **self._defaults}
        given = {name: value for name, value in self._values.items() if name not in names}
        for name in known.names:
            if name in given:
                return Fault(expected="a number or a list of numbers", found=f"'{name}', which is {shown(given[name])}")
        names = {name: value for name, value in names.items() if name != dotted(place)}
        others = [dotted(other) for other in self._formulas if other != place and dotted(other) not in names]
        return _fault_or_number(known, names, [*names, *others])

    def _prepare(self, place: Place, name: str) -> Fault | None:
        """Compute the formulas that a name stands for; the fault of a formula that needs itself, or None."""
        for other in [other for other in self._formulas if self._concerns(other, name)]:
            if other in self._waiting:
                circle = [*self._waiting[self._waiting.index(other) :], other]
                for member in circle:
                    self._faults.setdefault(member, _circle_fault(circle))
                return self._faults[place]
            self._compute(other)
        return None

    @staticmethod
    def _concerns(place: Place, name: str) -> bool:
        """Whether a name stands for the setting at a place, or for the list that contains it."""
        words = dotted(place).partition("[")[0]
        return words == name


def _circle_fault(circle: Sequence[Place]) -> Fault:
    """The fault of formulas that need each other in a circle."""
    words = " needs ".join(dotted(place) for place in circle)
    return Fault(expected="a formula that does not need itself", found=words)


def _fault_or_number(known: Formula, names: Mapping[str, Value], words: Sequence[str]) -> float | Fault:
    """The value of a formula, or its fault; the words are all names that a formula could use."""
    for name in known.names:
        if name not in names:
            return unknown(name, words)
    if (fault := misuse(known, names)) is not None:
        return fault
    value = evaluate(known, names)
    if math.isnan(value):
        return Fault(expected="a formula with a finite value", found=f"'{known.text}' without one")
    return value


def _texts(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text inside a value, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*place, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*place, index))


def _at(value: Any, place: Place) -> Any:
    """The value at a place inside another."""
    for part in place:
        value = value[part]
    return value


def _put(values: dict[str, Any], place: Place, number: float) -> None:
    """Put a number at a place inside settings that were copied."""
    _at(values, place[:-1])[place[-1]] = number


def _copied(value: Any) -> Any:
    """A copy of a setting in which every list and mapping is a new one."""
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    return list(map(_copied, value)) if isinstance(value, list | tuple) else value


def _is_word(text: str) -> bool:
    """Whether a text is a single word, such as `steady`."""
    return text.replace(".", "_").isidentifier()


def _reads(text: str) -> bool:
    """Whether a text can be read as a formula."""
    try:
        formula(text)
    except FormulaError:
        return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _defaults(params: type[BaseModel]) -> dict[str, Value]:
    """The defaults of a runner's parameters that are numbers or lists of numbers."""
    return numbers({name: item.default for name, item in params.model_fields.items() if not item.is_required()})


_NUMBERS = {"number", "integer"}
_OF_VALUES: tuple[tuple[type, str], ...] = ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number"))


def _kinds_at(params: type[BaseModel], place: Place) -> set[str]:
    """The types of JSON that a model admits at a place inside it; nothing if they are not known."""
    schema = model_schema(params)
    nodes = [*_alternatives(schema, schema)]
    for part in place:
        nodes = [one for node in nodes for inner in _inside(node, part) for one in _alternatives(inner, schema)]
    return {kind for node in nodes for kind in _kinds(node)}


def _alternatives(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The plain schemas that a schema combines or refers to."""
    if "$ref" in node:
        yield from _alternatives(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]], schema)
    several = [inner for key in ("anyOf", "oneOf", "allOf") for inner in node.get(key, [])]
    for inner in several:
        yield from _alternatives(inner, schema)
    if not several and "$ref" not in node:
        yield node


def _inside(node: Mapping[str, Any], part: str | int) -> list[Mapping[str, Any]]:
    """The schemas of one item of a list, or of one key of a mapping."""
    if isinstance(part, int):
        fixed = node.get("prefixItems", [])
        found = fixed[part] if part < len(fixed) else node.get("items")
    else:
        of_pattern = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
        found = node.get("properties", {}).get(part, of_pattern[0])
    return [found] if isinstance(found, Mapping) else []


def _kinds(node: Mapping[str, Any]) -> list[str]:
    """The types that a plain schema admits."""
    if "type" in node:
        return [node["type"]] if isinstance(node["type"], str) else list(node["type"])
    values = node.get("enum", [node["const"]] if "const" in node else [])
    return [next((name for kind, name in _OF_VALUES if isinstance(value, kind)), "null") for value in values]
