"""What qualifies a result: its labels in words, and every number that is not as the claim file says.

In a record, the labels have the key `stamps`, and some of them have other names; its keys are an interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlnrepro.claimfile.parameters import settled
from dlnrepro.report.words.digest import departures, plain
from dlnrepro.settings.numerals import setting
from dlnrepro.verdict.equal_runs import equal_arms
from dlnrepro.verdict.outcome import BATCH

if TYPE_CHECKING:
    # Only for annotations: `dlnrepro show` has no report, and this import takes a third of its time.
    from dlnrepro.archive.record import ClaimRecord

MOST_EDITED = 5
"""The most claims that are named because their files have changed."""


def edited_words(names: Sequence[str]) -> str:
    """That the files of some claims have changed since a report, in a line."""
    listed = ", ".join(names[:MOST_EDITED])
    more = f" and {len(names) - MOST_EDITED} more" if names[MOST_EDITED:] else ""
    files = f"the claim files of {listed}{more} have" if len(names) > 1 else f"the claim file of {listed} has"
    return f"{files} changed since this report, which is about the claims as they were"


def qualifications(record: ClaimRecord) -> list[tuple[str, str]]:
    """How a result deviates from its claim file: each label in capitals, and its meaning for this result."""
    found = {
        "toy": ("REDUCED", _reduced),
        "fixed-seeds": ("FIXED RUNS", _fixed),
        "modified": ("MODIFIED", _modified),
        "no-controls": ("NO CONTROLS", _without_controls),
        "cuda": ("GPU", _on_a_gpu),
        "equal-runs": ("EQUAL RUNS", _equal),
    }
    return [(word, says(record)) for stamp, (word, says) in found.items() if stamp in record.stamps]


def _reduced(record: ClaimRecord) -> str:
    """The values that the quick profile reduces, without those that an option has changed."""
    setup, arms = record.claim.get("setup", {}), record.claim.get("arms", {})
    parts = ["quick profile", f"{_runs(record)} of {record.claim.get('seeds')} runs per arm"]
    profile = record.claim.get("quick", {}).get("setup", {})
    known = settled({**setup, **profile})
    for key, value in {key: known[key] for key in profile}.items():
        used = [params.get(key) for arm, params in record.params.items() if key not in arms.get(arm, {})]
        if plain(value) in map(plain, used) and plain(value) != plain(setup.get(key)):
            parts.append(f"{key} {setting(value)} (claim file: {setting(setup.get(key))})")
    few = "" if "fixed-seeds" in record.stamps else _few(record)
    return ", ".join(parts) + few


def _fixed(record: ClaimRecord) -> str:
    """The number of runs that was asked for."""
    origin = "quick profile" if "toy" in record.stamps else "claim file"
    more = "" if "toy" in record.stamps else ", and more for an arm in doubt"
    runs = _runs(record)
    counted = f"{runs} run{'s' * (runs != 1)} per arm"
    return f"{counted} ({origin}: {_written_runs(record)}{more}){_few(record)}"


def _few(record: ClaimRecord) -> str:
    """What few runs can show."""
    if _runs(record) >= BATCH:
        return ""
    return f"; with fewer than {BATCH} runs, a criterion holds if no run fails, which shows little"


def _modified(record: ClaimRecord) -> str:
    """Every value that was changed on the command line, or by a program."""
    parts = []
    if record.variation.seed_base:
        parts.append(f"seeds from {record.variation.seed_base} (claim file: from 0)")
    return "; ".join([*parts, *departures(record)]) or "other settings than the claim file's"


def _without_controls(record: ClaimRecord) -> str:  # noqa: ARG001  as the others
    """What a result without controls lacks."""
    return "the negative controls were not run, so nothing shows that the criteria can fail"


def _on_a_gpu(record: ClaimRecord) -> str:  # noqa: ARG001  as the others
    """What a result from a GPU is worth."""
    return "computed on a GPU, where results need not be bitwise identical to those of a processor"


def _equal(record: ClaimRecord) -> str:
    """Which arms have only runs with the same numbers, and what that may mean."""
    arms = equal_arms(record.outcomes)
    where = "every arm" if len(arms) == len(record.outcomes) else f"the arm{'s' * (len(arms) > 1)} {', '.join(arms)}"
    return (
        f"all runs of {where} gave the same numbers, so they show no more than one run: either nothing random is in "
        "the statement, or the function does not use its seed"
    )


def _runs(record: ClaimRecord) -> int:
    """The number of runs per arm where it is fixed; it is counted also if stale numbers are not used."""
    runs = max((len(outcome.seeds) for outcome in record.outcomes.values()), default=0)
    return runs or record.variation.seeds or _written_runs(record)


def _written_runs(record: ClaimRecord) -> int:
    """The runs per arm that the claim file asks for, in the quick profile if that was used."""
    profile = record.claim.get("quick", {}) if "toy" in record.stamps else record.claim
    return int(profile.get("seeds", 0))
