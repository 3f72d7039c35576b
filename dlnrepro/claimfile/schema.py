"""The schema of a claim file: what a claim says, the arms it trains, and the criteria it must meet.

A claim has the names of its runner, measures and series, but not the runner itself; `loader` compares the two.
Nothing here imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike, fspath
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from dlnrepro.claimfile.interval import check_keys, compared, interval, stated
from dlnrepro.claimfile.messages import BLANK, at_its_key, rule, shown
from dlnrepro.claimfile.printed.numerals import as_printed
from dlnrepro.registry.functions.reference import FORM, is_written_well, located
from dlnrepro.settings.declared.measures import DeclaredMeasure, DeclaredSeries, Word
from dlnrepro.settings.formula import FUNCTIONS, FormulaError, formula, inequality, names_in

USUAL_RUNS, USUAL_QUICK_RUNS = 16, 4
"""The runs per arm of a claim that does not say how many, and those in its quick profile."""

OWN = "Statements of one's own"
"""The heading over the claims that are taken from no source."""

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)


def _as_tuple(value: Any) -> Any:
    """A list as a tuple, and a single value as a tuple of one."""
    return tuple(value) if isinstance(value, list) else value if isinstance(value, tuple) else (value,)


def _number_or_formula(value: Any) -> float | str:
    """A number as it is, and a formula on one line; every other value is refused."""
    if isinstance(value, str):
        try:
            return formula(value).text
        except FormulaError as error:
            fault = error.fault
            raise rule(str(fault.expected), str(fault.found), suggestion=fault.suggestion) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise rule("a number or a formula", shown(value))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise rule("a finite number", shown(value))
    return number


def _runner(value: Any) -> Any:
    """The name of a runner; the name of a function must have its form."""
    if isinstance(value, str) and (set(value) & set("/\\:") or value.endswith(".py")) and not is_written_well(value):
        expected = f"{FORM}, a function in a file next to the claim file or in a folder below it, or a runner's name"
        raise rule(expected, shown(value))
    return value


def _inequality(value: Any) -> str:
    """An inequality on one line between numbers that may satisfy it; every other value is refused."""
    if not isinstance(value, str):
        raise rule("an inequality", shown(value))
    try:
        found = inequality(value)
    except FormulaError as error:
        fault = error.fault
        raise rule(str(fault.expected), str(fault.found), suggestion=fault.suggestion) from None
    _, bounds = compared(found)
    known = {key: bound for key, bound in bounds.items() if not isinstance(bound, str)}
    if len(known) == len(bounds) > 1:
        interval(**known)
    return found.text


Text = Annotated[str, Field(min_length=1, pattern=BLANK)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
RunnerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./:-]*[A-Za-z0-9_]$"), BeforeValidator(_runner)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_as_tuple, json_schema_input_type=Name | list[Name])]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_tuple, json_schema_input_type=Text | list[Text])]
Seeds = Annotated[int, Field(ge=1, le=100_000)]
Unequal = Annotated[str, PlainValidator(_inequality, json_schema_input_type=str)]
"""An inequality of the arm's parameters and of the run's own measures."""
Bound = Annotated[float | str, PlainValidator(_number_or_formula, json_schema_input_type=float | str)]
"""A threshold: a number, or a formula of the arm's parameters and of the run's own measures."""
Numeral = Annotated[str, PlainValidator(as_printed, json_schema_input_type=float | str)]
"""A number with all digits that are printed, zeros at its end included."""
Numerals = Annotated[tuple[Numeral, ...], BeforeValidator(_as_tuple, json_schema_input_type=Numeral | list[Numeral])]
Numbers = Annotated[
    tuple[Annotated[float, Field(strict=False)], ...],
    BeforeValidator(_as_tuple, json_schema_input_type=float | list[float]),
]


_PREPRINT = ("paper", "authors", "where", "basis")
_NEEDED = {"published": ("paper", "authors", "venue", "where", "basis"), "preprint": _PREPRINT}
"""The keys that a source of each kind must have; a statement of one's own needs none."""


