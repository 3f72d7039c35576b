"""The strict model on which the parameters of every runner are built, and faults of settings at their own keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from dlnrepro.settings.numerals import numeral

WORKSPACE = 20_000_000
"""Bytes that a process holds in addition to the numbers of its runs."""

LONGEST = 120
"""Characters of a value that a message shows."""


class Contradiction(NamedTuple):
    """A setting that contradicts other settings.

    Attributes:
        key: the setting that must be changed.
        expected: what its value must be, such as `at most 4 strengths, one for each output`.
        found: the value in words, if the message must not show the value itself.
    """

    key: str
    expected: str
    found: str | None = None


class Settings(BaseModel):
    """The base of every runner's `Params`: frozen, strict, and without any unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def contradictions(self) -> Iterable[Contradiction]:
        """The settings that contradict other settings; a group that inherits another group adds its own."""
        return ()

    def numbers(self) -> int:
        """How many numbers one run holds in memory, at most."""
        raise NotImplementedError(f"{type(self).__name__} has to define numbers(), or memory(runs) itself")

    def memory(self, runs: int) -> int:
        """An upper estimate of the bytes that `runs` runs hold in memory."""
        return 8 * runs * self.numbers() + WORKSPACE

    @model_validator(mode="wrap")
    @classmethod
    def _every_fault(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Report contradictions between settings together with the faults of single settings."""
        try:
            settings = handler(values)
            faults, known = [], settings
        except ValidationError as error:
            settings, faults = None, error.errors(include_url=False)
            known = cls._without_faults(values, {detail["loc"][0] for detail in faults if detail["loc"]})
        details = [_as_before(detail) for detail in faults]
        details += [known._detail(one) for one in known._contradictions(all_known=settings is not None)]
        if settings is None or details:
            raise ValidationError.from_exception_data(cls.__name__, details)
        return settings

    @classmethod
    def _without_faults(cls, values: Any, wrong: set[int | str]) -> Self:
        """The settings whose values have no fault of their own; the other settings are missing."""
        given = values if isinstance(values, Mapping) else {}
        sound = {key: given[key] for key in cls.model_fields if key in given and key not in wrong}
        settings = cls.__new__(cls)
        settings.__dict__.update({key: tuple(v) if isinstance(v, list) else v for key, v in sound.items()})
        return settings

    def _contradictions(self, all_known: bool) -> list[Contradiction]:
        """The contradictions; if settings are missing, only those that are found before a missing one is needed."""
        found: list[Contradiction] = []
        try:
            found.extend(self.contradictions())
        except (AttributeError, TypeError):
            # A setting with a fault of its own is missing here, and its fault is reported.
            if all_known:
                raise
        return found

    def _detail(self, contradiction: Contradiction) -> InitErrorDetails:
        """A contradiction as an error of pydantic, at its own key."""
        value = getattr(self, contradiction.key)
        found = written(value) if contradiction.found is None else contradiction.found
        return InitErrorDetails(type=refused(contradiction.expected, found), loc=(contradiction.key,), input=value)


def refused(expected: str, found: str, suggestion: str | None = None) -> PydanticCustomError:
    """The error that a rule raises; the program prints it as `expected ..., found ...` at the setting's key.

    Args:
        expected: what the value has to be.
        found: the value as text.
        suggestion: an admitted value of which the value may be a misspelling.
    """
    context = {"expected": expected, "found": found} | ({} if suggestion is None else {"suggestion": suggestion})
    return PydanticCustomError("rule", "expected {expected}, found {found}", context)


def written(value: object) -> str:
    """A value as it is written in a claim file, short enough for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, tuple | list):
        text = f"[{', '.join(map(written, value))}]"
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = numeral(value) if isinstance(value, float) else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _as_before(detail: ErrorDetails) -> InitErrorDetails:
    """An error of a single setting, to be raised again together with others."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "rule":
        return InitErrorDetails(type=refused(**context), loc=detail["loc"], input=detail["input"])
    return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"], ctx=context)
