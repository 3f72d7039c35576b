"""The contents of `report.json`, version 3, and how a stored report is read again.

The record is a contract with programs that read it. It contains each claim and every measured number, so that the
verdicts are always computed again. A claim's id and its variation together identify a result: one report may contain a
claim several times, each time in another variation.

A stored record of an older version is converted in memory when it is read (`dlnrepro.archive.older_records`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache, partial
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from dlnrepro.archive.figure_data import Drawing, point_of
from dlnrepro.archive.older_records import of_older_version, recorded_environment, recorded_variation
from dlnrepro.archive.provenance import Provenance
from dlnrepro.claimfile.parameters import Derived
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.arithmetic import Environment
from dlnrepro.compute.device import device_of
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import Unjudged, UsageError
from dlnrepro.verdict.chances import Chances, Extent, chances_of
from dlnrepro.verdict.judge import Judged, Verdict, Word, judge
from dlnrepro.verdict.outcome import BATCH, Outcome, Seconds
from dlnrepro.verdict.printed import PrintedNumber, compared
from dlnrepro.verdict.rule import MOST_RUNS
from dlnrepro.visible import seen_in_json, storable


@dataclass(frozen=True)
class ClaimRecord:
    """One claim of a report: its contents, its numbers, and the verdict on them.

    Attributes:
        variation: how the claim was run, in its normal form.
        outcomes: arm -> its measured numbers, or its error.
        params: arm -> every parameter of the runner, as resolved.
        cells: arm -> the key of its numbers, for completed arms.
        computed_on: arm -> the environment that computed its numbers, for completed arms.
        digests: arm -> the SHA-256 of its series, for completed arms.
        drawings: the data of the claim's figures.
        meanings: the runner's description of each measure and series that the claim names.
        command: the command line that runs the claim again.
        path: the path of the claim's file, as it was given.
        claim: the claim's contents.
        claim_hash: the SHA-256 of the claim's file.
        runner_hash: the SHA-256 of the sources that make the runner's numbers.
        covers: how much of the source's statement the claim tests, as its file says; None if it does not say.
        formulas: arm -> the name of each parameter, or of its part, that is a formula -> the formula and its value.
        files: arm -> path of each file that its settings name, relative to the claim -> digest of its content.
        printed: the numbers that others have printed, each next to ours; they do not enter the verdict.
    """

    id: str
    variation: Variation
    title: str
    verdict: Word
    expect: str
    as_expected: bool
    stamps: list[str]
    seconds: Seconds
    because: str
    assumptions: tuple[Judged, ...]
    criteria: tuple[Judged, ...]
    outcomes: dict[str, Outcome]
    params: dict[str, dict[str, Any]]
    cells: dict[str, str]
    computed_on: dict[str, Environment]
    digests: dict[str, str]
    drawings: list[Drawing]
    meanings: dict[str, str]
    command: str
    path: str
    claim: dict[str, Any]
    claim_hash: str
    runner_hash: str
    covers: Literal["whole", "part", "special case"] | None = None
    formulas: dict[str, dict[str, Derived]] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    printed: list[PrintedNumber] = field(default_factory=list)

    @property
    def identity(self) -> tuple[str, str]:
        """The claim's id and the name of its variation, which is empty if the claim was run as its file says."""
        return self.id, self.variation.name

    @property
    def label(self) -> str:
        """The identity as one text, such as `my-claim -s depth=4`."""
        return labelled(self.identity)


@dataclass(frozen=True)
class Report:
    """One report: its claims with their verdicts, and what produced them.

    Attributes:
        interrupted: whether a signal ended the program before all claims were judged; `exit_code` says which signal.
        unjudged: the files and claims that were selected but could not be judged.
        chances: how likely its tests decide wrongly.
        origins: only in a report that joins several reports: label of a claim -> the provenance of this claim. The
            entries and versions that all claims share are in `provenance` only.
    """

    schema: Literal[3]
    exit_code: int
    interrupted: bool
    counts: dict[str, int]
    claims: list[ClaimRecord]
    provenance: Provenance
    unjudged: list[Unjudged] = field(default_factory=list)
    chances: list[Chances] = field(default_factory=list)
    origins: dict[str, Provenance] = field(default_factory=dict)