def _needed_keys(schema: dict[str, Any]) -> None:
    """Add to the JSON schema of a source which keys each kind needs, since its fields alone do not say it."""
    schema["if"] = {"properties": {"kind": {"enum": ["preprint", "own"]}}, "required": ["kind"]}
    schema["then"] = {
        "if": {"properties": {"kind": {"const": "preprint"}}},
        "then": {"required": [*_PREPRINT]},
    }
    schema["else"] = {"required": [*_NEEDED["published"]]}


def _again(detail: ErrorDetails) -> InitErrorDetails:
    """One of pydantic's errors, to be raised together with others."""
    return InitErrorDetails(type=detail["type"], loc=detail["loc"], input=detail["input"], ctx=detail.get("ctx", {}))


class Source(BaseModel):
    """Where the statement comes from, and how much of the source was read."""

    model_config = ConfigDict(**_STRICT, json_schema_extra=_needed_keys)

    kind: Literal["published", "preprint", "own"] = Field(
        default="published",
        description="a `published` paper; a `preprint`, which needs no venue; or a statement of one's `own`, which "
        "needs no other key",
    )
    paper: Text | None = None
    authors: Texts = ()
    venue: Text | None = None
    arxiv: str | None = Field(default=None, pattern=r"^(\d{4}\.\d{4,5}|[a-z-]+/\d{7})(v\d+)?$")
    where: Text | None = Field(default=None, description="theorem, section or abstract, as far as it was read")
    basis: Literal["theorem", "reported", "abstract", "derived"] | None = Field(
        default=None,
        description="how the criteria follow from the source: from a `theorem` that was read, from a theorem that a "
        "third party has `reported`, from the `abstract`, or by what was `derived` for this project",
    )
    note: Text | None = Field(default=None, description="what was read, derived here, or could not be verified")

    @model_validator(mode="wrap")
    @classmethod
    def _kind_has_its_keys(cls, values: Any, handler: ModelWrapValidatorHandler[Source]) -> Source:
        """Refuse a source without a key that its kind needs; each such key is one error, next to all other errors."""
        source, details = None, []
        try:
            source = handler(values)
        except ValidationError as error:
            details = [_again(detail) for detail in error.errors(include_url=False)]
        given = values if isinstance(values, dict) else {}
        needed = _NEEDED.get(str(given.get("kind", "published")), ()) if isinstance(values, dict) else ()
        missing = [key for key in needed if given.get(key) is None]
        details += [InitErrorDetails(type="missing", loc=(key,), input=given) for key in missing]
        if source is None or details:
            raise ValidationError.from_exception_data("source", details)
        return source

    @property
    def heading(self) -> str:
        """The paper with its authors (if there are many, only the first), as a heading over its claims."""
        if self.paper is None:
            return OWN
        names = f"{self.authors[0]} et al." if len(self.authors) > 2 else ", ".join(self.authors)
        return f"{self.paper} ({', '.join(filter(None, (names, self._place)))}{self._arxiv})"

    @property
    def citation(self) -> str:
        """The source in full, with the place in it."""
        if self.paper is None:
            return f"A statement of one's own{f', {self.where}' if self.where else ''}."
        start = ": ".join(filter(None, (", ".join(self.authors), self.paper)))
        rest = [f"{self._place or ''}{self._arxiv}", self.where]
        return f"{start}. {', '.join(filter(None, rest))}."

    @property
    def reference(self) -> str:
        """The source in full, with the place in it and the basis."""
        return f"{self.citation} Basis: {self.basis}." if self.basis else self.citation

    @property
    def _place(self) -> str | None:
        """Where the paper has appeared."""
        return self.venue or ("preprint" if self.kind == "preprint" else None)

    @property
    def _arxiv(self) -> str:
        """The number in arXiv after a comma, if there is one."""
        return f", arXiv:{self.arxiv}" if self.arxiv else ""


FILE_NAME = r"^[a-z0-9][a-z0-9-]*$"
"""The pattern of a claim's id, which is the name of its file without the suffix."""

