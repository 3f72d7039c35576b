"""What has changed since a stored number was computed, so that it may not be used for a verdict any more."""

from __future__ import annotations

from dataclasses import replace

from dlnrepro.cells import cell_key
from dlnrepro.provenance import source_hash, versions
from dlnrepro.record import ClaimRecord, Report, with_claims, with_verdict
from dlnrepro.runner import runner_names


def stale(record: ClaimRecord, report: Report) -> str | None:
    """What makes the numbers of a claim stale, in words; None if they would come out the same today.

    The key of every stored arm is computed again, from the record's parameters, seeds, device and processor and from
    the runner's source and the versions as they are now.
    """
    runner = str(record.claim["runner"])
    if runner not in runner_names():
        return f"there is no runner '{runner}' here"
    where = report.provenance.get("device", "cpu"), report.provenance.get("processor", "unknown")
    changed = [
        arm
        for arm, key in record.cells.items()
        if arm not in record.params or cell_key(runner, record.params[arm], record.outcomes[arm].seeds, *where) != key
    ]
    if not changed:
        return None
    reasons = version_changes(report)
    if record.runner_hash != source_hash(runner):
        reasons.append(f"the source of runner '{runner}', or of the physics below it, has changed")
    if not reasons:
        reasons.append(f"parameters or seeds are not those of its key in {', '.join(changed)}")
    return "; ".join(reasons)


def version_changes(report: Report) -> list[str]:
    """The versions in which this program differs from the one that made a report, as `numpy 2.4.5 then, 2.4.6 now`."""
    then, now = report.provenance.get("versions"), versions()
    if not isinstance(then, dict):
        return ["the versions it was made with are not recorded"]
    return [f"{name} {then.get(name)} then, {now.get(name)} now" for name in now if then.get(name) != now.get(name)]


def without_stale_numbers(report: Report, allow_inconclusive: bool) -> Report:
    """The report, judged again, in which stale numbers are not used: such a claim is inconclusive, and says why."""
    claims = []
    for record in report.claims:
        reason = stale(record, report)
        if reason is None:
            claims.append(with_verdict(record, record.outcomes))
            continue
        because = f"its numbers are stale ({reason}); --as-recorded judges them all the same"
        judged = with_verdict(record, {})
        claims.append(replace(judged, because=because, stamps=[*record.stamps, "stale"], seconds=record.seconds))
    return with_claims(report, claims, allow_inconclusive)
