"""What has changed since a stored number was computed, so that it may not be used for a verdict any more."""

from __future__ import annotations

from dataclasses import replace

from dlnrepro.archive.cell_store import cell_key
from dlnrepro.archive.record import ClaimRecord, Report, with_claims, with_verdict
from dlnrepro.compute.arithmetic import UNKNOWN, versions
from dlnrepro.registry.names import runner_names
from dlnrepro.registry.sources import source_hash


def stale(record: ClaimRecord) -> str | None:
    """What makes the numbers of a claim stale, in words; None if they would come out the same today.

    The key of every stored arm is computed again, from the record's parameters, seeds, device, processor and modes of
    the math libraries, and from the runner's sources and the versions as they are now. Numbers without a key are
    stale: nothing says what made them.
    """
    runner = str(record.claim["runner"])
    if runner not in runner_names():
        return f"there is no runner '{runner}' here"
    if bare := [arm for arm, left in record.outcomes.items() if left.measures and arm not in record.cells]:
        return f"the record has no key for the numbers in {', '.join(bare)}"
    source = source_hash(runner)
    changed = [arm for arm, key in record.cells.items() if _key(record, arm, source) != key]
    # A source that was edited during a run has another hash at the run's end than in the keys, made at its beginning.
    if not changed and (not record.cells or record.runner_hash == source):
        return None
    reasons = version_changes(record)
    if record.runner_hash != source:
        reasons.append(f"the source of runner '{runner}', or of what it stands on, has changed")
    if any(found.arithmetic == UNKNOWN for found in record.computed_on.values()):
        reasons.append("the modes of the math libraries it was made with are not recorded")
    if not reasons:
        reasons.append(f"parameters or seeds are not those of its key in {', '.join(changed)}")
    return "; ".join(reasons)


def _key(record: ClaimRecord, arm: str, source: str) -> str | None:
    """The key that an arm of a record would have today, or None where the record lacks what makes it."""
    if arm not in record.params or arm not in record.outcomes or arm not in record.computed_on:
        return None
    today = replace(record.computed_on[arm], versions=versions())
    return cell_key(str(record.claim["runner"]), record.params[arm], record.outcomes[arm].seeds, today, source)


def version_changes(record: ClaimRecord) -> list[str]:
    """The versions in which this program differs from what computed a record, as `numpy 2.4.5 then, 2.4.6 now`."""
    changes: dict[str, None] = {}
    for found in record.computed_on.values():
        recorded, here = found.versions, versions()
        differing = [name for name in here if recorded.get(name) != here[name]]
        lines = [f"{name} {recorded.get(name)} then, {here[name]} now" for name in differing]
        changes |= dict.fromkeys(lines if recorded else ["the versions it was made with are not recorded"])
    return list(changes)


def without_stale_numbers(report: Report, allow_inconclusive: bool) -> Report:
    """The report, judged again, in which stale numbers are not used: such a claim is inconclusive, and says why."""
    claims = []
    for record in report.claims:
        reason = stale(record)
        if reason is None:
            claims.append(with_verdict(record, record.outcomes))
            continue
        because = f"its numbers are stale ({reason}); --as-recorded judges them all the same"
        judged = with_verdict(record, {})
        claims.append(replace(judged, because=because, stamps=[*record.stamps, "stale"], seconds=record.seconds))
    return with_claims(report, claims, allow_inconclusive)