_THRESHOLD = (
    "a number, or a formula of the arm's parameters and of the run's own measures, such as "
    "`0.8 * strengths[1] / strengths[2]`; a formula has numbers, names, + - * / **, brackets, the numbers of a list "
    f"(counted from 1), and {', '.join(FUNCTIONS)}"
)


_BOUNDS = ("above", "at_least", "below", "at_most", "equals", "within")
"""The keys of an interval."""


class Bounded(BaseModel):
    """A measure, the interval in which it must lie, and the arms in which it must lie there."""

    model_config = _STRICT

    says: Text
    measure: Name | None = None
    above: Bound | None = Field(default=None, description=_THRESHOLD)
    below: Bound | None = Field(default=None, description=_THRESHOLD)
    at_least: Bound | None = Field(default=None, description=_THRESHOLD)
    at_most: Bound | None = Field(default=None, description=_THRESHOLD)
    equals: Bound | None = Field(default=None, description=_THRESHOLD)
    within: Bound | None = Field(default=None, description=_THRESHOLD)
    holds_in: Names = Field(min_length=1)
    runs: Literal["every", "almost all"] = Field(
        default="almost all",
        description="the runs in which it must hold: `every` run (an identity or a bound, which one run outside "
        "refutes), or `almost all` runs (their share is tested with as many runs as are needed)",
    )
    why: Text | None = Field(
        default=None,
        description="where the threshold comes from, in one sentence that begins with its kind: "
        "`theory:`, `derived:` or `pilot:`",
    )
    history: Text | None = Field(
        default=None, description="what was changed in this test after it was first run, when, and why"
    )

    @property
    def bounds(self) -> dict[str, float | str]:
        """The keys that describe the interval, each with its number or its formula."""
        return {key: value for key in _BOUNDS if (value := getattr(self, key)) is not None}

    @property
    def quantity(self) -> str:
        """The name of the number that must lie in the interval, or its formula."""
        return self.measure or ""

    @property
    def named(self) -> list[str]:
        """The measure, and the names in the formulas of the interval, each once: parameters and measures."""
        return list(dict.fromkeys([*([self.measure] if self.measure else []), *names_in(self.bounds)]))

    @property
    def interval_text(self) -> str:
        """The interval that the keys describe, with its formulas as they are written."""
        return stated(self.bounds)

    @model_validator(mode="after")
    def _interval_has_numbers(self) -> Bounded:
        """Refuse keys that describe no interval; whether a formula leaves numbers in it depends on the setting."""
        known = {key: value for key, value in self.bounds.items() if not isinstance(value, str)}
        try:
            if len(known) == len(self.bounds):
                interval(**known)
            else:
                check_keys(self.bounds)
        except PydanticCustomError as error:
            raise at_its_key(error) from None
        return self


class Assumption(Bounded):
    """A hypothesis of the theorem, checked on every run of its arms: of a measure, or an inequality of numbers.

    An inequality `a < x < b` requires that x lies between a and b; of `x < b`, x is the side on the left, unless it has
    no names.
    """

    holds: Unequal | None = Field(
        default=None,
        description="an inequality of the arm's parameters and of the run's own measures, in place of a measure and "
        "its thresholds, such as `1 / strengths[1] < step_size < 2`",
    )

    @property
    def bounds(self) -> dict[str, float | str]:
        """The keys that describe the interval, each with its number or its formula."""
        return super().bounds if self.holds is None else compared(inequality(self.holds))[1]

    @property
    def quantity(self) -> str:
        """The name of the measure, or the side of the inequality that lies between the thresholds."""
        return super().quantity if self.holds is None else compared(inequality(self.holds))[0]

    @property
    def named(self) -> list[str]:
        """The names in it, each once: parameters and measures."""
        return super().named if self.holds is None else inequality(self.holds).names

    @model_validator(mode="before")
    @classmethod
    def _is_of_one_kind(cls, values: Any) -> Any:
        """Refuse an inequality next to a measure or thresholds, and an assumption with neither."""
        if not isinstance(values, Mapping):
            return values
        given = [key for key in ("measure", *_BOUNDS) if values.get(key) is not None]
        if values.get("holds") is not None and given:
            raise at_its_key(rule("`holds` alone, or a measure with a threshold", f"{given[0]} too", "holds"))
        if values.get("holds") is None and "measure" not in given:
            raise at_its_key(rule("a measure, or `holds` with an inequality", "neither", "measure"))
        return values


