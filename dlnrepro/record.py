"""The record of a run: what `report.json` holds, version 1, and how a stored one is read again.

The record is a contract with whoever reads it by machine. It keeps the claim's contents and every measured number, so
that verdicts are always computed again and never believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

from dlnrepro.check import Outcome
from dlnrepro.claim import Claim
from dlnrepro.verdict import Judged, Verdict, Word, judge

if TYPE_CHECKING:
    import numpy as np

SKETCH_POINTS = 48


Curve = list[float | None]
"""The median over runs at up to 48 points along an axis; None where no run has a number."""


@dataclass(frozen=True)
class Sketch:
    """The series that the claim's first figure names, reduced to a line of text for each arm.

    Attributes:
        curves: arm -> the figure's first y.
        positions: the first arm's x.
        reference: theory's curve in the first arm, where the figure names one.
    """

    title: str
    y: str
    x: str
    scale: str
    curves: dict[str, Curve]
    positions: Curve
    reference: Curve | None


@dataclass(frozen=True)
class ClaimRecord:
    """One claim of a report: its contents, its numbers, and the verdict on them."""

    id: str
    title: str
    verdict: Word
    expect: str
    as_expected: bool
    stamps: list[str]
    seconds: float
    because: str
    assumptions: tuple[Judged, ...]
    criteria: tuple[Judged, ...]
    outcomes: dict[str, Outcome]
    cells: dict[str, str]
    sketch: Sketch | None
    command: str
    path: str
    claim: dict[str, Any]


@dataclass(frozen=True)
class Report:
    """One run of the program: its claims, how they came out, and where they came from."""

    schema: Literal[1]
    exit_code: int
    interrupted: bool
    counts: dict[str, int]
    claims: list[ClaimRecord]
    provenance: dict[str, Any]


def record_claim(
    claim: Claim,
    outcomes: Mapping[str, Outcome],
    *,
    stamps: Iterable[str],
    cells: Mapping[str, str],
    sketch: Sketch | None,
    command: str,
    path: str,
) -> ClaimRecord:
    """The record of a claim, with its verdict."""
    stamps = list(stamps)
    verdict = judge(claim, outcomes, controls="no-controls" not in stamps)
    return ClaimRecord(
        id=claim.id,
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
        cells=dict(cells),
        sketch=sketch,
        command=command,
        path=path,
        claim=claim.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


def judged_again(report: Report, allow_inconclusive: bool = False) -> Report:
    """The report with every verdict computed again from its stored numbers."""
    claims = []
    for record in report.claims:
        claim = Claim.model_validate(record.claim)
        verdict: Verdict = judge(claim, record.outcomes, controls="no-controls" not in record.stamps)
        claims.append(
            replace(
                record,
                verdict=verdict.word,
                expect=claim.expect,
                as_expected=verdict.word == claim.expect,
                because=verdict.because,
                assumptions=verdict.assumptions,
                criteria=verdict.criteria,
            )
        )
    return compile_report(claims, report.provenance, report.interrupted, allow_inconclusive)


def compile_report(
    claims: list[ClaimRecord], provenance: dict[str, Any], interrupted: bool, allow_inconclusive: bool
) -> Report:
    """A report of finished claims, with its counts and exit code."""
    counts = dict.fromkeys(("reproduced", "not reproduced", "inconclusive", "error"), 0)
    for record in claims:
        counts[record.verdict] += 1
    code = 130 if interrupted else exit_code(claims, allow_inconclusive)
    return Report(1, code, interrupted, counts, claims, provenance)


def exit_code(claims: Iterable[ClaimRecord], allow_inconclusive: bool) -> int:
    """1 for a claim that came out against its expectation, then 3 for an error, 4 for an inconclusive one, else 0."""
    odd = {record.verdict for record in claims if not record.as_expected}
    if odd & {"reproduced", "not reproduced"}:
        return 1
    if "error" in odd:
        return 3
    return 4 if "inconclusive" in odd and not allow_inconclusive else 0


def sketched(claim: Claim, series: Mapping[str, Mapping[str, np.ndarray]]) -> Sketch | None:
    """The sketch of a claim's first figure, from the series of its arms; None without a figure or its series."""
    if not claim.figures:
        return None
    figure = claim.figures[0]
    y, x, reference = figure.y[0], figure.x, figure.reference
    there = [arm for arm in figure.arms if y in series.get(arm, {})]
    if not there:
        return None
    first = series[there[0]]
    return Sketch(
        title=figure.title,
        y=y,
        x=x,
        scale=figure.scale,
        curves={arm: _curve(series[arm][y]) for arm in there},
        positions=_curve(first[x]),
        reference=_curve(first[reference]) if reference else None,
    )


def _curve(rows: np.ndarray) -> Curve:
    """The median over the finite runs of a series (runs, points), thinned."""
    import numpy as np

    points = np.unique(np.linspace(0, rows.shape[1] - 1, SKETCH_POINTS).round().astype(int))
    columns = (column[np.isfinite(column)] for column in rows[:, points].T)
    return [float(np.median(column)) if len(column) else None for column in columns]


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def to_json(report: Report) -> bytes:
    """The report as JSON text in UTF-8; numbers that do not exist are null."""
    return _adapter().dump_json(report, indent=1) + b"\n"


def from_json(text: bytes) -> Report:
    """The report that a JSON text holds.

    Raises:
        pydantic.ValidationError: the text is no such report.
    """
    return _adapter().validate_json(text)


def report_schema() -> dict[str, Any]:
    """The JSON schema of `report.json`."""
    return _adapter().json_schema()
