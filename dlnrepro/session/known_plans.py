"""The plans of runs: which cells a claim needs, and what their numbers mean. A plan is kept for the next invocation.

It is also kept that a file was valid, for `dlnrepro check`.

To plan a run, the claim is checked against its runner, and the runner imports torch, which takes longer than everything
else if all numbers are stored. A kept plan is used as long as the claim file, the variation, the identity of the runner
and the code that checks and plans have not changed. So nothing that needs no new numbers imports torch.

Only plans of this program's own runners are kept, since only their identity covers all that their parameters depend on,
and no plans with files that settings name, since whether those exist must be asked each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dlnrepro.claimfile.loader import load_claim, read_claim
from dlnrepro.claimfile.parameters import Derived, validated
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.limits import free_memory
from dlnrepro.compute.variation import Variation
from dlnrepro.registry.inputs import inputs
from dlnrepro.registry.kept import READERS, code_digest, keep, library_digest, read_kept
from dlnrepro.registry.names import comes_with_the_program, load_runner
from dlnrepro.registry.sources import source_hash
from dlnrepro.session.execution import Job, Known, job_of, known_of
from dlnrepro.session.run import repeating
from dlnrepro.verdict.outcome import BATCH

MOST_KEPT = 8
"""How many plans of one claim are kept: those of its last variations."""

_CHECKED = "checked-claims.json"
"""The kept file with the digests of valid claim files."""

_KEPT_PARTS = ("arm", "params", "seeds", "memory", "one_by_one")
"""The parts of a cell that are kept. All other parts follow from the claim and the variation."""

PLANNERS = (*READERS, "compute", "session", "verdict/outcome.py", "dynamics/compiled")
"""The parts of this program that check a claim against its runner, or plan its runs."""


class Checks:
    """Checks claim files against their runners, and keeps which files were valid.

    A file with an error is checked again each time.
    """

    def __init__(self) -> None:
        self._code = _code_now()
        self._kept = read_kept(_CHECKED, self._code)
        self._fresh: dict[str, bool] = {}

    def load(self, path: Path) -> Claim:
        """The claim in a file, as `load_claim` gives it, or as the file has it if the file was valid before.

        Raises:
            ClaimError: with a line for every fault.
        """
        claim = read_claim(path)
        if not comes_with_the_program(claim.runner):
            return load_claim(path)
        key = _key(claim, path, "")
        if self._kept.get(key) is True:
            return claim
        loaded = load_claim(path)
        if not _names_files(loaded):
            self._fresh[key] = True
        return loaded

    def keep(self) -> None:
        """Keep which files were valid."""
        if self._fresh:
            keep(_CHECKED, self._code, {**self._kept, **self._fresh})


class Plans:
    """Reads the claims of one invocation and plans their runs in one variation, by kept plans where it can."""

    def __init__(self, variation: Variation) -> None:
        self._variation = variation
        self._code = _code_now()
        self._kept: dict[Path, tuple[tuple[Cell, ...], Known]] = {}
        self._keys: dict[Path, str] = {}

    def load(self, path: Path) -> Claim:
        """The claim in a file, as `load_claim` gives it. If there is a kept plan for it, it was checked for the plan.

        Raises:
            ClaimError: with a line for every fault.
        """
        claim = read_claim(path)
        if not comes_with_the_program(claim.runner) or self._variation.device != "cpu":
            return load_claim(path)
        key = _key(claim, path, self._variation.name)
        kept = _from_kept(self._entries(claim).get(key), claim)
        # An arm that does not fit in memory is refused when it is planned.
        if kept is not None and all(cell.memory_of(max(len(cell.seeds), BATCH)) <= free_memory() for cell in kept[0]):
            self._kept[path] = kept
            return claim
        loaded = load_claim(path)
        if loaded == claim:
            self._keys[path] = key
        return loaded

    def jobs(self, claims: Iterable[tuple[Claim, Path]]) -> list[Job]:
        """The jobs of claims that `load` has read; nothing is trained yet.

        Raises:
            UsageError: the variation cannot be applied to a claim.
        """
        return [self._job(claim, path) for claim, path in claims]

    def _job(self, claim: Claim, path: Path) -> Job:
        command = repeating(path, self._variation, not comes_with_the_program(claim.runner))
        if path in self._kept:
            return job_of(claim, path, self._variation, command, *self._kept[path])
        job = job_of(claim, path, self._variation, command)
        if path in self._keys and not any(cell.contents for cell in job.cells):
            self._keep(job, self._keys[path])
        return job

    def _keep(self, job: Job, key: str) -> None:
        """Keep the plan of a job."""
        known = known_of(job)
        cells = [{part: getattr(cell, part) for part in _KEPT_PARTS} for cell in job.cells]
        entry = {"cells": cells, "meanings": known.meanings, "formulas": _plain(known.formulas)}
        # Only what is the same after it was written and read can be kept, such as lists but not tuples.
        if _from_kept(json.loads(json.dumps(entry)), job.claim) == (job.cells, known):
            entries = {**self._entries(job.claim), key: entry}
            keep(_name(job.claim), self._code, dict(list(entries.items())[-MOST_KEPT:]))

    def _entries(self, claim: Claim) -> dict[str, Any]:
        """The kept plans of a claim, by their keys."""
        return read_kept(_name(claim), self._code)


def _name(claim: Claim) -> str:
    """The kept file with the plans of claims of one name."""
    return f"plans-{claim.id}.json"


def _code_now() -> str:
    """A digest that changes with the code that checks and plans, and with its libraries."""
    parts = code_digest(*PLANNERS), library_digest("yaml", "pydantic", "pydantic_core")
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _names_files(claim: Claim) -> bool:
    """Whether a setting of a valid claim names a file, so that the claim is only valid while this file is there."""
    params = load_runner(claim.located_runner).Params
    settings = [{**claim.settings, **claim.arms[arm]} for arm in claim.used_arms]
    return any(inputs(validated(params, values), claim.folder) for values in settings)


def _key(claim: Claim, path: Path, variation: str) -> str:
    """A digest of everything that determines a plan, apart from the code that checks and plans."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    parts = [content, path.stem, claim.runner, source_hash(claim.located_runner), variation]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _plain(formulas: Mapping[str, Mapping[str, Derived]]) -> dict[str, dict[str, dict[str, Any]]]:
    return {arm: {name: asdict(found) for name, found in of_arm.items()} for arm, of_arm in formulas.items()}


def _from_kept(entry: object, claim: Claim) -> tuple[tuple[Cell, ...], Known] | None:
    """The cells of a kept plan, with what is known of them; None if nothing was kept, or nothing that is a plan."""
    if not isinstance(entry, Mapping):
        return None
    with suppress(TypeError, KeyError, ValueError, AttributeError):
        cells = tuple(
            Cell(
                claim.id,
                str(row["arm"]),
                claim.located_runner,
                dict(row["params"]),
                tuple(map(int, row["seeds"])),
                memory=int(row["memory"]),
                one_by_one=bool(row["one_by_one"]),
                folder=claim.folder,
            )
            for row in entry["cells"]
        )
        formulas = {
            str(arm): {str(name): Derived(str(row["formula"]), float(row["value"])) for name, row in of_arm.items()}
            for arm, of_arm in entry["formulas"].items()
        }
        meanings = {str(name): str(says) for name, says in entry["meanings"].items()}
        arms = {cell.arm for cell in cells}
        if cells and arms <= claim.arms.keys() and arms == formulas.keys() and all(cell.seeds for cell in cells):
            return cells, Known(meanings, formulas)
    return None
