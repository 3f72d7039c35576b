"""Several reports as one: all their claims by name, each with the provenance of its own report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import Report, compile_report, most_serious, origin


def joined(reports: Sequence[Report]) -> Report:
    """One report of all claims of several, in the order of their ids; no two of the reports may share a claim.

    Its provenance has the entries on which all claims agree, and `origins` the others of each claim. It was interrupted
    if one of the reports was, and all that they could not judge is in it.
    """
    claims = sorted((record for report in reports for record in report.claims), key=lambda record: record.id)
    made = {record.id: origin(report, record.id) for report in reports for record in report.claims}
    signals = [report.exit_code for report in reports if report.interrupted]
    shared = _shared(made.values())
    whole = compile_report(
        claims,
        _provenance(shared),
        most_serious(signals) if signals else None,
        allow_inconclusive=False,
        unjudged=[item for report in reports for item in report.unjudged],
    )
    rest = {name: {key: value for key, value in own.items() if key not in shared} for name, own in made.items()}
    return replace(whole, origins={name: _provenance(rest[name]) for name in sorted(rest) if rest[name]})


def _shared(made: Iterable[Provenance]) -> dict[str, object]:
    """The entries that all provenances have, with one value."""
    first, *others = list(made) or [Provenance()]
    return {
        key: value
        for key, value in first.items()
        if all(key in other and cast("Mapping[str, object]", other)[key] == value for other in others)
    }


def _provenance(entries: Mapping[str, object]) -> Provenance:
    """Entries of provenances as one."""
    return cast("Provenance", dict(entries))
