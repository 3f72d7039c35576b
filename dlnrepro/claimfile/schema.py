"""The schema of a claim file: what a claim says, the arms it trains, and the criteria it must meet.

A claim has the names of its runner, measures and series, but not the runner itself; `loader` compares the two.
Nothing here imports torch.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, field_validator, model_validator
from pydantic_core import PydanticCustomError

from dlnrepro.claimfile.formula import FormulaError, formula, names_in
from dlnrepro.claimfile.interval import check_keys, interval, stated
from dlnrepro.claimfile.messages import BLANK, at_its_key, rule, shown
from dlnrepro.claimfile.printed.numerals import as_printed

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


Text = Annotated[str, Field(min_length=1, pattern=BLANK)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Names = Annotated[tuple[Name, ...], BeforeValidator(_as_tuple, json_schema_input_type=Name | list[Name])]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_tuple, json_schema_input_type=Text | list[Text])]
Seeds = Annotated[int, Field(ge=1, le=100_000)]
Bound = Annotated[float | str, PlainValidator(_number_or_formula, json_schema_input_type=float | str)]
"""A threshold: a number, or a formula of the arm's parameters and of the run's own measures."""
Numeral = Annotated[str, PlainValidator(as_printed, json_schema_input_type=float | str)]
"""A number with all digits that are printed, zeros at its end included."""
Numerals = Annotated[tuple[Numeral, ...], BeforeValidator(_as_tuple, json_schema_input_type=Numeral | list[Numeral])]
Numbers = Annotated[
    tuple[Annotated[float, Field(strict=False)], ...],
    BeforeValidator(_as_tuple, json_schema_input_type=float | list[float]),
]


class Source(BaseModel):
    """Where the statement comes from, and how much of the source was read."""

    model_config = _STRICT

    paper: Text
    authors: Texts
    venue: Text
    arxiv: str | None = Field(default=None, pattern=r"^(\d{4}\.\d{4,5}|[a-z-]+/\d{7})(v\d+)?$")
    where: Text = Field(description="theorem, section or abstract, as far as it was read")
    basis: Literal["theorem", "reported", "abstract", "derived"] = Field(
        description="how the criteria follow from the source: from a `theorem` that was read, from a theorem that a "
        "third party has `reported`, from the `abstract`, or by what was `derived` for this project"
    )
    note: Text | None = Field(default=None, description="what was read, derived here, or could not be verified")

    @property
    def heading(self) -> str:
        """The paper with its authors (if there are many, only the first), as a heading over its claims."""
        names = f"{self.authors[0]} et al." if len(self.authors) > 2 else ", ".join(self.authors)
        return f"{self.paper} ({names}, {self.venue}{self._arxiv})"

    @property
    def citation(self) -> str:
        """The source in full, with the place in it."""
        return f"{', '.join(self.authors)}: {self.paper}. {self.venue}{self._arxiv}, {self.where}."

    @property
    def reference(self) -> str:
        """The source in full, with the place in it and the basis."""
        return f"{self.citation} Basis: {self.basis}."

    @property
    def _arxiv(self) -> str:
        """The number in arXiv after a comma, if there is one."""
        return f", arXiv:{self.arxiv}" if self.arxiv else ""


_THRESHOLD = (
    "a number, or a formula of the arm's parameters and of the run's own measures, such as "
    "`0.8 * strengths[1] / strengths[2]`; a formula has numbers, names, + - * / **, brackets, the numbers of a list "
    "(counted from 1), and sqrt, log, exp, abs, min, max, sum, len"
)


class Bounded(BaseModel):
    """A measure, the interval in which it must lie, and the arms in which it must lie there."""

    model_config = _STRICT

    says: Text
    measure: Name
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
        keys = ("above", "at_least", "below", "at_most", "equals", "within")
        return {key: value for key in keys if (value := getattr(self, key)) is not None}

    @property
    def names(self) -> list[str]:
        """The names in the formulas of the interval, each once: parameters and measures."""
        return names_in(self.bounds)

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
    """A hypothesis of the theorem, measured on every run of its arms."""


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

    seeds: Seeds
    setup: dict[str, Any] = Field(default={}, description="what it changes in the setup")


class Claim(BaseModel):
    """One published statement as an experiment: the contents of `<id>.yaml`."""

    model_config = _STRICT

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
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
    runner: Name
    seeds: Seeds = Field(description="runs per arm: seeds 0 .. seeds - 1")
    setup: dict[str, Any] = Field(description="every parameter of the runner")
    arms: dict[Name, dict[str, Any]] = Field(min_length=1, description="the setup with a few named changes")
    controls: dict[Name, Text] = Field(
        default={}, description="the hypothesis that a control breaks; needed if it changes several settings"
    )
    assumptions: Annotated[tuple[Assumption, ...], Field(strict=False)] = ()
    criteria: Annotated[tuple[Criterion, ...], Field(strict=False, min_length=1)]
    figures: Annotated[tuple[Figure, ...], Field(strict=False)] = ()
    audit: Audit = Audit()
    quick: Quick
    expect: Literal["reproduced", "not reproduced"] = "reproduced"
    because: Text | None = Field(default=None, description="why the claim is expected not to be reproduced")

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

    @property
    def tested_arms(self) -> list[str]:
        """The arms in which a criterion or assumption must hold, in the file's order."""
        wanted = {arm for bounded in (*self.assumptions, *self.criteria) for arm in bounded.holds_in}
        return [arm for arm in self.arms if arm in wanted]

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
