"""The model of a declared measure: a formula of recorded quantities, how it is reduced, and what it is compared with.

    cycle_sum:
      says: the sum of two neighbouring values of P[1, 1], over its predicted value
      largest: P[1, 1] + P[1, 1](t - 1)
      over: last 20 points
      ratio_to: strengths[1] + 1 / step_size

The normal form of a formula is its text on one line; a number may stand for a formula.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from dlnrepro.dynamics.observed.measure import (
    Approach,
    Comparison,
    Expression,
    Interpolation,
    Measure,
    Reducer,
    Window,
)
from dlnrepro.runner import Declared, Series
from dlnrepro.settings.base import refused, written
from dlnrepro.settings.formula import FUNCTIONS, FormulaError, formula, record_formula, record_inequality
from dlnrepro.settings.numerals import numeral

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_POINTS = re.compile(r"(last|first) ([1-9][0-9]{0,6}) points?")

REDUCERS: tuple[Reducer, ...] = get_args(Reducer)
COMPARISONS: dict[str, Comparison] = {
    "ratio_to": "ratio",
    "difference_from": "difference",
    "relative_error_from": "relative error",
}
"""The keys that compare a number with a formula."""

INSTEAD = "a measure with last, first, largest, smallest or mean is one number"
"""The hint for a quantity of many points where one number is expected."""

_WINDOW = ("over", "where", "from", "to")
_ONLY_WITH: dict[str, tuple[Reducer, ...]] = {
    "least_points": ("slope",),
    "approach": ("limit",),
    "interpolation": ("first_time",),
    "clock": ("first_time", "limit"),
    **dict.fromkeys(_WINDOW, tuple(reducer for reducer in REDUCERS if reducer != "value")),
}
"""Keys that belong to some reducers only."""


def _text_of(read: Callable[[str], Any]) -> Callable[[Any], str]:
    """The validator that gives the normal form of a formula's text, and refuses what is not a formula."""

    def normal(value: Any) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            value = numeral(value)
        if not isinstance(value, str):
            raise refused("a formula", written(value))
        try:
            text: str = read(value).text
        except FormulaError as error:
            fault = error.fault
            if read is formula and _reads_at_points(value):
                found = f"{written(value)}, which is recorded at many points; {INSTEAD}"
                raise refused("a number that does not change along a run", found) from None
            raise refused(str(fault.expected), str(fault.found), fault.suggestion) from None
        return text

    return normal


def _reads_at_points(text: str) -> bool:
    """Whether a text is a formula of recorded quantities."""
    try:
        record_formula(text)
    except FormulaError:
        return False
    return True


