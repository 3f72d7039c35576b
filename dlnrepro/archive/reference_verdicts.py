"""The verdict on a claim by the numbers of its stored reference, as long as nothing that made these numbers changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from dlnrepro.archive.record import ClaimRecord, from_json
from dlnrepro.archive.references import reference_path
from dlnrepro.claimfile.reach import departures
from dlnrepro.claimfile.schema import Claim
from dlnrepro.registry.sources import source_hash
from dlnrepro.verdict.judge import Verdict, judge

FOLDER = "reference"
"""The folder of an outputs folder with the reference of each claim."""


def reference_verdict(root: Path, claim: Claim) -> Verdict | None:
    """The verdict on a claim by its reference; None without one, and if runner, arms or settings have changed since.

    The criteria are those of the claim file as it is now, so a new threshold is compared with the stored numbers. A
    file that is not a report is passed over.

    Args:
        root: the folder of outputs, such as `outputs`.
        claim: the claim.
    """
    try:
        (record,) = from_json(reference_path(root / FOLDER, claim.id).read_bytes()).claims
    except (OSError, ValidationError, ValueError):
        return None
    return judge(claim, record.outcomes, params=record.params) if _belongs_to(record, claim) else None


def slacks(root: Path, claim: Claim) -> Mapping[str, float | None]:
    """The id of each criterion -> the factor between its threshold and the worst run, by the reference of its claim."""
    verdict = reference_verdict(root, claim)
    return {} if verdict is None else {item.id: item.slack for item in verdict.criteria}


def _belongs_to(record: ClaimRecord, claim: Claim) -> bool:
    """Whether the numbers of a record are those of the claim: the same runner, arms and settings, and enough runs."""
    if record.claim.get("runner") != claim.runner or record.runner_hash != source_hash(claim.located_runner):
        return False
    return all(
        arm in record.outcomes
        and len(record.outcomes[arm].seeds) >= claim.seeds
        and not departures(claim, arm, record.params.get(arm, {}), quick=False)
        for arm in claim.used_arms
    )
