"""Audits on disk: the newest audit of each claim with all its numbers, and the table of audits without single runs.

outputs/audited/<id>/audit.json   the newest audit of a claim, with every number
outputs/audits/<id>.json          its summary, which is kept under version control (`dlnrepro audit --reference`)

A summary has no numbers of single runs, no dates and no times, and its numbers have six digits, so the file changes
only if the audit comes out differently.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from dlnrepro.archive.references import write_with_folder
from dlnrepro.claimfile.schema import Claim, Covers
from dlnrepro.errors import UsageError
from dlnrepro.files import reason
from dlnrepro.verdict.audit import chances
from dlnrepro.verdict.audited import ArmAudit, Audited, CriterionAudit
from dlnrepro.verdict.check import Quantifier
from dlnrepro.visible import seen_in_json

NEWEST = "audited"
"""The folder of an outputs folder with the newest audit of each claim."""

TABLE = "audits"
"""The folder of an outputs folder with the table of audits."""

DIGITS = 6
"""Significant digits of a number in the table of audits."""

_EXACT = ("settings", "interval", "theory_allows")
"""The numbers that a claim file gives, which are not rounded."""


@dataclass(frozen=True)
class AuditRecord:
    """One audit of one claim.

    Attributes:
        path: the path of the claim's file, as it was given.
        claim_hash: the SHA-256 of all of the claim that an audit depends on (`claim_hash`).
        runner_hash: the SHA-256 of the sources that make the runner's numbers.
        versions: the versions of the program and of the libraries that computed the numbers.
        runs: the number of runs of each arm on fresh seeds.
        batch: the number of runs with which a test begins.
        seed_base: the first fresh seed.
        changes_from: the first seed under changes.
        meanings: the runner's definitions of the measures, as far as they are known without the runner.
        covers: how much of the source's statement the claim tests; None if its file does not say.
        numbers: the SHA-256 of all measures and series of the claim's reference (`numbers_digest`) by the sources that
            were audited; empty if there was no such reference.
    """

    schema: Literal[1]
    id: str
    title: str
    path: str
    claim_hash: str
    runner_hash: str
    versions: dict[str, str]
    runs: int
    batch: int
    seed_base: int
    changes_from: int
    meanings: dict[str, str]
    result: Audited
    covers: Covers | None = None
    numbers: str = ""

    @property
    def outcome(self) -> str:
        """How the audit came out, in a few words."""
        findings = len(self.result.findings)
        return "passes its audit" if not findings else f"{findings} finding{'s' * (findings > 1)}"

    @property
    def exit_code(self) -> int:
        """0 for a claim that passes its audit, 3 for an error in an arm, else 4."""
        if self.result.verdict == "error" or any(change.fault for change in self.result.changes):
            return 3
        return 4 if self.result.findings else 0


@cache
def _adapter() -> TypeAdapter[AuditRecord]:
    return TypeAdapter(AuditRecord)


@cache
def _list_adapter() -> TypeAdapter[list[AuditRecord]]:
    return TypeAdapter(list[AuditRecord])


def to_json(record: AuditRecord) -> bytes:
    """An audit as JSON text in UTF-8."""
    return _text(_adapter().dump_json(record, indent=1, exclude_defaults=True))


def list_to_json(records: Iterable[AuditRecord]) -> bytes:
    """Several audits as a JSON list."""
    return _text(_list_adapter().dump_json(list(records), indent=1, exclude_defaults=True))


def _text(written: bytes) -> bytes:
    """JSON text without invisible characters, in which lists and objects with nothing inside stand on one line."""
    # A line break in a JSON text stands between its parts, never inside a string.
    inner = re.compile(rb"([\[{])\n([^\[\]{}]*)\n *([\]}])")
    short = inner.sub(lambda found: found[1] + re.sub(rb"\n *", b" ", found[2].lstrip()) + found[3], written)
    return seen_in_json(short.decode()).encode() + b"\n"


def claim_hash(claim: Claim) -> str:
    """The SHA-256 of all of a claim that an audit depends on: its settings, arms, thresholds and changes, not its text.

    So a sentence of a claim file can be corrected, and a number that others have printed can be added, without a new
    audit. A key that is left out does not count, so that later versions may know more keys.
    """
    kept = ("runner", "seeds", "setup", "measures", "series", "arms", "assumptions", "criteria", "audit", "expect")
    left_out = {"criteria": {"__all__": {"printed"}}}  # a setting may have this name too
    dumped = claim.model_dump(mode="json", include=set(kept), exclude=left_out, exclude_defaults=True)
    found = _without_text(dumped)
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _without_text(value: Any) -> Any:
    """A value without the sentences in it."""
    if isinstance(value, Mapping):
        texts = ("says", "why", "history", "because", "slack")
        return {key: _without_text(inner) for key, inner in value.items() if key not in texts}
    return [_without_text(inner) for inner in value] if isinstance(value, list) else value


def write_audit(root: Path, record: AuditRecord) -> Path:
    """Store an audit as the newest one of its claim.

    Raises:
        UsageError: it cannot be written.
    """
    path = root / NEWEST / record.id / "audit.json"
    write_with_folder(path, to_json(record))
    return path


def write_summary(folder: Path, record: AuditRecord) -> bool:
    """Store the summary of an audit in a table of audits, and say whether the file has changed.

    Raises:
        UsageError: it cannot be written.
    """
    path, text = folder / f"{record.id}.json", to_json(summary(record))
    if path.is_file() and path.read_bytes() == text:
        return False
    write_with_folder(path, text)
    return True


def summary(record: AuditRecord) -> AuditRecord:
    """An audit without texts of the claim and numbers of single runs, with six digits for every other number."""
    short = _with_arms(record, lambda _, arm: replace(arm, values=(), thresholds={}, estimated=None, pessimistic=None))
    rounded: AuditRecord = _rounded(replace(short, meanings={}, covers=None))
    return rounded


def _with_chances(record: AuditRecord) -> AuditRecord:
    """A summary with the chances of a wrong decision in each arm, which follow from its shares."""

    def completed(item: CriterionAudit, arm: ArmAudit) -> ArmAudit:
        """An arm with both chances, if its share is known."""
        if arm.share is None or arm.estimated is not None:
            return arm
        runs: Quantifier = "almost all" if arm.control else item.runs
        now, low = chances(arm.share, runs, record.batch), chances(arm.share_low, runs, record.batch)
        return replace(arm, estimated=now, pessimistic=low)

    return _with_arms(record, completed)


def _with_arms(record: AuditRecord, change: Callable[[CriterionAudit, ArmAudit], ArmAudit]) -> AuditRecord:
    """An audit with each arm and control of its criteria changed."""
    criteria = tuple(
        replace(
            item,
            arms=tuple(change(item, arm) for arm in item.arms),
            controls=tuple(change(item, arm) for arm in item.controls),
        )
        for item in record.result.criteria
    )
    return replace(record, result=replace(record.result, criteria=criteria))


def _rounded(value: Any) -> Any:
    """A value with six significant digits for every number in it."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if is_dataclass(value) and not isinstance(value, type):
        changed = {item.name: getattr(value, item.name) for item in fields(value) if item.name not in _EXACT}
        return replace(value, **{name: _rounded(inner) for name, inner in changed.items()})
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    return type(value)(map(_rounded, value)) if isinstance(value, list | tuple) else value