class Printed(BaseModel):
    """Numbers that others have printed, which a report shows next to ours; they do not enter the verdict.

    Several numbers stand in one list; then a list as long gives the measure, the arm or the point of each.
    """

    model_config = _STRICT

    value: Numerals = Field(
        min_length=1, description="the number with all its printed digits, such as 0.640, or a list of numbers"
    )
    where: Text = Field(description="where it is printed: a paper with its table, or a repository, commit and file")
    arm: Names | None = Field(
        default=None, description="the arm that has the setting of the source; needed if the criterion has several"
    )
    measure: Names | None = Field(default=None, description="the measure; if left out, that of the criterion")
    series: Name | None = Field(
        default=None, description="in place of a measure: a series that a figure of the claim shows in this arm"
    )
    at: Numbers | None = Field(default=None, min_length=1, description="the point of the series on its axis")
    runs: Literal["every", "one", "mean", "median"] = Field(
        default="every",
        description="what the number is: one that `every` run has by theory, that of `one` run of a random draw, or "
        "the `mean` or the `median` of several runs",
    )
    units: float = Field(
        default=1.0,
        gt=0,
        strict=False,
        description="by how many units of its last printed digit ours may differ; more than 1 needs a `note`",
    )
    note: Text | None = Field(
        default=None, description="how the source's setting differs, or why ours may differ by more than one unit"
    )

    @model_validator(mode="after")
    def _says_what_it_is_compared_with(self) -> Printed:
        """Refuse numbers that cannot be matched with ours."""
        if (self.series is None) != (self.at is None):
            key = "at" if self.at is None else "series"
            raise at_its_key(rule("'series' and 'at' together", "one of them", key))
        if self.series is not None and self.measure is not None:
            raise at_its_key(rule("a measure or a series", "both", "series"))
        if self.series is not None and self.runs not in {"every", "one"}:
            raise at_its_key(rule("'every' or 'one' for a point of a series", f"'{self.runs}'", "runs"))
        if self.units > 1 and self.note is None:
            raise at_its_key(rule("a 'note' that says why more than one unit is allowed", "none", "units"))
        lists = {"arm": self.arm, "measure": self.measure, "at": self.at}
        for key, given in lists.items():
            if given is not None and len(given) not in {1, len(self.value)}:
                found = f"{len(given)} for {len(self.value)} values"
                raise at_its_key(rule("one for all values, or one for each of them", found, key))
        if len(self.value) > 1 and all(given is None or len(given) == 1 for given in lists.values()):
            found = f"{len(self.value)} values for one number of ours"
            raise at_its_key(rule("a measure, an arm or a point of a series for each value", found, "value"))
        return self


PrintedNumbers = Annotated[
    tuple[Printed, ...],
    Field(min_length=1),
    BeforeValidator(_as_tuple, json_schema_input_type=Printed | list[Printed]),
]


class Criterion(Bounded):
    """A test of the claim, with the negative controls in which it must fail."""

    id: Name
    measure: Name
    fails_in: Names
    because: Text | None = Field(default=None, description="why no control exists, if fails_in is empty")
    slack: Text | None = Field(
        default=None, description="why the threshold may be more than a thousand times as far as the worst run"
    )
    theory_allows: Bound | None = Field(
        default=None,
        description="the loosest threshold that theory implies, in the units of the measure, or its formula; with "
        "`equals`, the largest distance from it",
    )
    printed: PrintedNumbers | None = Field(
        default=None,
        description="numbers that others have printed for the same setting, to be shown next to ours",
    )

    @model_validator(mode="after")
    def _theory_allows_one_number(self) -> Criterion:
        """Refuse theory's threshold next to two thresholds, since it could belong to either."""
        bounds = (self.above, self.below, self.at_least, self.at_most)
        if self.theory_allows is not None and sum(bound is not None for bound in bounds) > 1:
            raise at_its_key(rule("a criterion with one threshold", "two", "theory_allows"))
        return self

    @model_validator(mode="after")
    def _has_a_control(self) -> Criterion:
        """Refuse a criterion without a control that must fail it, unless it says why."""
        if not self.fails_in and not self.because:
            raise at_its_key(rule("a control, or a 'because' that says why there is none", "neither", "fails_in"))
        if both := set(self.holds_in) & set(self.fails_in):
            found = f"'{min(both)}' in holds_in and fails_in"
            raise at_its_key(rule("each arm in one of both lists", found, "fails_in"))
        return self