def _pair(value: Any) -> Any:
    """A list of two formulas as a tuple."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refused("two formulas [y, x], whose slope dy/dx is wanted", written(value))
    return tuple(value)


def _points(value: Any) -> str:
    """The points at one end of a window, in words."""
    if not isinstance(value, str) or not _POINTS.fullmatch(" ".join(value.split())):
        raise refused("`last 20 points` or `first 20 points`", written(value))
    return " ".join(value.split())


def _as_name(word: str) -> str:
    """Refuse a name that a formula would read as something else."""
    if not _NAME.fullmatch(word):
        raise refused("a name of letters, digits and _, as formulas have it", written(word), re.sub(r"\W", "_", word))
    if word in FUNCTIONS:
        raise refused("a name that no function of formulas has", written(word))
    return word


OfRecords = Annotated[str, PlainValidator(_text_of(record_formula), json_schema_input_type=str | float)]
"""A formula of recorded quantities and of numbers that do not change along a run."""
OfNumbers = Annotated[str, PlainValidator(_text_of(formula), json_schema_input_type=str | float)]
"""A formula of numbers that do not change along a run."""
Event = Annotated[str, PlainValidator(_text_of(record_inequality), json_schema_input_type=str)]
"""An inequality between formulas of records."""
Pair = Annotated[tuple[OfRecords, OfRecords], BeforeValidator(_pair, json_schema_input_type=list[str])]
Points = Annotated[str, PlainValidator(_points, json_schema_input_type=str)]
Says = Annotated[str, Field(min_length=1, pattern=r"\S")]
Word = Annotated[str, AfterValidator(_as_name)]
"""A name that a formula can use."""

_OVER_WINDOW = "formula of recorded quantities: its {} value in the window"


class DeclaredMeasure(BaseModel):
    """One number per run: a formula of recorded quantities under the name of its reducer."""

    model_config = _STRICT

    says: Says = Field(description="the definition of the measure in words, with its range")
    last: OfRecords | None = Field(default=None, description=_OVER_WINDOW.format("last"))
    first: OfRecords | None = Field(default=None, description=_OVER_WINDOW.format("first"))
    largest: OfRecords | None = Field(default=None, description=_OVER_WINDOW.format("largest"))
    smallest: OfRecords | None = Field(default=None, description=_OVER_WINDOW.format("smallest"))
    mean: OfRecords | None = Field(default=None, description=_OVER_WINDOW.format("mean"))
    median: OfRecords | None = Field(default=None, description=_OVER_WINDOW.format("median"))
    first_time: Event | None = Field(default=None, description="inequality: the first time at which it holds")
    slope: Pair | None = Field(
        default=None, description="two formulas [y, x]: the slope of the least-squares line of y against x"
    )
    limit: OfRecords | None = Field(default=None, description="formula of recorded quantities: its limit")
    value: OfNumbers | None = Field(default=None, description="formula of settings, drawn numbers and other measures")
    over: Points | None = Field(default=None, description="`last 20 points` or `first 20 points` of the window")
    where: Event | None = Field(default=None, description="inequality that holds at the points of the window")
    from_: OfNumbers | None = Field(default=None, alias="from", description="smallest value of the axis in the window")
    to: OfNumbers | None = Field(default=None, description="largest value of the axis in the window")
    ratio_to: OfRecords | None = Field(default=None, description="r: the measure is x / r")
    difference_from: OfRecords | None = Field(default=None, description="r: the measure is x - r")
    relative_error_from: OfRecords | None = Field(default=None, description="r: the measure is |x - r| / |r|")
    clock: Word | None = Field(default=None, description="the quantity that is the time; otherwise the axis")
    least_points: int | None = Field(
        default=None, ge=2, le=1_000_000, description="the smallest number of points of a slope; otherwise 3"
    )
    approach: Approach | None = Field(
        default=None, description="how a limit c is approached: as c + a exp(-b t) (otherwise so), or as c + a / t"
    )
    interpolation: Interpolation | None = Field(
        default=None, description="how the time of an event between two points is found; otherwise `linear`"
    )

    @model_validator(mode="after")
    def _has_one_reducer(self) -> DeclaredMeasure:
        """Refuse a measure without a reducer, or with two, and keys that the reducer does not use."""
        given = [name for name in REDUCERS if getattr(self, name) is not None]
        if len(given) != 1:
            expected = f"one of {', '.join(REDUCERS)}"
            raise _at(given[1] if given else None, refused(expected, ", ".join(given) or "none"))
        if len(compared := [key for key in COMPARISONS if getattr(self, key) is not None]) > 1:
            raise _at(compared[1], refused(f"one of {', '.join(COMPARISONS)}", ", ".join(compared)))
        for key, reducers in _ONLY_WITH.items():
            if getattr(self, "from_" if key == "from" else key) is not None and given[0] not in reducers:
                words = ", ".join(reducers) if len(reducers) < 3 else "a reducer of recorded points"
                raise _at(key, refused(f"this key only with {words}", f"it with {given[0]}"))
        if self.interpolation in ("linear", "log") and len(self._event.sides) > 2:
            raise _at("interpolation", refused("none, since the event has two levels", str(self.interpolation)))
        return self

    @property
    def _event(self) -> Any:
        """The inequality of the first time."""
        assert self.first_time is not None
        return record_inequality(self.first_time)

    @cached_property
    def measure(self) -> Measure:
        """The measure, as it is computed."""
        reducer = next(name for name in REDUCERS if getattr(self, name) is not None)
        texts = {"slope": self.slope, "first_time": ()}.get(reducer, (getattr(self, reducer),)) or ()
        compared = next((key for key in COMPARISONS if getattr(self, key) is not None), None)
        end, count, _ = (self.over or "last 0 points").split()
        window = Window(
            where=None if self.where is None else record_inequality(self.where),
            start=None if self.from_ is None else formula(self.from_),
            end=None if self.to is None else formula(self.to),
            points=(int(count) if end == "last" else -int(count)) or None,
        )
        event = None if self.first_time is None else self._event
        return Measure(
            reducer,
            tuple(map(record_formula, texts)),
            event,
            window,
            None if compared is None else record_formula(getattr(self, compared)),
            COMPARISONS[compared or "ratio_to"],
            self.clock,
            self.least_points or 3,
            self.approach or "exponential",
            self.interpolation or ("linear" if event is None or len(event.sides) == 2 else "none"),
        )

    @property
    def definition(self) -> str:
        """The meaning in words, and the formulas as a claim has them."""
        keys = (*REDUCERS, *_WINDOW, *COMPARISONS, *_ONLY_WITH)
        texts = {key: getattr(self, "from_" if key == "from" else key) for key in dict.fromkeys(keys)}
        parts = [f"{key}: {_listed(text)}" for key, text in texts.items() if text is not None]
        return f"{self.says} ({'; '.join(parts)})"

    @property
    def formulas(self) -> dict[str, list[Expression]]:
        """The formulas at each key, those of an inequality one by one."""
        found: dict[str, list[Expression]] = {}
        for key in (*REDUCERS, "where", "from", "to", *COMPARISONS):
            text = getattr(self, "from_" if key == "from" else key)
            if text is None:
                continue
            if key in ("first_time", "where"):
                found[key] = list(record_inequality(text).sides)
            else:
                found[key] = list(map(record_formula, text if key == "slope" else (text,)))
        return found


def _or_formula(schema: dict[str, Any]) -> None:
    """Let the JSON schema of a series also admit a formula alone."""
    mapping = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string"}, {"type": "number"}, mapping]


class DeclaredSeries(BaseModel):
    """One row of numbers per run: a formula at every recorded point."""

    model_config = ConfigDict(**_STRICT, json_schema_extra=_or_formula)

    of: OfRecords = Field(description="formula of recorded quantities")
    says: Says | None = Field(default=None, description="the definition in words, which labels an axis of a figure")

    @model_validator(mode="before")
    @classmethod
    def _formula_alone(cls, value: Any) -> Any:
        """A formula alone is the series without words."""
        return value if isinstance(value, Mapping) else {"of": value}

    @property
    def expression(self) -> Expression:
        """The formula, as it is computed."""
        return record_formula(self.of)


Measures = Annotated[dict[Word, DeclaredMeasure], Field(description="the measures that the claim declares")]
"""The parameter `measures` of a runner."""
DeclaredSeriesByName = Annotated[dict[Word, DeclaredSeries], Field(description="the series that the claim declares")]
"""The parameter `series` of a runner."""


def computed(measures: Mapping[str, DeclaredMeasure]) -> dict[str, Measure]:
    """Measures as `dlnrepro.dynamics.observed.evaluation` computes them."""
    return {name: measure.measure for name, measure in measures.items()}


def expressions(series: Mapping[str, DeclaredSeries]) -> dict[str, Expression]:
    """Series as `dlnrepro.dynamics.observed.evaluation` computes them."""
    return {name: item.expression for name, item in series.items()}


def declaration(
    measures: Mapping[str, DeclaredMeasure],
    series: Mapping[str, DeclaredSeries],
    axis: str,
    says: Mapping[str, str] | None = None,
) -> Declared:
    """What a runner declares whose measures and series are those of a claim.

    Args:
        measures: the parameter `measures`.
        series: the parameter `series`.
        axis: the name of the axis that all series share.
        says: name -> the meaning of a recorded quantity, for a series that is a quantity and has no words of its own.
    """
    known = says or {}
    return Declared(
        {name: measure.definition for name, measure in measures.items()},
        {name: Series(axis, item.says or known.get(item.of, item.of)) for name, item in series.items()},
    )


def _listed(text: Any) -> str:
    """A formula as it is, and two formulas in brackets."""
    return f"[{', '.join(text)}]" if isinstance(text, tuple) else str(text)


def _at(key: str | None, error: PydanticCustomError) -> PydanticCustomError | ValidationError:
    """The error at one key of a measure."""
    if key is None:
        return error
    return ValidationError.from_exception_data("rule", [InitErrorDetails(type=error, loc=(key,), input=None)])