def read_audit(path: Path) -> AuditRecord | None:
    """The audit in a file, or None if there is no such file.

    Raises:
        UsageError: the file is not an audit, or it cannot be read.
    """
    try:
        if not path.is_file():
            return None
        return _with_chances(_adapter().validate_json(path.read_bytes()))
    except OSError as error:
        raise UsageError(f"{path}: expected an audit that can be read, found: {reason(error)}") from None
    except (ValidationError, ValueError):
        raise UsageError(f"{path}: expected the JSON text of an audit, version 1, found something else") from None


def read_summaries(folder: Path) -> dict[str, AuditRecord]:
    """The audits of a table of audits, by the ids of their claims; none if the folder does not exist yet.

    Raises:
        UsageError: with one line per file that is not the audit of the claim that its name says.
    """
    found: dict[str, AuditRecord] = {}
    wrong = []
    for path in sorted(folder.glob("*.json")):
        try:
            record = read_audit(path)
        except UsageError as error:
            wrong.append(str(error))
            continue
        if record is not None and record.id == path.stem:
            found[path.stem] = record
        else:
            wrong.append(f"{path}: expected the audit of the claim '{path.stem}', found another one")
    if wrong:
        raise UsageError(*wrong)
    return found


def known_audit(root: Path, claim: str) -> AuditRecord | None:
    """The newest audit of a claim, or its summary in the table of audits, or None; a damaged file is passed over."""
    for path in (root / NEWEST / claim / "audit.json", root / TABLE / f"{claim}.json"):
        try:
            if (record := read_audit(path)) is not None:
                return record
        except UsageError:
            continue
    return None


def same_runner(record: AuditRecord, runner_hash: str, numbers: str) -> bool:
    """Whether a runner is the one that was audited: by its sources, or by its numbers on the claim's own seeds.

    Args:
        record: the audit.
        runner_hash: the SHA-256 of the sources as they are now.
        numbers: the digest of the claim's reference by these sources, or an empty text.
    """
    return record.runner_hash == runner_hash or (numbers != "" and record.numbers == numbers)


def out_of_date(
    record: AuditRecord | None, claim: Claim, runner_hash: str, runs: int, seed_base: int, numbers: str = ""
) -> str | None:
    """Why the audit of a claim has to be made again, or None.

    Changed sources do not make an audit old while every run of the claim's reference stays bitwise identical.
    """
    if record is None:
        return "it has no audit yet"
    reasons = {
        "its settings, thresholds or changes have changed": record.claim_hash != claim_hash(claim),
        "its runner, or a module that the runner uses, has changed": not same_runner(record, runner_hash, numbers),
        "its audit has another number of runs or other seeds": (record.runs, record.seed_base) != (runs, seed_base),
    }
    return "; ".join(words for words, holds in reasons.items() if holds) or None


def remove_summary(folder: Path, claim: str) -> None:
    """Remove the audit of a claim from a table of audits.

    Raises:
        UsageError: it cannot be removed.
    """
    path = folder / f"{claim}.json"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: expected a file that can be removed, found: {reason(error)}") from None
