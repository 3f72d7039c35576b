"""What has changed since the stored numbers were computed, so that no verdict may be based on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dlnrepro.archive.cell_store import cell_key
from dlnrepro.archive.last_results import file_changed
from dlnrepro.archive.record import ClaimRecord, Report, with_claims, with_verdict
from dlnrepro.compute.arithmetic import UNKNOWN, versions
from dlnrepro.registry.functions.reference import is_function, label, located
from dlnrepro.registry.inputs import changed_files
from dlnrepro.registry.names import is_known
from dlnrepro.registry.sources import source_hash


def stale(record: ClaimRecord) -> str | None:
    """The reasons why the numbers of a claim are stale, in words; None if today's code would give the same numbers.

    The key of every stored arm is computed again, from the record's parameters, seeds, device, processor and modes of
    the math libraries, and from the runner's sources and the versions as they are now. Numbers without a key are
    stale: it is not known what computed them.
    """
    named = str(record.claim["runner"])
    runner = located(named, Path(record.path).parent)
    if not is_known(runner):
        place = ", found from the folder in which the report was made" if is_function(named) else ""
        return f"there is no runner '{named}' here{place}"
    if bare := [arm for arm, left in record.outcomes.items() if left.measures and arm not in record.cells]:
        return f"the record has no key for the numbers in {', '.join(bare)}"
    source = source_hash(runner)
    changed = [arm for arm, key in record.cells.items() if _key(record, arm, source) != key]
    folder = str(Path(record.path).parent)
    files = sorted({name for found in record.files.values() for name in changed_files(found, folder)})
    # Keys are made before the computation: a source that was edited meanwhile has another hash at its end.
    if not changed and not files and (not record.cells or record.runner_hash == source):
        return None
    reasons = version_changes(record) + [f"the file {name} has changed" for name in files]
    if record.runner_hash != source:
        reasons.append(f"the source of runner '{named}', or of a module that it uses, has changed")
    if any(found.arithmetic == UNKNOWN for found in record.computed_on.values()):
        reasons.append("the record does not contain the modes of the math libraries")
    if not reasons:
        reasons.append(f"parameters or seeds do not fit the stored key in {', '.join(changed)}")
    return "; ".join(reasons)


def _key(record: ClaimRecord, arm: str, source: str) -> str | None:
    """The key that an arm of a record would have today, or None if the record lacks something that determines it."""
    if arm not in record.params or arm not in record.outcomes or arm not in record.computed_on:
        return None
    today = replace(record.computed_on[arm], versions=versions())
    runner, files = label(str(record.claim["runner"])), record.files.get(arm)
    return cell_key(runner, record.params[arm], record.outcomes[arm].seeds, today, source, contents=files)


def edited(report: Report) -> list[str]:
    """The claims of a report whose files are there and have changed since; the report keeps the claims as they were."""
    changed = [record for record in report.claims if file_changed(Path(record.path), record.claim_hash)]
    return list(dict.fromkeys(record.id for record in changed))


def version_changes(record: ClaimRecord) -> list[str]:
    """The versions that have changed since a record was computed, such as `numpy was 2.4.5 and is now 2.4.6`."""
    changes: dict[str, None] = {}
    for found in record.computed_on.values():
        recorded, here = found.versions, versions()
        differing = [name for name in here if recorded.get(name) != here[name]]
        lines = [f"{name} was {recorded.get(name)} and is now {here[name]}" for name in differing]
        changes |= dict.fromkeys(lines if recorded else ["the record does not contain the versions"])
    return list(changes)


def without_stale_numbers(report: Report, allow_inconclusive: bool) -> Report:
    """The report, judged again without stale numbers: a claim with stale numbers is inconclusive, and says why."""
    claims = []
    for record in report.claims:
        reason = stale(record)
        if reason is None:
            claims.append(with_verdict(record, record.outcomes))
            continue
        because = f"its numbers are stale ({reason}); --as-recorded judges them anyway"
        judged = with_verdict(record, {})
        claims.append(replace(judged, because=because, stamps=[*record.stamps, "stale"], seconds=record.seconds))
    return with_claims(report, claims, allow_inconclusive)