def record_claim(
    claim: Claim,
    outcomes: Mapping[str, Outcome],
    *,
    variation: Variation,
    stamps: Iterable[str],
    params: Mapping[str, Mapping[str, Any]],
    cells: Mapping[str, str],
    computed_on: Mapping[str, Environment],
    digests: Mapping[str, str],
    drawings: Iterable[Drawing],
    meanings: Mapping[str, str],
    command: str,
    path: str,
    claim_hash: str,
    runner_hash: str,
    formulas: Mapping[str, Mapping[str, Derived]] | None = None,
    files: Mapping[str, Mapping[str, str]] | None = None,
) -> ClaimRecord:
    """The record of a claim, with its verdict; the arguments are its attributes."""
    stamps, pictures = list(stamps), list(drawings)
    verdict = judge(claim, outcomes, controls="no-controls" not in stamps, params=params)
    return ClaimRecord(
        id=claim.id,
        variation=variation.of(claim),
        title=claim.title,
        verdict=verdict.word,
        expect=claim.expect,
        as_expected=verdict.word == claim.expect,
        stamps=stamps,
        seconds=sum(outcome.seconds for outcome in outcomes.values()),
        because=verdict.because,
        assumptions=verdict.assumptions,
        criteria=verdict.criteria,
        outcomes=dict(outcomes),
        params={arm: dict(values) for arm, values in params.items()},
        cells=dict(cells),
        computed_on=dict(computed_on),
        digests=dict(digests),
        drawings=pictures,
        meanings=dict(meanings),
        command=command,
        path=path,
        claim=_dumped(claim),
        claim_hash=claim_hash,
        runner_hash=runner_hash,
        files={arm: dict(found) for arm, found in (files or {}).items() if found},
        covers=claim.covers.what if claim.covers else None,
        formulas={arm: dict(found) for arm, found in (formulas or {}).items() if found},
        printed=_printed(claim, verdict, outcomes, pictures, variation.of(claim)),
    )


def _printed(
    claim: Claim,
    verdict: Verdict,
    outcomes: Mapping[str, Outcome],
    drawings: Sequence[Drawing],
    variation: Variation,
) -> list[PrintedNumber]:
    """The numbers that others have printed, next to those of a result."""
    same = not variation.quick and not variation.overrides
    return compared(claim, verdict.criteria, outcomes, partial(point_of, drawings), same)


def _dumped(claim: Claim) -> dict[str, Any]:
    """The contents of a claim, as a record has them."""
    return claim.model_dump(mode="json", by_alias=True, exclude_none=True)


def labelled(identity: tuple[str, str]) -> str:
    """The id of a claim and the name of a variation as one text."""
    return " ".join(filter(None, identity))


def repeated_claims(report: Report) -> list[str]:
    """The labels of the results that a report contains more than once: one claim in one variation."""
    return [labelled(found) for found, count in Counter(r.identity for r in report.claims).items() if count > 1]


def judged_again(report: Report, allow_inconclusive: bool = False) -> Report:
    """The report with every verdict computed again from its stored numbers."""
    claims = [with_verdict(record, record.outcomes) for record in report.claims]
    return with_claims(report, claims, allow_inconclusive)


def with_claims(report: Report, claims: list[ClaimRecord], allow_inconclusive: bool) -> Report:
    """The report with its claims judged again; `interrupted` and `unjudged` stay as they are."""
    ended = report.exit_code if report.interrupted else None
    again = compile_report(claims, report.provenance, ended, allow_inconclusive, report.unjudged)
    return replace(again, origins=report.origins)


def origin(report: Report, record: ClaimRecord) -> Provenance:
    """The provenance of one claim of a report."""
    shared, own = report.provenance, report.origins.get(record.label, {})
    made: Provenance = {**shared, **own}
    if "versions" in shared and "versions" in own:
        made["versions"] = {**shared["versions"], **own["versions"]}
    return made


def with_verdict(record: ClaimRecord, outcomes: Mapping[str, Outcome]) -> ClaimRecord:
    """The record with other numbers, judged."""
    claim = Claim.model_validate(record.claim)
    verdict: Verdict = judge(claim, outcomes, controls="no-controls" not in record.stamps, params=record.params)
    return replace(
        record,
        verdict=verdict.word,
        expect=claim.expect,
        as_expected=verdict.word == claim.expect,
        because=verdict.because,
        assumptions=verdict.assumptions,
        criteria=verdict.criteria,
        outcomes=dict(outcomes),
        covers=claim.covers.what if claim.covers else None,
        printed=_printed(claim, verdict, outcomes, record.drawings, record.variation),
    )


def compile_report(
    claims: list[ClaimRecord],
    provenance: Provenance,
    interrupted: int | None,
    allow_inconclusive: bool,
    unjudged: Iterable[Unjudged] = (),
) -> Report:
    """The report of finished claims, with counts and exit code.

    Args:
        claims: the claims that were judged.
        provenance: what produced them.
        interrupted: the exit code of the signal that ended the computation, or None.
        allow_inconclusive: whether an inconclusive claim leaves the exit code 0.
        unjudged: the files and claims that were selected but could not be judged.
    """
    counts = dict.fromkeys(("reproduced", "not reproduced", "inconclusive", "error"), 0)
    for record in claims:
        counts[record.verdict] += 1
    left = list(unjudged)
    code = exit_code(claims, left, allow_inconclusive) if interrupted is None else interrupted
    return Report(3, code, interrupted is not None, counts, claims, provenance, left, chances_in(claims))


def chances_in(records: Iterable[ClaimRecord]) -> list[Chances]:
    """How likely the tests of some claims decide wrongly."""
    drawn = [record for record in records if has_draws(record)]
    return chances_of((_extent(record), (*record.assumptions, *record.criteria)) for record in drawn)