class Covers(BaseModel):
    """How much of the source's statement is tested."""

    model_config = _STRICT

    what: Literal["whole", "part", "special case"]
    says: Text = Field(description="what of the source's statement is tested and what is not, in one sentence or two")


class Figure(BaseModel):
    """One figure of the claim: which series against which, in which arms, together with which reference."""

    model_config = _STRICT

    title: Text
    y: Names = Field(min_length=1)
    x: Name
    arms: Names = Field(min_length=1)
    scale: Literal["linear", "semilogx", "semilogy", "loglog"] = "linear"
    slope: float | None = Field(default=None, description="slope of a guide line on logarithmic axes")
    reference: Name | None = Field(default=None, description="the series that holds theory's curve")
    level: float | None = Field(default=None, description="height of a horizontal line")


class Flawed(BaseModel):
    """A false version of the claim or of its runner, which some criteria must notice."""

    model_config = _STRICT

    says: Text = Field(description="what is false then, in a sentence")
    plant: Name | None = Field(default=None, description="the flaw of the runner that is planted")
    settings: dict[str, Any] = Field(default={}, description="other settings, as `-s` gives them: KEY or ARM.KEY")
    breaks: Names = Field(min_length=1, description="the criteria that must not hold then")

    @model_validator(mode="after")
    def _changes_something(self) -> Flawed:
        """Refuse a false version that is the true one."""
        if self.plant is None and not self.settings:
            raise at_its_key(rule("a flaw of the runner in 'plant', or 'settings'", "neither", "plant"))
        return self


class Audit(BaseModel):
    """How `dlnrepro audit` tests the criteria: changes that must not matter, and small errors that must matter."""

    model_config = _STRICT

    harmless: dict[Name, dict[str, Any]] = Field(
        default={}, description="settings within the hypotheses, as `-s` gives them; every criterion must hold"
    )
    flaws: dict[Name, Flawed] = Field(default={}, description="small errors, each of which some criteria must notice")


class Quick(BaseModel):
    """The quick profile: a reduced experiment for a first look in seconds; the criteria stay as they are."""

    model_config = _STRICT

    seeds: Seeds = USUAL_QUICK_RUNS
    setup: dict[str, Any] = Field(default={}, description="what it changes in the setup")


