"""Differences between the origins of the claims of a joined report."""

from __future__ import annotations

from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import Report, origin

MOST_NAMED = 5
"""The largest number of claims that are named for one value; a larger group of claims is counted."""


def differing_origins(report: Report) -> list[tuple[str, str]]:
    """Each entry of the origins that differs between claims: its values, each with the claims that have it."""
    if not report.origins:
        return []
    made = {record.label: _entries(origin(report, record)) for record in report.claims}
    lines = []
    for name in dict.fromkeys(name for entries in made.values() for name in entries):
        groups: dict[str, list[str]] = {}
        for claim, entries in made.items():
            groups.setdefault(entries.get(name, "not recorded"), []).append(claim)
        if len(groups) > 1:
            lines.append((name, "; ".join(f"{value} ({_named(claims)})" for value, claims in groups.items())))
    return lines


def _entries(made: Provenance) -> dict[str, str]:
    """The entries of a claim's origin that can change a number, and the commit of the code."""
    entries = {name: str(version) for name, version in made.get("versions", {}).items()}
    for name in ("processor", "device", "arithmetic", "platform", "commit"):
        if name in made:
            entries[name] = str(made[name] or "unknown")
    return entries


def _named(claims: list[str]) -> str:
    """Some claims in a few words: their ids, or their number."""
    return ", ".join(claims) if len(claims) <= MOST_NAMED else f"{len(claims)} claims"