def has_draws(record: ClaimRecord) -> bool:
    """Whether further runs of a claim may differ, as `Claim.draws`."""
    tests = (*record.assumptions, *record.criteria)
    return record.claim.get("seeds") != 1 or any(item.runs != "every" for item in tests)


def _extent(record: ClaimRecord) -> Extent:
    """The number of runs of an arm at the first decision, and the largest number of runs."""
    profile = record.claim.get("quick", {}) if record.variation.quick else record.claim
    batch = record.variation.seeds or int(profile.get("seeds", BATCH))
    return (batch, batch) if record.variation.fixed else (max(batch, BATCH), max(batch, MOST_RUNS))


def exit_code(claims: Iterable[ClaimRecord], unjudged: Iterable[Unjudged], allow_inconclusive: bool) -> int:
    """The exit code of a report: the most serious of its results.

    1 for a claim with an unexpected verdict, then 3 for an error in a claim or of the program, 2 for a file that is not
    a valid claim, 4 for an inconclusive claim, 5 if nothing was selected, else 0.
    """
    of_verdicts = {"reproduced": 1, "not reproduced": 1, "error": 3, "inconclusive": 0 if allow_inconclusive else 4}
    judged = list(claims)
    codes = [of_verdicts[record.verdict] for record in judged if not record.as_expected]
    codes += [item.code for item in unjudged]
    return most_serious(codes or [0 if judged else 5])


def most_serious(codes: Iterable[int]) -> int:
    """The exit code for several: the code of a signal, else the first that occurs of 1, 3, 2, 5, 4, else 0."""
    order = (0, 4, 5, 2, 3, 1)
    return max(codes, key=lambda code: order.index(code) if code in order else code, default=0)


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def to_json(report: Report) -> bytes:
    r"""The report as JSON text in UTF-8, with each list of numbers on one line; NaN and missing numbers are null.

    Characters that cannot be seen are written as escape sequences, so that the text can be shown and its data stay
    exact. Incomplete characters, such as bytes in a file name that are not text, become text such as `\xe9`.
    """
    try:
        text = _adapter().dump_json(report, indent=1)
    except PydanticSerializationError:
        text = _adapter().dump_json(_whole(report), indent=1)
    # A line break in a JSON text stands between its parts, never inside a string.
    lists = re.compile(rb'\[\n([^"\[\]{}]*)\n *\]')
    short = lists.sub(lambda found: b"[" + b"".join(found[1].split()) + b"]", text)
    return seen_in_json(short.decode()).encode() + b"\n"


def _whole(value: Any) -> Any:
    """The value without incomplete characters in its texts, because JSON in UTF-8 cannot contain them."""
    if isinstance(value, str):
        return storable(value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: _whole(getattr(value, item.name)) for item in fields(value)})
    if isinstance(value, Mapping):
        return {_whole(key): _whole(inner) for key, inner in value.items()}
    return type(value)(map(_whole, value)) if isinstance(value, list | tuple) else value


def from_json(text: bytes) -> Report:
    """The report that a JSON text holds; one of an older version is converted.

    Raises:
        pydantic.ValidationError: the text is not such a report.
    """
    if (older := of_older_version(text)) is None:
        return _adapter().validate_json(text)
    version, contents = older
    report = _adapter().validate_python(contents)
    claims = report.claims
    if version == 1:
        claims = [_of_version_2(record, origin(report, record)) for record in claims]
    claims = [_of_version_3(record) for record in claims]
    labels = {before.label: after.label for before, after in zip(report.claims, claims, strict=True)}
    return replace(report, claims=claims, origins={labels.get(key, key): made for key, made in report.origins.items()})


def _of_version_2(record: ClaimRecord, provenance: Provenance) -> ClaimRecord:
    """The record of version 1 with the entries that version 2 adds: the variation, and the environments."""
    environment = recorded_environment(provenance)
    record = replace(record, computed_on=dict.fromkeys(record.cells, environment))
    with suppress(ValidationError):  # the reader reports a claim that is not valid as a separate fault
        claim = Claim.model_validate(record.claim)
        device = device_of(environment.device)
        return replace(
            record, variation=recorded_variation(claim, record.outcomes, record.params, record.stamps, device)
        )
    return record


def _of_version_3(record: ClaimRecord) -> ClaimRecord:
    """An older record with the labels of version 3, judged by its rule; other code reports what cannot be judged.

    A fixed number of runs has a label of its own, and no longer counts as a modification.
    """
    try:
        claim = Claim.model_validate(record.claim)
        named = record.variation.stamps(claim)
        others = [stamp for stamp in record.stamps if stamp not in named and stamp != "modified"]
        return with_verdict(replace(record, stamps=[*named, *others], claim=_dumped(claim)), record.outcomes)
    except (ValidationError, UsageError):
        return record


def report_schema() -> dict[str, Any]:
    """The JSON schema of `report.json`."""
    return _adapter().json_schema()
