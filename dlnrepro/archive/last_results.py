"""How each claim came out the last time, in each variation: outputs/last/<id>.json.

A claim's result is not forgotten however many runs of other claims follow it, and a first look in the toy profile does
not hide the result of the claim as it is written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from dlnrepro.errors import UsageError
from dlnrepro.files import write_whole

FOLDER = "last"

UNMODIFIED = ""
"""The variation of a claim as its file has it."""

_NO_VARIATION = frozenset({"cached", "dirty", "unknown code", "stale"})
"""Stamps that say where numbers come from, and not what was run."""


@dataclass(frozen=True)
class LastVerdict:
    """How a claim came out the last time, and what it cost.

    Attributes:
        claim_hash: the SHA-256 of the claim's file at that time; empty for what is older than this entry.
        order: a count that is larger for what ended later.
        arms: how long each arm took to compute, in seconds.
    """

    verdict: str
    stamps: tuple[str, ...]
    as_expected: bool
    seconds: float
    claim_hash: str = ""
    order: int = 0
    arms: Mapping[str, float] = field(default_factory=dict)


def variation_of(stamps: Iterable[str]) -> str:
    """The variation that a result is of: its stamps that say what was run, as one word."""
    return " ".join(sorted(set(stamps) - _NO_VARIATION)) or UNMODIFIED


def remember(root: Path, results: Mapping[str, LastVerdict]) -> None:
    """Keep how some claims came out; a file that cannot be written loses only this list's memory of a claim.

    Raises:
        UsageError: the folder cannot be made or a file in it cannot be written.
    """
    folder = root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: expected a folder that can be made, found: {error.strerror}") from None
    for name, last in results.items():
        known = _read(folder / f"{name}.json")
        order = 1 + max((found.order for found in known.values()), default=0)
        known[variation_of(last.stamps)] = replace(last, order=order)
        rows = {variation: asdict(found) for variation, found in known.items()}
        write_whole(folder / f"{name}.json", json.dumps(rows, indent=1).encode() + b"\n")


def last_results(root: Path, older: Iterable[Mapping[str, object]]) -> dict[str, dict[str, LastVerdict]]:
    """The last result of each variation of each claim, by id and variation.

    Args:
        root: the outputs folder.
        older: the contents of the verdicts of all stored reports, the newest first; they are read where a folder was
            made before such results were kept.
    """
    folder = root / FOLDER
    if folder.is_dir():
        return {path.stem: found for path in sorted(folder.glob("*.json")) if (found := _read(path))}
    results: dict[str, dict[str, LastVerdict]] = {}
    for age, name, last in _entries(older):
        results.setdefault(name, {}).setdefault(variation_of(last.stamps), replace(last, order=-age))
    return results


def foremost(results: Mapping[str, LastVerdict]) -> LastVerdict:
    """The result of the claim as it is written, or, where there is none, the last one of another variation."""
    return results.get(UNMODIFIED) or max(results.values(), key=lambda last: last.order)


def _entries(older: Iterable[Mapping[str, object]]) -> Iterator[tuple[int, str, LastVerdict]]:
    """The age, claim and result of each entry of some verdicts."""
    for age, verdicts in enumerate(older):
        for name, row in verdicts.items():
            if (last := _result(row)) is not None:
                yield age, name, last


def _read(path: Path) -> dict[str, LastVerdict]:
    """The results in a file, by variation; none if it is not there or cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        # To read a pipe in its place would never end.
        rows = json.loads(path.read_bytes()) if path.is_file() else None
        if isinstance(rows, dict):
            results = ((variation, _result(row)) for variation, row in rows.items())
            return {variation: last for variation, last in results if last is not None}
    return {}


def _result(row: object) -> LastVerdict | None:
    """A result from what a file holds, or None if it is none."""
    if not isinstance(row, dict):
        return None
    with suppress(TypeError, ValueError, KeyError, OverflowError):
        return LastVerdict(
            str(row["verdict"]),
            tuple(map(str, row["stamps"])),
            bool(row["as_expected"]),
            _seconds(row["seconds"]),
            str(row.get("claim_hash", "")),
            int(row.get("order", 0)),
            {str(arm): _seconds(seconds) for arm, seconds in dict(row.get("arms", {})).items()},
        )
    return None


def _seconds(value: object) -> float:
    """A time that can be shown and added up.

    Raises:
        TypeError, ValueError: the value is no number, or a number that no time has.
    """
    seconds = float(value)  # type: ignore[arg-type]
    if not 0 <= seconds < math.inf:
        raise ValueError("no time")
    return seconds