class Claim(BaseModel):
    """One published statement as an experiment: the contents of `<id>.yaml`."""

    model_config = _STRICT

    id: str = Field(pattern=FILE_NAME)
    schema_version: Literal[1] = Field(alias="schema")
    title: Text
    statement: Text
    experiment: Text | None = Field(
        default=None,
        description="how the statement is tested: network, data, loss, initialization, training, "
        "and what each run draws at random",
    )
    covers: Covers | None = Field(default=None, description="how much of the source's statement is tested")
    independent: Text | None = Field(
        default=None, description="the route to the decisive number that shares no code with the formula it is held to"
    )
    source: Source
    tags: Names = ()
    runner: RunnerName = Field(description="the name of a runner, or ./FILE.py:FUNCTION for a function in a file")
    seeds: Seeds = Field(default=USUAL_RUNS, description="runs per arm: seeds 0 .. seeds - 1")
    setup: dict[str, Any] = Field(description="every parameter of the runner")
    measures: dict[Word, DeclaredMeasure] = Field(
        default={},
        description="measures as formulas of what the runner records, for a runner that takes them, such as "
        "`linear_network`",
    )
    series: dict[Word, DeclaredSeries] = Field(
        default={}, description="series for figures, as formulas of what the runner records"
    )
    arms: dict[Name, dict[str, Any]] = Field(min_length=1, description="the setup with a few named changes")
    controls: dict[Name, Text] = Field(
        default={}, description="the hypothesis that a control breaks; needed if it changes several settings"
    )
    assumptions: Annotated[tuple[Assumption, ...], Field(strict=False)] = ()
    criteria: Annotated[tuple[Criterion, ...], Field(strict=False, min_length=1)]
    figures: Annotated[tuple[Figure, ...], Field(strict=False)] = ()
    audit: Audit = Audit()
    quick: Quick = Quick()
    expect: Literal["reproduced", "not reproduced"] = "reproduced"
    because: Text | None = Field(default=None, description="why the claim is expected not to be reproduced")
    _folder: str = PrivateAttr(default="")

    @field_validator("schema_version", mode="before")
    @classmethod
    def _version_is_a_whole_number(cls, value: Any) -> Any:
        """Refuse values that only equal the version in Python, such as true and 1.0."""
        if type(value) is not int:
            raise rule("1, the version of the schema", shown(value))
        return value

    @model_validator(mode="after")
    def _expectation_has_a_reason(self) -> Claim:
        """Refuse an expected failure without its reason."""
        if self.expect == "not reproduced" and not self.because:
            raise at_its_key(rule("a 'because' that says why the claim is not reproduced", "none", "expect"))
        return self

    def placed_in(self, folder: str | PathLike[str]) -> Claim:
        """The same claim, whose file is in a folder; a function that is its runner is found from there."""
        claim = self.model_copy()
        claim._folder = fspath(folder)
        return claim

    @property
    def folder(self) -> str:
        """The folder of the claim's file, from which files that its settings name are found; empty if not known."""
        return self._folder

    @property
    def located_runner(self) -> str:
        """The runner's name; for a function, with the absolute path of its file."""
        return located(self.runner, self._folder)

    @property
    def settings(self) -> dict[str, Any]:
        """Every parameter of the runner before any change of an arm: the setup, and the measures that are declared.

        A figure of a claim that declares its measures may name a recorded quantity, which then is a series.
        """
        if not self.measures and not self.series:
            return self.setup
        own = {
            name: item.model_dump(mode="json", by_alias=True, exclude_none=True) for name, item in self.series.items()
        }
        named = [name for figure in self.figures for name in (figure.x, *figure.y, figure.reference) if name]
        drawn = {name: {"of": name} for name in named if name not in self.series and name.isidentifier()}
        blocks = {
            "measures": {
                name: item.model_dump(mode="json", by_alias=True, exclude_none=True)
                for name, item in self.measures.items()
            },
            "series": {**own, **drawn},
        }
        return {**self.setup, **{key: block for key, block in blocks.items() if block}}

    @property
    def tested_arms(self) -> list[str]:
        """The arms in which a criterion or assumption must hold, in the file's order."""
        wanted = {arm for bounded in (*self.assumptions, *self.criteria) for arm in bounded.holds_in}
        return [arm for arm in self.arms if arm in wanted]

    @property
    def draws(self) -> bool:
        """Whether further runs may differ: not if an arm has one run and all tests speak of every run.

        Such a claim is about weights that somebody trained, or about another number without any draw.
        """
        return self.seeds > 1 or any(item.runs != "every" for item in (*self.assumptions, *self.criteria))

    @property
    def used_arms(self) -> list[str]:
        """The arms that a criterion, assumption or figure names, in the file's order."""
        wanted = set(self.tested_arms)
        wanted |= {arm for criterion in self.criteria for arm in criterion.fails_in}
        wanted |= {arm for figure in self.figures for arm in figure.arms}
        return [arm for arm in self.arms if arm in wanted]


def claim_schema() -> dict[str, Any]:
    """The JSON schema of a claim file. The id is the name of the file and is not a key."""
    schema = Claim.model_json_schema()
    del schema["properties"]["id"]
    schema["required"].remove("id")
    return schema
