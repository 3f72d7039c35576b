"""Several reports as one: all their claims by name, each with the provenance of its own report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import Report, compile_report, most_serious, origin

Entries = Mapping[str, object]


def joined(reports: Sequence[Report]) -> Report:
    """One report with all claims of several reports, ordered by their labels; each claim must be in one report only.

    Its provenance has the entries and versions that all claims share; `origins` has the other entries of each claim.
    The joined report is interrupted if one of the reports was, and it lists everything that they could not judge.
    """
    claims = sorted((record for report in reports for record in report.claims), key=lambda record: record.label)
    made = {record.label: dict(origin(report, record)) for report in reports for record in report.claims}
    signals = [report.exit_code for report in reports if report.interrupted]
    shared = _shared(made.values())
    whole = compile_report(
        claims,
        _provenance(shared),
        most_serious(signals) if signals else None,
        allow_inconclusive=False,
        unjudged=[item for report in reports for item in report.unjudged],
    )
    rest = {name: _rest(own, shared) for name, own in sorted(made.items())}
    return replace(whole, origins={name: _provenance(own) for name, own in rest.items() if own})


def _shared(made: Iterable[Entries]) -> dict[str, object]:
    """The entries, and the versions among them, that have the same value in every provenance."""
    first, *others = list(made) or [{}]
    same = {key: value for key, value in first.items() if all(key in it and it[key] == value for it in others)}
    if "versions" not in same and all(isinstance(it.get("versions"), dict) for it in (first, *others)):
        versions = _shared(cast("Entries", it["versions"]) for it in (first, *others))
        same |= {"versions": versions} if versions else {}
    return same


def _rest(own: Entries, shared: Entries) -> dict[str, object]:
    """The entries of a claim, and its versions, without those that every claim shares."""
    rest = {key: value for key, value in own.items() if key not in shared}
    if own.get("versions") != shared.get("versions", own.get("versions")):
        versions, known = (cast("Entries", entries["versions"]) for entries in (own, shared))
        rest["versions"] = {name: version for name, version in versions.items() if name not in known}
    return rest


def _provenance(entries: Entries) -> Provenance:
    """Entries of provenances as one."""
    return cast("Provenance", dict(entries))
