"""The last result of each claim in each variation: outputs/last/<id>.json maps a variation to its result.

The result of a claim is kept however many other claims are run later. A result of the quick profile does not replace
the result of the claim as it is written. In outputs of an older version, which has no such folder, the verdicts of all
stored reports are read instead (outputs/reports/<name>/verdicts.json).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from dlnrepro.errors import UsageError
from dlnrepro.files import write_whole

FOLDER = "last"

VERDICTS = "verdicts.json"
"""The file of a stored report that has its verdicts without the numbers."""

EARLIER_FILE = "earlier-file"
"""The label of a result of a claim whose file has changed since."""

UNMODIFIED = ""
"""The name of the variation of a claim as its file has it."""


@dataclass(frozen=True)
class LastVerdict:
    """The last verdict of a claim, and its computing time.

    Attributes:
        claim_hash: the SHA-256 of the claim's file at that time; empty for results that are older than this field.
        order: a count that is larger for later results.
        arms: how long each arm took to compute, in seconds.
    """

    verdict: str
    stamps: tuple[str, ...]
    as_expected: bool
    seconds: float
    claim_hash: str = ""
    order: int = 0
    arms: Mapping[str, float] = field(default_factory=dict)


def file_changed(path: Path, claim_hash: str) -> bool:
    """Whether a claim's file is there with other contents than when its hash was computed."""
    try:
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != claim_hash
    except OSError:
        return False


def remember(root: Path, results: Mapping[tuple[str, str], LastVerdict]) -> None:
    """Store the results of some claims; if a file cannot be written, only this entry is lost.

    Args:
        root: the outputs folder.
        results: the identity of each result, which is a claim's id and the name of a variation -> the result.

    Raises:
        UsageError: the folder cannot be made or a file in it cannot be written.
    """
    folder = root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: expected a folder that can be made, found: {error.strerror}") from None
    by_claim: dict[str, dict[str, LastVerdict]] = {}
    for (claim, variation), last in results.items():
        by_claim.setdefault(claim, {})[variation] = last
    for claim, fresh in by_claim.items():
        known = _read(folder / f"{claim}.json")
        order = 1 + max((last.order for last in known.values()), default=0)
        known |= {name: replace(last, order=order + place) for place, (name, last) in enumerate(fresh.items())}
        rows = {variation: asdict(last) for variation, last in known.items()}
        write_whole(folder / f"{claim}.json", json.dumps(rows, indent=1).encode() + b"\n")


def last_verdicts(root: Path, files: Iterable[tuple[str, Path]] = ()) -> dict[str, LastVerdict]:
    """The last result of each claim, by id: of the claim as it is written, or else of its latest variation.

    Args:
        root: the outputs folder.
        files: the ids of some claims with their files. A result of a file that has changed since gets a label.
    """
    last = {name: foremost(found) for name, found in all_results(root).items()}
    for name, path in files:
        if (found := last.get(name)) is not None and found.claim_hash and file_changed(path, found.claim_hash):
            last[name] = replace(found, stamps=(*found.stamps, EARLIER_FILE))
    return last


def failed_last(root: Path, variations: Mapping[str, str]) -> frozenset[str]:
    """The claims whose last verdict in the same variation was not the expected one.

    Args:
        root: the outputs folder.
        variations: the id of each claim -> the name of the wanted variation.
    """
    results = all_results(root)
    last = {claim: results.get(claim, {}).get(name) for claim, name in variations.items()}
    return frozenset(claim for claim, found in last.items() if found is not None and not found.as_expected)


def arm_seconds(root: Path, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, float]]:
    """The last computing time of each arm: the identity of each known result -> arm -> seconds.

    Args:
        root: the outputs folder.
        wanted: the wanted identities; if one of them was never run, the times of another variation are given.
    """
    results = all_results(root)
    return {
        (claim, name): (results[claim].get(name) or foremost(results[claim])).arms
        for claim, name in wanted
        if claim in results
    }


def all_results(root: Path) -> dict[str, dict[str, LastVerdict]]:
    """The last result of each variation of each claim."""
    return last_results(root, _stored_verdicts(root))


def newest_with(root: Path, claim: str) -> Path | None:
    """The newest stored report that contains a claim; None if there is none. Unreadable reports are skipped."""
    for path in newest_first(root):
        with suppress(OSError, ValueError, RecursionError):
            verdicts = json.loads(path.with_name(VERDICTS).read_bytes())
            if isinstance(verdicts, dict) and claim in verdicts:
                return path
    return None


def newest_first(root: Path) -> Iterator[Path]:
    """The stored reports, the newest first."""
    folder = root / "reports"
    names = sorted(os.listdir(folder), reverse=True) if folder.is_dir() else []
    return (path for name in names if (path := folder / name / "report.json").is_file())


def foremost(results: Mapping[str, LastVerdict]) -> LastVerdict:
    """The result of the claim as it is written, or, if there is none, the last result of another variation."""
    return results.get(UNMODIFIED) or max(results.values(), key=lambda last: last.order)


def _stored_verdicts(root: Path) -> Iterator[Mapping[str, object]]:
    """The verdicts of all stored reports, the newest first; unreadable reports are skipped."""
    for path in newest_first(root):
        with suppress(OSError, ValueError, RecursionError):
            verdicts = json.loads(path.with_name(VERDICTS).read_bytes())
            if isinstance(verdicts, dict):
                yield verdicts


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
    for age, verdicts in enumerate(older):
        for claim, rows in verdicts.items():
            for variation, last in _results(rows).items():
                results.setdefault(claim, {}).setdefault(variation, replace(last, order=-age))
    return results


def _read(path: Path) -> dict[str, LastVerdict]:
    """The results in a file, by variation; none if the file does not exist or cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        # The path may be a pipe, and reading a pipe could go on forever.
        return _results(json.loads(path.read_bytes())) if path.is_file() else {}
    return {}


def _results(rows: object) -> dict[str, LastVerdict]:
    """The results of a claim by the name of the variation, from the contents of a file.

    A file of an older version has only one result, or has labels instead of the name of the variation.
    """
    if not isinstance(rows, dict):
        return {}
    if isinstance(rows.get("verdict"), str):
        rows = {None: rows}
    results = ((name, _result(row)) for name, row in rows.items())
    return {_name(name, last.stamps): last for name, last in results if last is not None}


def _name(given: str | None, stamps: Iterable[str]) -> str:
    """The name of a variation; for an older result it follows from its labels, or is `modified` if it cannot."""
    if given is not None and (given == UNMODIFIED or given.startswith("-")):
        return given
    # A list of claims has no older results, and would wait for the imports of this module for nothing.
    from dlnrepro.compute.variation import Variation

    labels = set(stamps)
    found = Variation(
        quick="toy" in labels, controls="no-controls" not in labels, device="cuda" if "cuda" in labels else "cpu"
    )
    return " ".join(filter(None, ["modified" if "modified" in labels else "", found.name]))


def _result(row: object) -> LastVerdict | None:
    """A result from the contents of a file, or None if they are not a result."""
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
        TypeError, ValueError: the value is not a number, or cannot be a time.
    """
    seconds = float(value)  # type: ignore[arg-type]
    if not 0 <= seconds < math.inf:
        raise ValueError("no time")
    return seconds
