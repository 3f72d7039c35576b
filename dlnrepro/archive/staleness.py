"""What has changed since a stored number was computed, so that it may not be used for a verdict any more."""

from __future__ import annotations

from dataclasses import replace

from dlnrepro.archive.cell_store import cell_key
from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import ClaimRecord, Report, origin, with_claims, with_verdict
from dlnrepro.compute.arithmetic import UNKNOWN, versions
from dlnrepro.registry.names import runner_names
from dlnrepro.registry.sources import source_hash


def stale(record: ClaimRecord, report: Report) -> str | None:
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
    source, made = source_hash(runner), origin(report, record.id)
    changed = [arm for arm, key in record.cells.items() if _key(record, arm, made, source) != key]
    # A source that was edited during a run has another hash at the run's end than in the keys, made at its beginning.
    if not changed and (not record.cells or record.runner_hash == source):
        return None
    reasons = version_changes(made)
    if record.runner_hash != source:
        reasons.append(f"the source of runner '{runner}', or of what it stands on, has changed")
    if "arithmetic" not in made:
        reasons.append("the modes of the math libraries it was made with are not recorded")
    if not reasons:
        reasons.append(f"parameters or seeds are not those of its key in {', '.join(changed)}")
    return "; ".join(reasons)


def _key(record: ClaimRecord, arm: str, made: Provenance, source: str) -> str | None:
    """The key that an arm of a record would have today, or None where the record lacks what makes it."""
    if arm not in record.params or arm not in record.outcomes:
        return None
    return cell_key(
        str(record.claim["runner"]),
        record.params[arm],
        record.outcomes[arm].seeds,
        made.get("device", "cpu"),
        made.get("processor", UNKNOWN),
        made.get("arithmetic", UNKNOWN),
        source,
    )


def version_changes(made: Provenance) -> list[str]:
    """The versions in which this program differs from the one that made a claim, as `numpy 2.4.5 then, 2.4.6 now`."""
    then, now = made.get("versions"), versions()
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
